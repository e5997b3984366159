"""Makes the stores of this folder: each by the code of an old commit, as its users would have.

    python tests/upgrade/make_stores.py COMMIT …

For each commit its tree is unpacked, its own embedded server started, a store fetched from it and
asked, all by its own commands with the packages of today. ``stores/COMMIT.tar.xz`` then holds the
data directory and, as ``told/NAME.csv``, what the old code answered about it. A file that is there
is never made anew: it is what some user has on the disk. Add one for the commit of each release,
and before a format changes.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

STORES = Path(__file__).parent / "stores"
ROOT = Path(__file__).parents[2]

FETCHES = (
    "--stations 2,80 --start 2023-12-20 --end 2024-01-20",
    "--stations 80 --start 2024-03-09 --end 2024-03-11 --scope hourly",
    "--stations 105 --start 2024-01-01 --end 2024-01-15 --format v1",
    # commits before the spatial network knew no such option, and are asked without it
    "--zip 93624 --start 2024-01-01 --end 2024-01-15",
)
QUESTIONS = {
    "daily": "--stations all",
    "hourly": "--stations all --hourly",
    "spatial": "--zip 93624",
}


def make(commit: str) -> Path:
    """Make the store of one commit, and return its file."""
    target = STORES / f"{commit}.tar.xz"
    if target.exists():
        raise SystemExit(f"{target} is there; a store that is there stays as it is")
    with tempfile.TemporaryDirectory() as name:
        tree, data = Path(name, "tree"), Path(name, "data")
        packed = subprocess.run(
            ["git", "archive", commit], cwd=ROOT, check=True, capture_output=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(tree, filter="data")
        environment = os.environ | {
            "CIMIS_DATA_DIR": str(data),
            "CIMIS_CACHE_DIR": str(Path(name, "cache")),
            "CIMIS_CONFIG": str(Path(name, "none.toml")),
            "PYTHONPATH": str(tree),
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", "cimis"]
        with subprocess.Popen(
            [*command, "emulator", "--port", "0"],
            cwd=tree,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as server:
            try:
                assert server.stdout is not None
                while not {"CIMIS_BASE_URL", "CIMIS_APP_KEY"} <= environment.keys():
                    line = server.stdout.readline()
                    assert line, "the embedded server ended"
                    environment.update(re.findall(r"(CIMIS_\w+)=(\S+)", line))

                def run(*words: str) -> subprocess.CompletedProcess[bytes]:
                    return subprocess.run(
                        [*command, *words],
                        check=False,
                        cwd=tree,
                        env=environment,
                        capture_output=True,
                    )

                run("init").check_returncode()
                for words in FETCHES:
                    done = run("fetch-streaming", *words.split())
                    if done.returncode and b"No such option" not in done.stderr:
                        raise SystemExit(done.stderr.decode())
            finally:
                server.terminate()
        told = {
            name: run("query", *words.split(), "--format", "csv")
            for name, words in QUESTIONS.items()
        }
        with tarfile.open(target, "w:xz", format=tarfile.PAX_FORMAT) as archive:
            for path in sorted(data.rglob("*")):
                if path.is_file() and not path.name.endswith((".lock", "-shm", "-wal")):
                    _add(archive, f"data/{path.relative_to(data).as_posix()}", path.read_bytes())
            for name, done in told.items():
                if done.returncode == 0:
                    _add(archive, f"told/{name}.csv", done.stdout)
    return target


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":
    for one in sys.argv[1:]:
        sys.stdout.write(f"{make(one)}\n")
