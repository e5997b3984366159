"""Standard streams that fail on no sign: UTF-8 in pipes and files, plain signs where need be."""

from __future__ import annotations

import codecs
import os
import sys
from typing import Any

__all__ = ["settled"]

_ERRORS = "cimis-plain"
_PLAIN = {
    "×": "x",
    "·": "-",
    "−": "-",
    "–": "-",
    "…": "...",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
    "±": "+-",
    "°": "deg ",
    "º": "deg ",
    "²": "2",
    "³": "3",
    "µ": "u",
    "Σ": "sum",
    "✓": "+",
    "─": "-",
    "━": "-",
    "│": "|",
    "├": "+",
    "└": "+",
    "┬": "+",
    "┤": "+",
    "█": "#",
}
_UNKNOWN = "?"


def settled() -> None:
    """Let standard output, error and input take and give every text.

    Where no terminal is, they are UTF-8 whatever the locale, as the answers in files are; on a
    terminal that shows fewer signs plain ones stand for them. ``PYTHONIOENCODING`` is followed.
    """
    codecs.register_error(_ERRORS, _plainly)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell, or a program without a window
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    free = not os.environ.get("PYTHONIOENCODING")
    for stream in (sys.stdout, sys.stderr):
        _settle(stream, errors=_ERRORS, free=free)
    _settle(sys.stdin, errors=None, free=free)


def _settle(stream: Any, *, errors: str | None, free: bool) -> None:
    """Change a stream that can be changed; a host program's own, or none, stays as it is."""
    change = getattr(stream, "reconfigure", None)
    if change is None or getattr(stream, "closed", True):
        return
    chosen = {} if errors is None else {"errors": errors}
    if free and not stream.isatty():
        chosen["encoding"] = "utf-8"
    if chosen:
        change(**chosen)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """Return plain signs for those that cannot be written; of a path's odd bytes a mark each."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    failed = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign, _UNKNOWN) for sign in failed), error.end
