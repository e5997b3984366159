"""The commands and code that a page of the documentation shows, and what it says that they print.

A block of ``text`` directly below a block of one command, or of Python, shows what that prints on a
terminal: its standard output, then its standard error. `alike` says what of it may differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["WIDTH", "Code", "Shown", "alike", "code", "code_blocks", "shown"]

WIDTH = 88
"""Columns of the terminal on which pages show what is printed."""

_PIECE = re.compile(
    r"^```(?P<language>\w*)\n(?P<block>.*?)^```$(?:\n\n```text\n(?P<prints>.*?)^```$)?"
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
    prints: str | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """A block of code, and what the page says that it prints, if it says so."""

    text: str
    prints: str | None = None


def shown(page: Path) -> list[Shown]:
    """Return a page's commands: lines of shell blocks, indented lines, and code in the text."""
    found: list[Shown] = []
    for piece in _PIECE.finditer(page.read_text("utf-8")):
        if piece["language"] == "sh":
            lines = piece["block"].replace("\\\n", " ").splitlines()
            commands = [line.partition("   #")[0].strip() for line in lines if line]
            prints = piece["prints"]
            assert prints is None or len(commands) == 1, f"{page}: one command, then its output"
            found += [Shown(line, True, prints=prints) for line in commands]
        elif piece["language"] == "text":
            examples = piece["block"].partition("\nExamples:\n")[2]
            found += [Shown(line.strip(), True, True) for line in examples.splitlines()]
        elif piece["indented"] and _is_command(piece["indented"]):
            found.append(Shown(piece["indented"], True))
        elif piece["span"] and _is_command(" ".join(piece["span"].split())):
            found.append(Shown(" ".join(piece["span"].split()), False))
    return found


def code(page: Path, language: str) -> list[Code]:
    """Return a page's blocks of one language, in order, each with what it is said to print."""
    pieces = _PIECE.finditer(page.read_text("utf-8"))
    return [Code(one["block"], one["prints"]) for one in pieces if one["language"] == language]


def code_blocks(page: Path, language: str) -> list[str]:
    """Return a page's code blocks of one language, in order."""
    return [block.text for block in code(page, language)]


def alike(said: str, printed: str) -> bool:
    """Tell whether what a page shows is what was printed.

    Figures with a unit of time or size, ratios of sizes and checksums may differ; how many blanks
    stand in a row (a column is as wide as its longest figure), those at the ends of lines, blank
    lines and the notice that the read cache is built do not count; a line ``...`` in the page
    stands for any number of lines.
    """
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else re.escape(line) + r"\n" for line in _lines(said)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(printed))) is not None


_VARYING = re.compile(r"[\d,.]+(?= (?:ms|s|bytes|kB|MB|GB)\b)|[\d.]+(?= to 1\b)|\b0x[0-9a-f]{8}\b")


def _lines(text: str) -> list[str]:
    lines = [re.sub(" +", " ", _VARYING.sub("#", line.rstrip())) for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("building the read cache")]


def _is_command(text: str) -> bool:
    return text.startswith(_PROGRAMS) or _CRON.match(text) is not None
