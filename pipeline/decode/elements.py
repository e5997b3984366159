"""The elements of one ``Records`` array, parsed strictly from a window of bytes."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NoReturn

from cimis.pipeline.decode.numbers import JsonNumber
from cimis.pipeline.decode.records import Place
from cimis.pipeline.errors import DecodeError

__all__ = ["MAX_RECORD", "Elements", "Parsed", "Step", "keys_of", "no_constant"]

MAX_RECORD = 64 * 1024
"""Longest record, and longest token around the records, in bytes."""

_CHUNK = 16 * 1024
_BLANK = re.compile(rb"[ \t\r\n]*+")
_COMMA = re.compile(r"[ \t\r\n]*+,[ \t\r\n]*+")


class Step(Enum):
    """What comes next in the array."""

    VALUE = auto()
    ENDED = auto()
    MORE = auto()


@dataclass(slots=True)
class Parsed:
    """Records parsed in one go, where they stand, and the position behind them.

    ``stopped`` tells that the bytes end inside a record.
    """

    end: int
    records: list[Any] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    stopped: bool = False


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python's parser takes."""
    raise ValueError(f"{name} is not JSON")


def keys_of(record: dict[str, Any]) -> int:
    """Return how many keys a record and its items have together."""
    return len(record) + sum([len(part) for part in record.values() if type(part) is dict])


class _Twice(ValueError):
    """A key that stands twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1)[:60])
    return found


def _scanner(**hooks: Any) -> Any:
    return json.JSONDecoder(  # type: ignore[attr-defined]  # missing from the stubs
        parse_float=JsonNumber, parse_int=JsonNumber, parse_constant=no_constant, **hooks
    ).scan_once


_scan = _scanner()
_scan_slowly = _scanner(object_pairs_hook=_unique)


class Elements:
    """The state of one array: what is due, and how many records were met in the body.

    Attributes
    ----------
    count : int
        Records of the body so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._due = "first"

    def opened(self) -> None:
        """Begin an array."""
        self._due = "first"

    @property
    def value_due(self) -> bool:
        """Whether a value must or may come next, rather than a comma."""
        return self._due != "after"

    def skip(self, records: int, *, last: bool) -> None:
        """Say that records were read elsewhere, with the comma behind them unless the last was."""
        self.count += records
        self._due = "after" if last else "value"

    def look(self, data: bytes, position: int) -> tuple[dict[str, Any], int] | None:
        """Return the record at a position and the position behind it, taking nothing.

        None where no whole record stands in the next bytes.
        """
        text, _ = _decoded(data[position : position + _CHUNK])
        try:
            record, end = _scan(text, 0)
        except (ValueError, StopIteration, RecursionError):
            return None
        return (record, position + len(text[:end].encode())) if type(record) is dict else None

    def step(self, data: bytes, position: int, base: int) -> tuple[int, Step]:
        """Go over blanks and commas to the next value or the end of the array."""
        while True:
            position = _BLANK.match(data, position).end()  # type: ignore[union-attr]  # matches ""
            if position >= len(data):
                return position, Step.MORE
            mark = data[position]
            if mark == 0x5D and self._due != "value":
                return position + 1, Step.ENDED
            if self._due != "after":
                return position, Step.VALUE
            if mark != 0x2C:
                raise DecodeError(
                    "not JSON: a comma or the end of the records was due",
                    offset=base + position,
                    record=self.count,
                    text=data[position : position + 20].decode("utf-8", "replace"),
                )
            position += 1
            self._due = "value"

    def parse(
        self, data: bytes, position: int, base: int, limit: int | None = None, *, final: bool
    ) -> Parsed:
        """Parse the records, `limit` at most, that begin at a position and are whole soon after.

        Raises
        ------
        DecodeError
            When a record is not JSON, or longer than `MAX_RECORD`.
        """
        size = _CHUNK
        while True:
            chunk = data[position : position + size]
            whole = position + size >= len(data)
            text, fault = _decoded(chunk)
            parsed, failure = self._parse_text(text, position, base, limit)
            if parsed.records:
                return parsed
            if whole or fault is not None:
                break
            size *= 4
        if not final and len(data) - position < MAX_RECORD and not _certain(fault, chunk):
            parsed.stopped = True
            return parsed
        raise self._error(chunk, text, base + position, failure, fault)

    def _parse_text(
        self, text: str, position: int, base: int, limit: int | None
    ) -> tuple[Parsed, Exception | None]:
        parsed = Parsed(position)
        ascii_only = text.isascii()
        at = 0
        failure: Exception | None = None
        while True:
            try:
                record, end = _scan(text, at)
                if type(record) is dict and keys_of(record) != text.count(":", at, end):
                    _scan_slowly(text, at)  # a key may stand twice, of which the scan kept one
            except (ValueError, StopIteration, RecursionError) as error:
                failure = error
                break
            parsed.places.append(Place(self.count, base + parsed.end))
            parsed.records.append(record)
            self.count += 1
            comma = _COMMA.match(text, end)
            after = end if comma is None else comma.end()
            parsed.end += after - at if ascii_only else len(text[at:after].encode())
            at = after
            self._due = "after" if comma is None else "value"
            if comma is None or len(parsed.records) == limit:
                break
        return parsed, failure

    def _error(
        self,
        chunk: bytes,
        text: str,
        offset: int,
        failure: Exception | None,
        fault: UnicodeDecodeError | None,
    ) -> DecodeError:
        """Return the error for a record that cannot be parsed."""
        if fault is not None:
            return DecodeError("bad UTF-8", offset=offset + fault.start, record=self.count)
        if isinstance(failure, _Twice):
            return DecodeError(
                "a key stands twice in a record",
                offset=offset,
                record=self.count,
                key=str(failure),
            )
        if isinstance(failure, RecursionError):
            return DecodeError("nested too deep", offset=offset, record=self.count)
        if isinstance(failure, json.JSONDecodeError):
            start = failure.pos
            reason = failure.msg[0].lower() + failure.msg[1:]
        elif isinstance(failure, StopIteration):
            start, reason = int(failure.value), "a value was due"
        else:
            start, reason = 0, str(failure)
        # a string without its end runs to the end of what came
        if start >= len(text.rstrip()) or reason.startswith("unterminated string"):
            return DecodeError(
                "the body is cut short inside a record",
                offset=offset + len(chunk),
                record=self.count,
            )
        return DecodeError(
            f"not JSON: {reason}",
            offset=offset + len(text[:start].encode()),
            record=self.count,
            text=text[start : start + 20],
        )


def _decoded(chunk: bytes) -> tuple[str, UnicodeDecodeError | None]:
    """Return the text of bytes up to a damage or a character that is cut, and the damage."""
    try:
        return codecs.utf_8_decode(chunk, "strict", False)[0], None
    except UnicodeDecodeError as error:
        return chunk[: error.start].decode(), error


def _certain(fault: UnicodeDecodeError | None, chunk: bytes) -> bool:
    """Whether more bytes cannot heal a fault: a cut character at the very end is no fault."""
    return fault is not None and fault.start < len(chunk)
