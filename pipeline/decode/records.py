"""The general path: one parsed JSON record after the other, every fact of it checked."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from cimis.pipeline.decode.columns import Block, Cell, block_of
from cimis.pipeline.decode.findings import Findings
from cimis.pipeline.decode.front import HEADER_KEYS
from cimis.pipeline.decode.numbers import JsonNumber, parse_value
from cimis.pipeline.errors import DecodeError
from cimis.pipeline.field.items import Item, Scope, scope_items
from cimis.pipeline.field.site import LARGEST_STATION
from cimis.pipeline.field.time import day_number, is_hour
from cimis.pipeline.rows.numbers import INT64_MAX

__all__ = ["KeyKind", "Place", "RecordReader", "parse_day"]

KeyKind = Literal["station", "target"]
"""What a row is keyed by, beside its time."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_HOUR = re.compile(r"([0-9]{1,2})00", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,5}", re.ASCII)
_MAX_MEMO = 16_384
_SAFE = 10**9  # fits int64 at any item's decimals, so its range need not be checked again
_TARGETS = ("Address", "Coordinate", "ZipCodes")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: its number from 0 and its byte offset."""

    record: int
    offset: int


def parse_day(text: str) -> int:
    """Return days since 1970 of a ``YYYY-MM-DD`` text.

    Raises
    ------
    ValueError
        For any other form, and for days that do not exist.
    """
    if _DATE.fullmatch(text) is None:
        raise ValueError(text)
    return day_number(dt.date.fromisoformat(text))


@lru_cache(maxsize=64)
def _keys(scope: Scope, items: frozenset[Item] | None) -> tuple[dict[str, Item], frozenset[str]]:
    """Return the items to read by JSON key, in registry order, and the API's other keys."""
    known = {item.json_key: item for item in scope_items(scope)}
    wanted = {key: item for key, item in known.items() if items is None or item in items}
    return wanted, frozenset((known.keys() | HEADER_KEYS) - wanted.keys())


class RecordReader:
    """Turns parsed records into a :class:`Block`.

    Parameters
    ----------
    scope : Scope
    items : tuple of Item or None
        Items to read; None reads all of the scope.
    key : {"station", "target"}
    findings : Findings
        Shared by all windows of the body.

    Attributes
    ----------
    wanted : dict of str to Item
        Items to read, by JSON key.
    quiet : frozenset of str
        Keys that are the API's but are not read.
    """

    def __init__(
        self, scope: Scope, items: tuple[Item, ...] | None, key: KeyKind, findings: Findings
    ) -> None:
        self.scope = scope
        self.key = key
        self.findings = findings
        self.where_type: type[np.integer] = np.uint16 if key == "station" else np.int32
        self.wanted, self.quiet = _keys(scope, None if items is None else frozenset(items))
        self._numbers: dict[str | None, tuple[int, int]] = {None: (0, -1)}

    def read(self, records: Sequence[Any], places: Sequence[Place]) -> list[Block]:
        """Return the rows of parsed records: one block, or one each where no scale fits all.

        Raises
        ------
        DecodeError
            Naming the record, and where they are known its station, date, key and text.
        """
        where: list[int] = []
        days: list[int] = []
        hours: list[int] = []
        rows: list[dict[str, Cell]] = []
        for record, place in zip(records, places, strict=True):
            if type(record) is not dict:
                raise self._fault("a record is not an object", {}, place, text=record)
            where.append(self.where(record, place))
            days.append(self._day(record, place))
            hours.append(self._hour(record, place))
            self.check_kind(record, place)
            rows.append(self._cells(record, place))
        try:
            return [self._block(where, days, hours, rows)]
        except OverflowError:
            each = range(len(rows))
            return [
                self._block(where[i:][:1], days[i:][:1], hours[i:][:1], [rows[i]]) for i in each
            ]

    def where(self, record: Mapping[str, Any], place: Place) -> int:
        """Return a record's station number, or the code of its target."""
        station: Any = record.get("Station")
        if self.key == "target":
            if station is not None:
                raise self._fault(
                    "a record of a station where a target was due",
                    record,
                    place,
                    key="Station",
                    hint="decode it with key='station'",
                )
            return self._target(record, place)
        if type(station) in (str, JsonNumber) and _NUMBER.fullmatch(station.strip(" ")):
            number = int(station)
            if number <= LARGEST_STATION:
                return number
        spatial = station is None and any(record.get(name) for name in _TARGETS)
        hint = "spatial records have no station: decode them with key='target'" if spatial else None
        raise self._fault(
            "a record without a station number", record, place, "Station", station, hint
        )

    def _target(self, record: Mapping[str, Any], place: Place) -> int:
        for name in _TARGETS:
            value = record.get(name)
            if type(value) is list and all(isinstance(part, str) for part in value):
                value = ", ".join(value)
            if isinstance(value, str) and value.strip():
                try:
                    return self.findings.target_code(value.strip())
                except ValueError as error:
                    raise self._fault(_reason(error), record, place, name, value) from error
        raise self._fault("a record without address, coordinate or zip code", record, place)

    def _day(self, record: Mapping[str, Any], place: Place) -> int:
        text = record.get("Date")
        try:
            return parse_day(text if type(text) is str else "")
        except ValueError:
            reason = "not a date of the form YYYY-MM-DD"
            raise self._fault(reason, record, place, "Date", text) from None

    def _hour(self, record: Mapping[str, Any], place: Place) -> int:
        text = record.get("Hour")
        if self.scope is Scope.DAILY:
            if text not in (None, ""):
                raise self._fault(
                    "an hour in a daily record", record, place, "Hour", text, _OTHER_SCOPE
                )
            return 0
        found = _HOUR.fullmatch(text) if isinstance(text, str) else None
        if found is None or not is_hour(int(found[1])):
            raise self._fault("not an hour from 0100 to 2400", record, place, "Hour", text)
        return int(found[1])

    def check_kind(self, record: Mapping[str, Any], place: Place) -> None:
        """Check that a record is of the asked units and scope."""
        standard = record.get("Standard")
        asked = self.findings.standard
        if type(standard) is not str or standard.strip().lower() != asked:
            hint = f"ask for the other units, or decode with standard='{str(standard).lower()}'"
            hint = hint if type(standard) is str else ""
            raise self._fault(
                f"not in {asked} units", record, place, "Standard", standard, hint or None
            )
        scope = record.get("Scope")
        if scope is not None and (type(scope) is not str or scope.strip().lower() != self.scope):
            reason = f"a record that is not {self.scope}"
            raise self._fault(reason, record, place, "Scope", scope, _OTHER_SCOPE)

    def _cells(self, record: Mapping[str, Any], place: Place) -> dict[str, Cell]:
        cells: dict[str, Cell] = {}
        wanted, numbers = self.wanted, self._numbers
        codes, agreed = self.findings.flag_codes, self.findings.agreed
        for key, content in record.items():
            item = wanted.get(key)
            if item is None:
                if key not in self.quiet:
                    self.findings.count_unknown(key)
                continue
            try:  # the usual: texts all met before
                number, places = numbers[content["Value"]]
                code = codes[content["Qc"]]
                usual = (key, content["Unit"]) in agreed and len(content) == 3
            except (KeyError, TypeError, IndexError):
                usual = False
            if usual:
                cells[key] = number, places, code
            else:
                cells[key] = self._cell(key, item, content, record, place)
        return cells

    def _cell(
        self, key: str, item: Item, content: Any, record: Mapping[str, Any], place: Place
    ) -> Cell:
        if content is None:
            return 0, -1, 0
        if type(content) is not dict or "Value" not in content:
            raise self._fault(
                "an item that is not an object with a Value", record, place, key, content
            )
        value, flag, unit = content["Value"], content.get("Qc"), content.get("Unit")
        text: Any = value
        try:
            if value is not None and not isinstance(value, str):
                raise ValueError("a Value that is neither text nor number")
            found = None if value is None else parse_value(value)
            if found is not None:
                self._check_range(found, item)
            text = flag
            if flag is not None and type(flag) is not str:
                raise ValueError("a Qc that is not text")
            code = self.findings.flag_code(flag)
            text = unit
            if unit is not None:
                if type(unit) is not str:
                    raise ValueError("a Unit that is not text")
                self.findings.check_unit(item, key, unit)
        except ValueError as error:
            raise self._fault(_reason(error), record, place, key, text) from error
        if len(content) > 3 or (len(content) == 3 and not ("Qc" in content and "Unit" in content)):
            for name in content.keys() - {"Value", "Qc", "Unit"}:
                self.findings.count_unknown(f"{key}.{name}")
        if found is None:
            found = 0, -1
        elif abs(found[0]) < _SAFE and len(self._numbers) < _MAX_MEMO:
            self._numbers[value] = found
        return *found, code

    def _check_range(self, found: tuple[int, int], item: Item) -> None:
        """Check that a number fits int64 at its item's decimals."""
        places = item.decimals(self.findings.standard) - found[1]
        if places > 0 and abs(found[0]) * 10**places > INT64_MAX:
            raise ValueError("a number too large for 64 bits")

    def _block(
        self, where: list[int], days: list[int], hours: list[int], rows: list[dict[str, Cell]]
    ) -> Block:
        return block_of(
            self.wanted,
            self.findings.standard,
            np.array(where, self.where_type),
            np.array(days, np.int32),
            np.array(hours, np.uint8) if self.scope is Scope.HOURLY else None,
            rows,
        )

    def _fault(
        self,
        reason: str,
        record: Mapping[str, Any],
        place: Place,
        key: str | None = None,
        text: Any = None,
        hint: str | None = None,
    ) -> DecodeError:
        station, date = record.get("Station"), record.get("Date")
        return DecodeError(
            reason,
            offset=place.offset,
            record=place.record,
            station=str(station)[:20] if isinstance(station, str) else None,
            date=str(date)[:20] if isinstance(date, str) else None,
            key=key,
            text=None if text is None else str(text)[:40],
            hint=hint,
        )


_OTHER_SCOPE = "decode it with the other scope"


def _reason(error: ValueError) -> str:
    return "bad Unicode" if isinstance(error, UnicodeError) else str(error)
