"""Make the pictures of the README by the commands beside them, from the embedded server's weather.

The weather is made up and always the same, and so are the pictures, byte for byte; a test makes
them anew and compares.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from pathlib import Path

from cimis.cli.main import run
from cimis.pipeline.emulator import Emulator, GeneratedSource

FOLDER = Path(__file__).with_name("pictures")

STORED = (
    "init",
    "stations --refresh --json",
    "fetch --station 80 --year 2013-2024",
    "fetch --station 80 --year 2024 --hourly",
)

DRAWN = {
    "season.svg": "plot cumulated --station 80 --water-year 2024",
    "calendar.svg": "plot gaps --station 80 --year 2023-2024",
    "wind.svg": "plot rose --station 80 --year 2024",
}
"""Of each picture the words after ``cimis`` that make it."""


def draw(folder: Path) -> None:
    """Draw all pictures into a folder."""
    with tempfile.TemporaryDirectory() as desk, Emulator(GeneratedSource()) as service:
        os.environ |= {
            "CIMIS_BASE_URL": service.base_url,
            "CIMIS_APP_KEY": service.app_key,
            "CIMIS_DATA_DIR": f"{desk}/data",
            "CIMIS_CACHE_DIR": f"{desk}/cache",
        }
        for words in STORED:
            _done(words)
        for name, words in DRAWN.items():
            _done(f"{words} -o {shlex.quote(str(folder / name))}")


def _done(words: str) -> None:
    code = run(shlex.split(words))
    if code:
        sys.exit(code)


if __name__ == "__main__":
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    into.mkdir(exist_ok=True)
    draw(into)
