"""On which line of a TOML text a key stands, so that what is wrong with it can be found."""

from __future__ import annotations

import re

__all__ = ["KeyPath", "lines_of"]

KeyPath = tuple[str, ...]

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_KEY = rf"({_PART}(?:\s*\.\s*{_PART})*)"
_HEADER = re.compile(rf"\s*\[\[?\s*{_KEY}\s*\]")
_PAIR = re.compile(rf"\s*{_KEY}\s*=")


class _Lines(dict[KeyPath, int]):
    """Lines by path; a path that stands nowhere itself is where the nearest above it stands."""

    def __missing__(self, path: KeyPath) -> int:
        return self[path[:-1]] if path else 1


def lines_of(text: str) -> dict[KeyPath, int]:
    """Return the line of each table and key of a TOML text, counted from 1.

    Parameters
    ----------
    text : str
        What `tomllib` can read; keys of an inline table stand where the table does.

    Returns
    -------
    dict
        By path, as ``("crop", "almond", "mid")``; asked for another path it gives the line of what
        holds it.
    """
    lines = _Lines()
    table: KeyPath = ()
    quote: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if quote is None:
            table = _place(line, table, number, lines)
        for mark in ('"""', "'''"):
            if quote in (None, mark) and line.count(mark) % 2:
                quote = mark if quote is None else None
    return lines


def _place(line: str, table: KeyPath, number: int, lines: _Lines) -> KeyPath:
    """Enter what a line defines, and return the table in which the next one is."""
    if header := _HEADER.match(line):
        table = _parts(header[1])
        defined = table
    elif pair := _PAIR.match(line):
        defined = table + _parts(pair[1])
    else:
        return table
    for length in range(1, len(defined) + 1):
        lines.setdefault(defined[:length], number)
    return table


def _parts(key: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))
