"""The layout that records share, learnt from one record that the general path has accepted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cimis.pipeline.decode.front import HEADER_KEYS, Fixed, Front, Words, header_pairs, split_header
from cimis.pipeline.field.items import Item

__all__ = ["Template", "learn"]

_BRACE = b"{"
_ITEM = re.compile(
    rb'"([^"]+)"[ \t\r\n]*:[ \t\r\n]*(\{[ \t\r\n]*"Value"[ \t\r\n]*:[ \t\r\n]*)("[^"]*"|null)'
    rb'([ \t\r\n]*,[ \t\r\n]*"Qc"[ \t\r\n]*:[ \t\r\n]*")([^"]*)'
    rb'("[ \t\r\n]*,[ \t\r\n]*"Unit"[ \t\r\n]*:[ \t\r\n]*"[^"]*"[ \t\r\n]*\}[ \t\r\n]*)'
    rb"(,[ \t\r\n]*|\})"
)
_SEPARATOR = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*(?=\{)")
_MAX_TAILS = 4096


@dataclass(slots=True)
class Template:
    """What is fixed in a record, and where the slots are.

    Attributes
    ----------
    names : tuple of str
        JSON keys of a record's item objects, in its order.
    items : tuple of Item or None
        Per item object of a record, in the record's order, the item; None for those not asked for.
    front : Front
    opening : int
        Bytes from an item's brace to its value.
    until : (K,) int64
        Bytes from the end of an item's value to the next brace.
    between : Fixed
        Per item the text from the last byte of its value (free) to the next value, or after the
        last item to the next record: K rows of equal width, one after the other.
    width : int
        Bytes of one such row.
    flag : int
        Offset of the flag's one character in a row.
    probe : tuple of int and int
        Offset and eight bytes that tell a record's brace from an item's.
    unknown : tuple of str
        Keys in a record that are not the API's.
    header_keys : tuple of str
    separator : bytes
        Text between two records.
    tails : dict
        Header texts between front and first value, with the station (or target) each names.
    """

    names: tuple[str, ...]
    items: tuple[Item | None, ...]
    front: Front
    opening: int
    until: npt.NDArray[np.int64]
    between: tuple[Words, Words]
    width: int
    flag: int
    probe: tuple[int, int]
    unknown: tuple[str, ...]
    header_keys: tuple[str, ...]
    separator: bytes
    tails: dict[bytes, int] = field(default_factory=dict)

    def add_tail(self, tail: bytes, where: int) -> None:
        """Keep the rest of a header, and the station (or target) that it names."""
        if len(self.tails) >= _MAX_TAILS:
            self.tails.clear()
        self.tails[tail] = where


def learn(
    data: bytes,
    start: int,
    stop: int,
    where: int,
    wanted: dict[str, Item],
    quiet: frozenset[str],
) -> Template | None:
    """Return the layout of the record at ``data[start:stop]``, or None where it has none.

    A record has a layout when nothing in it is escaped, its items come last, each as Value, Qc and
    Unit, and another record follows.

    Parameters
    ----------
    data : bytes
        A window of the body.
    start, stop : int
        A record that the general path has accepted.
    where : int
        The record's station number or target code.
    wanted : dict of str to Item
        Items asked for, by JSON key.
    quiet : set of str
        Keys that are the API's but not asked for.
    """
    text = data[start:stop]
    after = _SEPARATOR.match(data, stop)
    if after is None or b"\\" in text:
        return None
    found = _items_of(text)
    keys = _header_keys(text, found)
    split = None if keys is None else split_header(text[: found[0].start(3)])
    openings = {len(m[2]) for m in found}
    flags = {len(m[4]) for m in found}
    if keys is None or split is None or len(openings) != 1 or len(flags) != 1:
        return None
    rows, until = _rows(text, found, after.group())
    flag = 1 + flags.pop()
    between, width = _side_by_side(tuple(rows), flag)
    names = tuple([m[1].decode() for m in found])
    if not (wanted.keys().isdisjoint(keys) and HEADER_KEYS.isdisjoint(names)):
        return None  # an item among the header's texts, or a header field that looks like an item
    front, tail = split
    probe = _probe(front.head, found[0][2])
    if probe is None:
        return None
    template = Template(
        names=names,
        items=tuple(wanted.get(name) for name in names),
        front=front,
        opening=openings.pop(),
        until=np.array(until, np.int64),
        between=between,
        width=width,
        flag=flag,
        probe=probe,
        unknown=tuple(k for k in (*keys, *names) if k not in wanted and k not in quiet),
        header_keys=keys,
        separator=after.group(),
    )
    template.add_tail(tail, where)
    return template


def _items_of(text: bytes) -> list[re.Match[bytes]]:
    """Return the items' objects of a record that end it without a gap, or nothing."""
    found = list(_ITEM.finditer(text))
    ends = [m.end() for m in found]
    whole = found and ends[-1] == len(text) and ends[:-1] == [m.start() for m in found[1:]]
    return found if whole and text.count(_BRACE) == len(found) + 1 else []


def _header_keys(text: bytes, found: list[re.Match[bytes]]) -> tuple[str, ...] | None:
    """Return the keys before the items; None when there are no items or a key stands twice."""
    if not found:
        return None
    pairs, _ = header_pairs(text[: found[0].start(3)])
    keys = tuple(key for key, _ in pairs)
    every = {*keys, *(m[1].decode() for m in found)}
    return keys if len(every) == len(keys) + len(found) else None


def _rows(
    text: bytes, found: list[re.Match[bytes]], separator: bytes
) -> tuple[list[bytes], list[int]]:
    """Return per item the text from its value's last byte to the next, and to the next brace."""
    rows, until = [], []
    for one, other in zip(found, [*found[1:], None], strict=True):
        row = b'"' + one[4] + b" " + one[6] + one[7]
        if other is None:
            row += separator
            until.append(len(row) - 1)
        else:
            row += text[other.start() : other.start(3)]
            until.append(len(row) - 1 - len(other[2]))
        rows.append(row)
    return rows, until


@lru_cache(maxsize=64)
def _side_by_side(rows: tuple[bytes, ...], flag: int) -> tuple[tuple[Words, Words], int]:
    """Return rows side by side as words, their mask, and the bytes of one.

    The same rows come with every body of the same items.
    """
    width = -(-max(map(len, rows)) // 8) * 8
    mask = np.zeros((len(rows), width), np.uint8)
    for k, row in enumerate(rows):
        mask[k, : len(row)] = 255
    mask[:, 0] = mask[:, flag] = 0
    plain = np.frombuffer(b"".join([row.ljust(width, b"\0") for row in rows]), np.uint8)
    words = (plain & mask.ravel()).view(np.uint64)
    return (words, mask.ravel().view(np.uint64)), width


def _probe(head: Fixed, opening: bytes) -> tuple[int, int] | None:
    """Return where eight fixed bytes after a record's brace differ from those of an item's."""
    for offset in range(max(1, len(head.text) - 7)):
        ours = head.text[offset : offset + 8]
        whole = head.mask.view(np.uint8)[offset : offset + 8].all()
        theirs = opening[offset : offset + 8]
        if len(ours) == 8 and whole and ours[: len(theirs)] != theirs:
            return offset, int.from_bytes(ours, "little")
    return None
