"""A text of questions in its pieces: statements of SQL, names of the library, dot commands."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["LEAVING", "Piece", "is_whole", "pieces"]

LEAVING = ("exit", "quit")
"""Words that leave, with and without a dot before them."""

_TOKEN = re.compile(
    r"(?<!\w)[eE]'(?:[^'\\]|\\.|'')*(?P<e>'?)"
    r"|'(?:[^']|'')*(?P<q>'?)"
    r'|"(?:[^"]|"")*(?P<d>"?)'
    r"|\$(?P<tag>[A-Za-z_]\w*|)\$"
    r"|--[^\n]*"
    r"|/\*"
    r"|;",
    re.DOTALL,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")
_BLANK = re.compile(r"(?:\s+|--[^\n]*)*")
_LINE = re.compile(r"[^\n]*")
_WORD = re.compile(r"([a-z]+(?:-[a-z]+)*)[ \t]*;?[ \t\r]*(?=\n|\Z)")


class Piece(NamedTuple):
    """One statement, name or dot command.

    Parameters
    ----------
    text : str
        Without the semicolon at its end.
    line : int
        Line of the whole text on which it begins, from 1.
    is_command : bool
        Whether it is a dot command, or a word that leaves.
    is_ended : bool
        Whether nothing can follow: False of a statement without its semicolon.
    start, stop : int
        Where it stands in the whole text.
    """

    text: str
    line: int
    is_command: bool
    is_ended: bool
    start: int
    stop: int


def pieces(text: str, names: frozenset[str] | None) -> list[Piece]:
    """Return the pieces of a text, in order.

    A dot command is a line that begins with a dot where no statement is open, a name of the library
    one that is nothing but that name; so neither can stand within a statement, a text or a comment.

    Parameters
    ----------
    text : str
    names : frozenset of str, optional
        The library's names; a word with a dash is taken for one too, as it cannot begin SQL.
        Without them all is SQL: there are no commands and no names.
    """
    found = []
    place = 0
    while (place := _after_blanks(text, place)) < len(text):
        begins_line = names is not None and not text[text.rfind("\n", 0, place) + 1 : place].strip()
        word = _WORD.match(text, place) if begins_line else None
        name = "" if word is None else word[1]
        if text[place] == "." and begins_line:
            end = _line_end(text, place)
            found.append(_piece(text, place, end, is_command=True))
        elif name in LEAVING or name in (names or ()) or "-" in name:
            assert word is not None
            end = word.end()
            found.append(_piece(text, place, end, is_command=name in LEAVING))
        else:
            end, ended = _statement_end(text, place)
            if text[place:end].strip("; \t\r\n"):
                found.append(_piece(text, place, end, is_ended=ended))
        place = end
    return found


def is_whole(text: str, names: frozenset[str]) -> bool:
    """Tell whether a text can be answered as it is: nothing in it waits for its end."""
    found = pieces(text, names)
    return found[-1].is_ended if found else _after_blanks(text, 0) == len(text)


def _piece(
    text: str, start: int, stop: int, *, is_command: bool = False, is_ended: bool = True
) -> Piece:
    own = text[start:stop].strip().rstrip(";").rstrip()
    return Piece(own, text.count("\n", 0, start) + 1, is_command, is_ended, start, stop)


def _line_end(text: str, place: int) -> int:
    found = _LINE.match(text, place)
    return len(text) if found is None else found.end()


def _after_blanks(text: str, place: int) -> int:
    """Return where the next piece begins, after blanks, comments and lone semicolons."""
    while True:
        found = _BLANK.match(text, place)
        assert found is not None
        place = found.end()
        if text.startswith("/*", place) and (end := _comment_end(text, place)) is not None:
            place = end
        elif text.startswith(";", place):
            place += 1
        else:
            return place


def _comment_end(text: str, place: int) -> int | None:
    """Return where a comment ends that may hold others; None where it does not."""
    deep = 0
    for mark in _COMMENT_MARK.finditer(text, place):
        deep += 1 if mark[0] == "/*" else -1
        if deep == 0:
            return mark.end()
    return None


def _statement_end(text: str, place: int) -> tuple[int, bool]:
    """Return where a statement ends, and whether by a semicolon."""
    while (token := _TOKEN.search(text, place)) is not None:
        place = token.end()
        if token[0] == ";":
            return place, True
        if token[0] == "/*":
            end = _comment_end(text, token.start())
        elif token["tag"] is not None:
            closing = text.find(token[0], place)
            end = None if closing < 0 else closing + len(token[0])
        else:
            is_open = "" in (token["e"], token["q"], token["d"])
            end = None if is_open else place
        if end is None:
            break
        place = end
    return len(text), False
