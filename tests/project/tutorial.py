"""A tutorial as its reader meets it: what is to be typed, and what is said to come of it.

``python -m tests.project.tutorial PAGE ...`` walks pages and writes into them what really came.

In a page

- a ``console`` block has commands behind ``$`` (``>`` where one goes on) and all that they show;
- an ``sh`` block has commands whose output is of no interest;
- a ``python`` block is code, and a ``text`` block right behind it all that it shows, the value of
  its last expression too, as in a notebook;
- a line ``...`` stands for lines that are left out;
- a comment right before a block says what is special of it (``MARKS``).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["MARKS", "Command", "Step", "differs", "is_install", "steps"]

MARKS = {
    r"not run: .{10,}": "why nobody can follow it in a test",
    r"another terminal": "its last command goes on beside the others, to the end of the page",
    r"exit code [1-9]": "with which its last command ends",
    r"saved as \S+": "it is the content of a file of that name",
    r"numbers vary: .{5,}": "each number of its output may be another one, and why",
}
"""What a comment may say of the block behind it, and what that means."""

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>[a-z]+)\n(?P<body>.*?)^(?P=indent)```$"
    r"(?:\n+(?P=indent)```text\n(?P<shown>.*?)^(?P=indent)```$)?",
    re.MULTILINE | re.DOTALL,
)
_INSTALL = re.compile(r"python3 -m venv |\. \S+/bin/activate$|pip install ")
_VARYING = (
    (re.compile(r"\b\d[\d.,]* (?:µs|ms|s)\b"), "# s"),
    (re.compile(r"\b\d[\d.,]* (?:bytes|B|kB|MB|GB)\b"), "# bytes"),
    (re.compile(r"\b\d+\.\d to 1\b"), "# to 1"),
    (re.compile(r"cimis_version: +\S+"), "cimis_version: #"),
    (re.compile(r"[-─]{3,}"), "---"),
    (re.compile(r"[ \t]+"), " "),
)
"""What may differ from one run to the next: times, sizes of files, and widths of columns."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something typed, and the lines that the page shows behind it; None where it shows none."""

    typed: str
    shown: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Step:
    """A block of a page."""

    language: str
    commands: tuple[Command, ...]
    line: int
    span: tuple[int, int] = field(repr=False)
    marks: tuple[str, ...] = ()
    indent: str = ""

    def marked(self, start: str) -> str | None:
        """Return the mark that begins so."""
        return next((mark for mark in self.marks if mark.startswith(start)), None)

    def code_of(self, command: Command) -> int:
        """Return the exit code that a command of this block is to end with."""
        told = self.marked("exit code")
        return 0 if told is None or command is not self.commands[-1] else int(told.split()[-1])


def steps(page: str) -> list[Step]:
    """Return the blocks of a page that are to be followed."""
    return list(_steps(page))


def _steps(page: str) -> Iterator[Step]:
    for block in _BLOCK.finditer(page):
        language, indent = block["language"], block["indent"]
        body = [line.removeprefix(indent) for line in block["body"].splitlines()]
        if (block["mark"] or "").startswith("saved as "):
            commands = [Command("\n".join((*body, "")), None)]
        elif language == "python":
            shown = block["shown"]
            lines = [] if shown is None else shown.splitlines()
            told = tuple(line.removeprefix(indent) for line in lines)
            commands = [Command("\n".join(body), told)]
        elif language == "console":
            commands = _typed(body)
        elif language in {"sh", "bash"}:
            joined = "\n".join(body).replace("\\\n", "")
            commands = [
                Command(line, None) for line in joined.splitlines() if line and line[0] != "#"
            ]
        else:
            continue
        yield Step(
            language,
            tuple(commands),
            page.count("\n", 0, block.start("language")) + 1,
            block.span() if block["mark"] is None else (block.end("mark") + 5, block.end()),
            tuple((block["mark"] or "").split("; ")) if block["mark"] else (),
            indent,
        )


def _typed(body: Sequence[str]) -> list[Command]:
    found: list[tuple[list[str], list[str]]] = []
    for line in body:
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> ") and not found[-1][1]:
            found[-1][0].append(line[2:])
        else:
            found[-1][1].append(line)
    return [Command("\n".join(typed), tuple(shown)) for typed, shown in found]


def is_install(typed: str) -> bool:
    """Whether a command makes the environment in which the others run."""
    return _INSTALL.match(typed) is not None


def differs(shown: Sequence[str], came: Sequence[str], *, numbers: bool = False) -> bool:
    """Whether what came is other than what is shown; ``numbers`` may differ where asked so."""
    pattern = "".join(
        "(?:.*\n)*" if line.strip() == "..." else f"{re.escape(_plain(line, numbers))}\n"
        for line in shown
    )
    return re.fullmatch(pattern, "".join(f"{_plain(line, numbers)}\n" for line in came)) is None


def _plain(line: str, numbers: bool) -> str:
    for varying, instead in _VARYING:
        line = varying.sub(instead, line)
    return re.sub(r"\d[\d.,]*", "#", line).strip() if numbers else line.strip()


def rewritten(page: str, came: Sequence[Sequence[Sequence[str]]]) -> str:
    """Return the page with what came of each step's commands where it shows something else."""
    for step, outputs in reversed(list(zip(steps(page), came, strict=True))):
        if step.language not in {"console", "python"} or step.marked("saved as"):
            continue
        start, end = step.span
        page = page[:start] + _block(step, outputs) + page[end:]
    return page


def _block(step: Step, outputs: Sequence[Sequence[str]]) -> str:
    numbers = step.marked("numbers") is not None
    lines = [f"```{step.language}"]
    for command, came in zip(step.commands, outputs, strict=True):
        shown = command.shown
        kept = came if shown is None or differs(shown, came, numbers=numbers) else shown
        typed = command.typed.split("\n")
        if step.language == "python":
            lines += [*typed, "```", *(["", "```text", *kept, "```"] if kept else [])]
        else:
            lines += [f"$ {typed[0]}", *(f"> {line}" for line in typed[1:]), *kept]
    if step.language != "python":
        lines.append("```")
    return "\n".join(step.indent + line if line else "" for line in lines)


if __name__ == "__main__":
    import sys

    from tests.installed import install
    from tests.project.walk import write_outputs

    with tempfile.TemporaryDirectory() as place:
        environment = install(Path(place))
        failed = [line for name in sys.argv[1:] for line in write_outputs(Path(name), environment)]
    sys.exit("\n".join(failed) or None)
