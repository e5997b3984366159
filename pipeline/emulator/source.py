"""What the emulator serves: stations as the API lists them, their records as its texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cimis.pipeline.field.items import Item, Scope, Standard

__all__ = ["ItemTexts", "RecordSet", "Source", "render"]


@dataclass(frozen=True, slots=True)
class ItemTexts:
    """One item's texts, one per record: values (None = missing), flags (blank = passed), the unit.

    A value of ``ABSENT`` means that the record has no such key.
    """

    values: Sequence[str | None]
    flags: Sequence[str]
    unit: str


ABSENT = "\0"


@dataclass(frozen=True, slots=True)
class SpatialPlace:
    """A place of the spatial network, and by which text it was asked for."""

    latitude: float
    longitude: float
    zip_codes: str = ""
    coordinate: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class RecordSet:
    """One station's records of a window, in time order: dates (ISO), hours ("0100" to "2400").

    Those of a place of the spatial network name it instead of the station.
    """

    station: int
    standard: Standard
    scope: Scope
    zip_codes: str
    dates: Sequence[str]
    hours: Sequence[str] = ()
    items: Mapping[str, ItemTexts] = field(default_factory=dict)
    place: SpatialPlace | None = None


class SpatialSource(Protocol):
    """A spatial network; every look-up gives None for what it does not know."""

    def zip_codes(self) -> Sequence[str]: ...  # the names say it
    def at_zip(self, code: str) -> SpatialPlace | None: ...
    def at_point(self, latitude: float, longitude: float, text: str) -> SpatialPlace | None: ...
    def at_address(self, name: str, address: str) -> SpatialPlace | None: ...
    def records(
        self,
        place: SpatialPlace,
        start: dt.date,
        end: dt.date,
        items: Sequence[Item],
        standard: Standard,
    ) -> RecordSet: ...


class Source(Protocol):
    """Where the emulator's answers come from."""

    def spatial(self) -> SpatialSource | None:
        """Return the spatial network, None where there is none."""
        ...

    def stations(self) -> Sequence[Mapping[str, object]]:
        """Return every station with the fields that the API's list has."""
        ...

    def records(
        self,
        station: int,
        scope: Scope,
        start: dt.date,
        end: dt.date,
        items: Sequence[Item],
        standard: Standard,
    ) -> RecordSet:
        """Return a known station's records of the days from ``start`` to ``end``, both included."""
        ...


def _escaped(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def _fragments(key: str, texts: ItemTexts) -> list[str]:
    """Return one JSON member per record behind its comma; empty where the record has no key."""
    start = f',"{key}":{{"Value":'
    unit = f',"Unit":{_escaped(texts.unit)}}}'
    rest = {flag: f',"Qc":{_escaped(flag)}{unit}' for flag in set(texts.flags)}
    return [
        ""
        if value == ABSENT
        else f"{start}null{rest[flag]}"
        if value is None
        else f'{start}"{value}"{rest[flag]}'
        for value, flag in zip(texts.values, texts.flags, strict=True)
    ]


def render(records: RecordSet) -> Iterator[bytes]:
    """Yield a station's records as the API writes them, in pieces, commas between records."""
    if not records.dates:
        return
    julian = {d: dt.date.fromisoformat(d).timetuple().tm_yday for d in set(records.dates)}
    who, place = f'"Station":"{records.station}",', ""
    if records.place is not None:
        who = ""
        place = (
            f'"Coordinate":{_escaped(records.place.coordinate)},'
            f'"Address":{_escaped(records.place.address)},'
        )
    middle = (
        f'{who}"Standard":"{records.standard}","ZipCodes":{_escaped(records.zip_codes)},'
        f'{place}"Scope":"{records.scope}"'
    )
    heads = [f'{{"Date":"{date}","Julian":"{julian[date]}",' for date in records.dates]
    if records.scope is Scope.HOURLY:
        heads = [f'{h}"Hour":"{hour}",' for h, hour in zip(heads, records.hours, strict=True)]
    columns = [_fragments(key, texts) for key, texts in records.items.items()]
    step = 512
    for begin in range(0, len(heads), step):
        rows = zip(*(c[begin : begin + step] for c in (heads, *columns)), strict=True)
        lines = [f"{row[0]}{middle}{''.join(row[1:])}}}" for row in rows]
        piece = ",".join(lines)
        yield (piece if begin == 0 else "," + piece).encode()
