"""How a record of a learnt layout begins: its header, and what changes in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from cimis.pipeline.decode.numbers import JsonNumber

__all__ = ["HEADER_KEYS", "Fixed", "Front", "Words", "header_pairs", "split_header"]

Words = npt.NDArray[np.uint64]

HEADER_KEYS = frozenset(
    ("Date", "Julian", "Hour", "Station", "Standard", "ZipCodes", "Scope", "Coordinate", "Address")
)
"""Keys of a record that are not items."""

_SLOT = re.compile(rb'"(Date|Julian|Hour)"[ \t\r\n]*:[ \t\r\n]*"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Fixed:
    """Text that must stand at a place, with bytes in it that may be anything."""

    text: bytes
    words: Words = field(compare=False)
    mask: Words = field(compare=False)

    @classmethod
    def of(cls, text: bytes, free: tuple[tuple[int, int], ...] = ()) -> Fixed:
        """Return text whose bytes from start to stop are free, for each pair of `free`."""
        plain = bytearray(text)
        for start, stop in free:
            plain[start:stop] = bytes(stop - start)
        return _fixed(bytes(plain), free)


@lru_cache(maxsize=256)
def _fixed(text: bytes, free: tuple[tuple[int, int], ...]) -> Fixed:
    """Return fixed text of which the free bytes are zero; the same comes with every body."""
    size = -(-len(text) // 8) * 8
    mask = np.zeros(size, np.uint8)
    mask[: len(text)] = 255
    for start, stop in free:
        mask[start:stop] = 0
    words = np.frombuffer(text.ljust(size, b"\0"), np.uint64)
    return Fixed(text, words, mask.view(np.uint64))


@dataclass(frozen=True, slots=True)
class Front:
    """A record's beginning: date, hour and day of year, which change from record to record.

    ``head`` goes from the brace to the day of year (which has one to three digits) and ``rest``
    from behind it to the end of the last of the three; without a day of year, ``rest`` is empty.
    ``date`` is the offset of the date in ``head``, ``hour`` the part (0 or 1) of the hour and its
    offset there.
    """

    head: Fixed
    rest: Fixed
    julian: bool
    date: int
    hour: tuple[int, int] | None


def split_header(header: bytes) -> tuple[Front, bytes] | None:
    """Return the front of a header and its tail, or None where slots are not as expected."""
    slots = {m[1].decode(): m.span(2) for m in _SLOT.finditer(header)}
    if "Date" not in slots:
        return None
    sizes = {"Date": (10, 10), "Julian": (1, 3), "Hour": (4, 4)}
    if any(not sizes[n][0] <= e - s <= sizes[n][1] for n, (s, e) in slots.items()):
        return None
    end = max(stop for _, stop in slots.values())
    if b'"Station"' in header[:end]:
        return None
    cut, resume = slots.pop("Julian", (end, end))
    free: tuple[list[tuple[int, int]], ...] = ([], [])
    places: dict[str, tuple[int, int]] = {}
    for name, (start, stop) in slots.items():
        part, offset = (0, start) if start < cut else (1, start - resume)
        free[part].append((offset, offset + stop - start))
        places[name] = (part, offset)
    if places["Date"][0] != 0:
        return None
    front = Front(
        Fixed.of(header[:cut], tuple(free[0])),
        Fixed.of(header[resume:end], tuple(free[1])),
        resume > cut,
        places["Date"][1],
        places.get("Hour"),
    )
    return front, header[end:]


def header_pairs(header: bytes) -> tuple[list[tuple[str, Any]], str]:
    """Return the pairs of a header, numbers kept as text, and the first item's key.

    The header goes to the first item's value: closed behind it, all of it must be JSON.

    Raises
    ------
    ValueError
        When it is not, or does not end so.
    """
    pairs: list[tuple[str, Any]] = json.loads(
        header.decode() + "null}}",
        object_pairs_hook=list,
        parse_int=JsonNumber,
        parse_float=JsonNumber,
        parse_constant=_no_constant,
    )
    key, opened = pairs.pop()
    if opened != [("Value", None)]:
        raise ValueError("no item begins here")
    return pairs, key


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
