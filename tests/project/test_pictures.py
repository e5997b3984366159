"""The README's pictures are those that its commands make now, and are small."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installed import ROOT

PICTURES = ROOT / "docs/pictures"
SHOWN = sorted(path.name for path in PICTURES.glob("*.svg"))
MOST_BYTES = 100_000
FRAME = re.compile(r'<svg [^>]*width="(?P<width>[\d.]+)" height="(?P<height>[\d.]+)"')


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
    """To the byte, but for a pixel or two of the frame, which follow from the machine's fonts."""
    (kept, size), (now, size_now) = _unframed(PICTURES / name), _unframed(made / name)
    assert kept == now, "run 'just pictures'"
    assert size == [pytest.approx(number, abs=2) for number in size_now]


def _unframed(path: Path) -> tuple[str, list[float]]:
    """Return a picture without the size of its frame, and that size."""
    text = path.read_text("utf-8")
    found = FRAME.search(text)
    assert found is not None
    width, height = found["width"], found["height"]
    for frame in (f'width="{width}" height="{height}"', f'viewBox="0 0 {width} {height}"'):
        text = text.replace(frame, "")
    return text, [float(width), float(height)]


@pytest.mark.parametrize("name", SHOWN)
def test_the_readme_shows_a_picture_and_says_what_it_shows(name: str) -> None:
    text = (ROOT / "README.md").read_text()
    (line,) = [line for line in text.splitlines() if f"(docs/pictures/{name})" in line]
    assert len(line.partition("](")[0]) > 20


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_is_small(name: str) -> None:
    assert (PICTURES / name).stat().st_size < MOST_BYTES
