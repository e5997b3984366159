"""The headers of many records of one layout: day, hour, and station or target."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cimis.pipeline.decode.fast.template import Template
from cimis.pipeline.decode.front import Fixed, header_pairs
from cimis.pipeline.decode.records import Place, RecordReader, parse_day
from cimis.pipeline.errors import DecodeError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import is_hour

__all__ = ["HeaderReader", "Marks", "Positions"]

Positions = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]

_NO_DAY = -(1 << 31)
_FIRST = np.zeros(1, np.int64)
_LONGEST_TAIL = 1024
_MOST_NEW = 64


class HeaderReader:
    """Reads headers by a template.

    Parameters
    ----------
    template : Template
    reader : RecordReader
        The general path, asked about headers not met before.
    """

    def __init__(self, template: Template, reader: RecordReader) -> None:
        self.template = template
        self._reader = reader
        self._keys = (*template.header_keys, template.names[0])
        self._hourly = reader.scope is Scope.HOURLY

    def read(
        self, data: bytes, starts: Positions, values_at: Positions, fine: Marks
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8] | None, npt.NDArray[np.integer]]:
        """Return day, hour and station (or target) of each record.

        Parameters
        ----------
        data : bytes
        starts, values_at : (R,) int64
            Where records begin, and their first values.
        fine : (R,) bool
            Made False for records that are not as the template says.
        """
        front = self.template.front
        size = len(front.head.text)
        head = gather(data, starts, size + 4)
        _compare(head, front.head, fine)
        days, digits = _days(head, front.date, size + 4 if front.julian else front.date + 10, fine)
        behind = starts + digits
        behind += size
        parts = [head, head]
        if front.rest.text:
            parts[1] = gather(data, behind, len(front.rest.text))
            _compare(parts[1], front.rest, fine)
            behind += len(front.rest.text)
        hours = None
        if self._hourly and front.hour is not None:
            part, offset = front.hour
            hours = _hours(parts[part][:, offset : offset + 4], fine)
        elif self._hourly or front.hour is not None:
            fine[:] = False
            hours = np.zeros(len(starts), np.uint8) if self._hourly else None
        return days, hours, self._wheres(data, starts, behind, values_at, fine)

    def _wheres(
        self, data: bytes, records: Positions, starts: Positions, stops: Positions, fine: Marks
    ) -> npt.NDArray[np.integer]:
        """Look up the header tails: once per run of equal ones, or each where lengths differ."""
        sizes = stops - starts
        size = int(sizes[0])
        if 0 < size < _LONGEST_TAIL and bool((sizes == size).all()):
            text = gather(data, starts, size)[:, :size]
            turns = _FIRST
            if not bool((text == text[0]).all()):
                turns = np.flatnonzero((text[1:] != text[:-1]).any(axis=1)) + 1
                turns = np.concatenate((_FIRST, turns))
        else:
            turns = np.arange(len(starts))
        tails = self.template.tails
        found = [
            tails.get(data[start:stop], -1)
            for start, stop in zip(starts[turns].tolist(), stops[turns].tolist(), strict=True)
        ]
        if min(found) < 0:
            news = [i for i, where in enumerate(found) if where < 0 and fine[turns[i]]]
            for i in news[:_MOST_NEW]:
                row = turns[i]
                found[i] = self._ask(data, records[row], starts[row], stops[row])
        if len(found) == 1 and found[0] >= 0:
            return np.full(len(starts), found[0], self._reader.where_type)
        each = np.repeat(np.array(found), np.diff(turns, append=len(starts)))
        if min(found) < 0:
            fine &= each >= 0
        return each.astype(self._reader.where_type)

    def _ask(self, data: bytes, record: int, start: int, stop: int) -> int:
        """Return the station or target of a header not met before, -1 where it is not right."""
        tail = data[start:stop]
        if tail in self.template.tails:
            return self.template.tails[tail]
        if not tail.startswith(b'"'):
            return -1  # the last slot's text goes on
        try:
            pairs, first = header_pairs(data[record:stop])
            facts = dict(pairs)
            if (*(key for key, _ in pairs), first) != self._keys:
                return -1
            place = Place(0, 0)
            where = self._reader.where(facts, place)
            self._reader.check_kind(facts, place)
        except (ValueError, RecursionError, DecodeError):
            return -1
        self.template.add_tail(tail, where)
        return where


def gather(data: bytes, positions: Positions, size: int) -> npt.NDArray[np.uint8]:
    """Return (n, m) bytes from each position on; m is the size rounded up to eight."""
    size = -(-size // 8) * 8
    views = np.ndarray((len(data) - size + 1,), f"V{size}", data, 0, (1,))
    return views[positions].view(np.uint8).reshape(len(positions), size)


def _compare(text: npt.NDArray[np.uint8], due: Fixed, fine: Marks) -> None:
    """Spoil the rows whose text is not what is due."""
    count = len(due.words)
    words = text.view(np.uint64)[:, :count]
    wrong = (words ^ due.words) & due.mask
    if wrong.any():
        fine &= ~wrong.any(axis=1)


def _hours(text: npt.NDArray[np.uint8], fine: Marks) -> npt.NDArray[np.uint8]:
    """Return the hour of each ``HH00``; spoils rows with anything else."""
    digits = text - np.uint8(48)
    hours = digits[:, 0] * np.uint8(10) + digits[:, 1]
    right = (digits[:, :2] <= 9).all(axis=1) & (digits[:, 2:] == 0).all(axis=1)
    fine &= right & is_hour(hours)
    return hours


def _days(
    head: npt.NDArray[np.uint8], start: int, stop: int, fine: Marks
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the day of each record and how many digits its day of year has.

    `start` and `stop` bound the bytes from the date to the day of year; they are looked up once per
    run of equal ones.
    """
    words = head.view(np.uint64)
    turns = np.flatnonzero((words[1:] != words[:-1]).any(axis=1))
    turns += 1
    turns = np.concatenate((_FIRST, turns))
    text = np.ascontiguousarray(head[turns, start:stop]).view(f"S{stop - start}")
    found = np.array([_day_and_digits(name) for name in text[:, 0].tolist()], np.int32)
    if len(turns) < len(head):
        found = np.repeat(found, np.diff(turns, append=len(head)))
    if int(found.min()) == _NO_DAY:
        fine &= found != _NO_DAY
    return found >> 2, found & 3


@lru_cache(maxsize=16_384)
def _day_and_digits(text: bytes) -> int:
    """Return 4 × the day since 1970 + the digits of the day of year, or `_NO_DAY`.

    The text begins with the date and ends with four bytes from the day of year on, or is a date
    alone. The same texts come with every station.
    """
    digits = 0
    if len(text) > 10:
        julian, quote, _ = text[-4:].partition(b'"')
        digits = len(julian)
        if not (quote and julian.isdigit()):
            return _NO_DAY
    try:
        return 4 * parse_day(text[:10].decode("ascii")) + digits
    except ValueError:
        return _NO_DAY
