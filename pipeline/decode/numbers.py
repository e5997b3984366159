"""Decimal text to exact scaled integers, without floating point."""

from __future__ import annotations

import re

from cimis.pipeline.rows.numbers import INT64_MAX, MAX_DECIMALS

__all__ = ["MAX_TEXT", "JsonNumber", "parse_value"]

MAX_TEXT = 64
"""Longest number text that is looked at."""

_MISSING = frozenset(("", "--"))
_BLANKS = " \t\r\n"
_PLAIN = re.compile(r"(-?)([0-9]*)(?:\.([0-9]*))?", re.ASCII)
_JSON = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?", re.ASCII)


class JsonNumber(str):
    """The text of a JSON number, kept as it stands so that nothing is rounded."""

    __slots__ = ()


def parse_value(text: str) -> tuple[int, int] | None:
    """Return ``(integer, decimals)`` of a decimal text, or None for a text that means missing.

    Trailing zeros after the point are not decimals: ``"0.00"`` is ``(0, 0)``, ``"8.10"`` is
    ``(81, 1)``. Blanks around the number are dropped; ``""``, blanks and ``"--"`` are missing. A
    text is a sign, digits and a point with digits on at least one side of it; only a
    :class:`JsonNumber` may have an exponent.

    Raises
    ------
    ValueError
        For any other text, and for numbers that an int64 cannot hold; the message says which.
    """
    bare = text.strip(_BLANKS)
    if bare in _MISSING and not isinstance(text, JsonNumber):
        return None
    if len(bare) > MAX_TEXT:
        raise ValueError(f"a number of more than {MAX_TEXT} characters")
    found = (_JSON if isinstance(text, JsonNumber) else _PLAIN).fullmatch(bare)
    whole, part = (found[2], found[3] or "") if found else ("", "")
    if found is None or not (whole or part):
        raise ValueError("not a decimal number")
    number = int(whole + part)
    exponent = found[4] if found.re is _JSON else None
    number, decimals = _reduced(number, len(part) - _bounded(exponent))
    return (-number if found[1] else number), decimals


def _bounded(exponent: str | None) -> int:
    """Return an exponent, cut to where every non-zero number is out of range anyway."""
    return max(-999, min(999, int(exponent))) if exponent else 0


def _reduced(number: int, decimals: int) -> tuple[int, int]:
    """Return the number with as few decimals as it needs, within int64."""
    if number == 0:
        return 0, 0
    while decimals > 0 and number % 10 == 0:
        number //= 10
        decimals -= 1
    if decimals < 0:
        number, decimals = number * 10**-decimals, 0
    if decimals > MAX_DECIMALS:
        raise ValueError(f"more than {MAX_DECIMALS} decimals")
    if number > INT64_MAX:
        raise ValueError("a number too large for 64 bits")
    return number, decimals
