"""cimis as its users have it: a wheel, built here and installed apart from the checkout."""

from __future__ import annotations

import errno
import os
import pty
import subprocess
import sys
import sysconfig
import termios
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Installed", "built", "install"]

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment into which the wheel is installed, and nothing of the checkout."""

    bin: Path

    def variables(self, folder: Path, **more: str) -> dict[str, str]:
        """Return the variables of a user's shell: the command on the path, no setting of cimis."""
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("CIMIS", "PYTHON", "VIRT"))
        }
        return kept | {
            "PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "CIMIS_CONFIG": str(folder / "none.toml"),
            **more,
        }

    def shell(self, line: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a line as it would be typed in a folder."""
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=folder,
            env=self.variables(folder, **more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def terminal(self, line: str, folder: Path, width: int, **more: str) -> tuple[int, str]:
        """Run a line as on a terminal; return its exit code and what it printed.

        That is what it wrote to standard output, a terminal of so many columns without colours, and
        behind it what it wrote to standard error.
        """
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (40, width))
        env = self.variables(folder, TERM="dumb", NO_COLOR="1", COLUMNS=str(width), **more)
        with subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            os.close(theirs)
            with ThreadPoolExecutor(1) as beside:
                shown = beside.submit(_all_of, ours)
                errors = process.communicate(timeout=300)[1]
                return process.returncode, shown.result().replace("\r\n", "\n") + errors


def _all_of(end: int) -> str:
    """Return what comes from a terminal until its other end is closed."""
    pieces = []
    try:
        while piece := os.read(end, 1 << 16):
            pieces.append(piece)
    except OSError as error:
        if error.errno != errno.EIO:  # how Linux says that the other end is closed
            raise
    finally:
        os.close(end)
    return b"".join(pieces).decode()


def install(folder: Path) -> Installed:
    """Build the wheel and install it into a new environment, without network or registry.

    What it needs it takes from the environment of the tests; of the checkout, which that one has as
    an editable installation, it sees nothing.
    """
    wheel = built(folder)
    _run(sys.executable, "-m", "venv", "--without-pip", folder / "env")
    python = folder / "env/bin/python"
    pip = (sys.executable, "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check")
    _run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel)
    (packages,) = (folder / "env/lib").glob("python*/site-packages")
    # a line of a .pth file only names a folder, whose own .pth files are not followed
    (packages / "needs.pth").write_text(sysconfig.get_paths()["purelib"])
    # -P: what lies in the folder where it is run, the checkout, does not count
    found = _run(
        python,
        "-P",
        "-c",
        "import cimis, cimis.pipeline, cimis.queries, cimis.agronomy; print(cimis.__file__)",
    )
    assert found.startswith(str(packages)), found
    return Installed(folder / "env/bin")


def built(folder: Path) -> Path:
    """Build the wheel into a folder."""
    _run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _run(*words: str | Path) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout
