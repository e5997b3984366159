"""Print the lowest versions that pyproject.toml allows of what cimis and its extras name.

Lowest together, not each by itself: as the resolver finds them, for this Python. What those need in
turn, and what only the tests need, stays as new as it gets.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = {"notebook", "daft"}
"""Extras without tests of their own in the usual run."""


def main() -> None:
    """Ask the resolver, and keep what the project names itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = {
        name: wanted
        for name, wanted in project["optional-dependencies"].items()
        if name not in LEFT_OUT
    }
    named = {
        re.split(r"[^\w.-]", text)[0].lower().replace("_", "-")
        for text in (
            *project["dependencies"],
            *(one for wanted in extras.values() for one in wanted),
        )
    }
    words = [word for name in extras for word in ("--extra", name)]
    found = subprocess.run(  # noqa: S603 -- our own words
        [
            *(Path(sys.executable).with_name("uv"), "pip", "compile", ROOT / "pyproject.toml"),
            *("--resolution", "lowest-direct", "--python", sys.executable, "--quiet"),
            *("--no-header", "--no-annotate", *words),
        ],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ).stdout
    sys.stdout.writelines(
        f"{line}\n" for line in found.splitlines() if line.partition("==")[0] in named
    )


if __name__ == "__main__":
    main()
