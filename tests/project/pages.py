"""The commands that a page of the documentation shows, in the order in which they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Shown", "code_blocks", "shown"]

_PIECE = re.compile(
    r"^```(?P<language>\w*)\n(?P<block>.*?)^```$"
    r"|^    (?P<indented>\S[^\n]*)$"
    r"|`(?P<span>[^`\n]+(?:\n[^`\n]+)?)`",
    re.MULTILINE | re.DOTALL,
)
_PROGRAMS = ("cimis ", "scripts/", "just ", "pytest ", "promtool ", "pip ", "journalctl ", "echo ")
_CRON = re.compile(r"[0-9*,/]+( [0-9*,/]+){4} ")


@dataclass(frozen=True, slots=True)
class Shown:
    """One command as a page shows it: in a line of its own, as an example of a command's help."""

    line: str
    alone: bool
    example: bool = False


def shown(page: Path) -> list[Shown]:
    """Return a page's commands: lines of shell blocks, indented lines, and code in the text."""
    found: list[Shown] = []
    for piece in _PIECE.finditer(page.read_text("utf-8")):
        if piece["language"] == "sh":
            lines = piece["block"].replace("\\\n", " ").splitlines()
            found += [Shown(line.partition("   #")[0].strip(), True) for line in lines if line]
        elif piece["language"] == "text":
            examples = piece["block"].partition("\nExamples:\n")[2]
            found += [Shown(line.strip(), True, True) for line in examples.splitlines()]
        elif piece["indented"] and _is_command(piece["indented"]):
            found.append(Shown(piece["indented"], True))
        elif piece["span"] and _is_command(" ".join(piece["span"].split())):
            found.append(Shown(" ".join(piece["span"].split()), False))
    return found


def code_blocks(page: Path, language: str) -> list[str]:
    """Return a page's code blocks of one language, in order."""
    pieces = _PIECE.finditer(page.read_text("utf-8"))
    return [piece["block"] for piece in pieces if piece["language"] == language]


def _is_command(text: str) -> bool:
    return text.startswith(_PROGRAMS) or _CRON.match(text) is not None
