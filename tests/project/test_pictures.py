"""The README's pictures are those that its commands make now, and are small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.installed import ROOT

PICTURES = ROOT / "docs/pictures"
SHOWN = sorted(path.name for path in PICTURES.glob("*.svg"))
MOST_BYTES = 100_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pictures made anew."""
    pytest.importorskip("vl_convert", reason="the extra plot is not installed")
    folder = tmp_path_factory.mktemp("pictures")
    script = ROOT / "docs/generate_pictures.py"
    done = subprocess.run(
        [sys.executable, script, folder], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_all_pictures_are_there(made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == SHOWN


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_is_current(name: str, made: Path) -> None:
    assert (PICTURES / name).read_bytes() == (made / name).read_bytes(), "run 'just pictures'"


@pytest.mark.parametrize("name", SHOWN)
def test_the_readme_shows_a_picture_and_says_what_it_shows(name: str) -> None:
    text = (ROOT / "README.md").read_text()
    (line,) = [line for line in text.splitlines() if f"(docs/pictures/{name})" in line]
    assert len(line.partition("](")[0]) > 20


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_is_small(name: str) -> None:
    assert (PICTURES / name).stat().st_size < MOST_BYTES
