"""The package installs one name, and packages of others that bear its rooms' names do no harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.installed import Installed

ROOMS = ("pipeline", "queries", "agronomy")


def packages_of(installed: Installed) -> Path:
    (found,) = (installed.bin.parent / "lib").glob("python*/site-packages")
    return found


def test_the_wheel_holds_one_name_and_its_record(installed: Installed) -> None:
    (record,) = packages_of(installed).glob("cimis-*.dist-info/RECORD")
    files = [line.split(",")[0] for line in record.read_text().splitlines()]
    tops = {name.split("/")[0] for name in files if not name.startswith("..")}
    assert tops == {"cimis", record.parent.name}
    for room in ROOMS:
        assert f"cimis/{room}/__init__.py" in files


@pytest.mark.parametrize("where", ["beside the package", "in the user's folder"])
def test_names_of_others_do_not_matter(installed: Installed, tmp_path: Path, where: str) -> None:
    """Both work: theirs is what ``import pipeline`` finds, and ours what the command uses."""
    folder = tmp_path / "others" if where == "beside the package" else tmp_path
    for room in ROOMS:
        theirs = folder / room
        theirs.mkdir(parents=True)
        (theirs / "__init__.py").write_text("WHOSE = 'another'\n")
    code = (
        f"import {', '.join(ROOMS)}, cimis, cimis.queries.point.rows\n"
        f"print({', '.join(room + '.WHOSE' for room in ROOMS)})\n"
    )
    (tmp_path / "own.py").write_text(code)
    done = installed.shell("python own.py && cimis demo --help", tmp_path, PYTHONPATH=str(folder))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("another another another\n")
