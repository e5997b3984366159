"""What a terminal shows of the bytes that programs write to it: lines, without colours."""

from __future__ import annotations

import re

__all__ = ["lines_on_screen"]

_PART = re.compile(
    r"\x1b\[(?P<number>[0-9;?]*)(?P<what>[A-Za-z])|(?P<sign>[\r\n\b])|(?P<text>[^\x1b\r\n\b]+)|."
)


def lines_on_screen(written: str) -> list[str]:
    """Return the lines that stand on a terminal that is tall enough for all of them."""
    lines, row, column = [""], 0, 0
    for part in _PART.finditer(written):
        text, sign, what = part["text"], part["sign"], part["what"]
        if text:
            before = lines[row].ljust(column)
            lines[row] = before[:column] + text + before[column + len(text) :]
            column += len(text)
        elif sign == "\n":
            row, column = row + 1, 0
            if row == len(lines):
                lines.append("")
        elif sign == "\r":
            column = 0
        elif sign == "\b":
            column = max(0, column - 1)
        elif what == "K":
            lines[row] = "" if part["number"] == "2" else lines[row][:column]
        elif what == "A":
            row = max(0, row - int(part["number"] or 1))
    return [line.rstrip() for line in lines]
