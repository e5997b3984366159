"""Bodies to decode: made record by record, or generated like the service's."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from cimis.pipeline.decode import StreamDecoder, unify
from cimis.pipeline.field.items import Item, Scope, Standard, scope_items


def record(**changes: Any) -> dict[str, Any]:
    """Return a daily record with changes; a change to ``...`` takes the key out."""
    made: dict[str, Any] = {
        "Date": "2024-02-28",
        "Julian": "59",
        "Station": "2",
        "Standard": "metric",
        "ZipCodes": "93624, 93625",
        "Scope": "daily",
        "DayAirTmpAvg": {"Value": "12.4", "Qc": " ", "Unit": "(C)"},
        "DayPrecip": {"Value": "0.25", "Qc": "R", "Unit": "(mm)"},
    }
    made.update(changes)
    return {key: value for key, value in made.items() if value is not ...}


def hourly(hour: str | None, **changes: Any) -> dict[str, Any]:
    """Return an hourly record."""
    item = {"Value": "-0.4", "Qc": " ", "Unit": "(C)"}
    made = record(Hour=hour, Scope="hourly", DayAirTmpAvg=..., DayPrecip=..., HlyAirTmp=item)
    made.update(changes)
    return {key: value for key, value in made.items() if value is not ...}


def item(value: Any, qc: Any = " ", unit: Any = "(C)") -> dict[str, Any]:
    """Return an item's object."""
    return {"Value": value, "Qc": qc, "Unit": unit}


def envelope(*providers: Iterable[Any], **extra: Any) -> dict[str, Any]:
    """Return a body of one provider per list of records."""
    return {
        "Data": {
            "Providers": [
                {"Name": "cimis", "Type": "station", "Owner": "water.ca.gov", "Records": list(r)}
                for r in providers
            ]
        },
        **extra,
    }


def text(value: Any, **style: Any) -> bytes:
    """Return JSON, compact unless a style is given."""
    style = style or {"separators": (",", ":")}
    return json.dumps(value, ensure_ascii=False, **style).encode()


def body(*records: Any, **style: Any) -> bytes:
    """Return the JSON of a body with these records."""
    return text(envelope(records), **style)


def table(data: bytes, scope: Scope | str = "daily", size: int = 65536, **options: Any) -> pa.Table:
    """Decode a body in pieces of a size to one table."""
    return unify(batches(data, scope, size, **options))


def batches(
    data: bytes, scope: Scope | str = "daily", size: int = 65536, **options: Any
) -> list[pa.RecordBatch]:
    """Decode a body in pieces of a size."""
    decoder = StreamDecoder(scope, **options)
    found = [b for i in range(0, len(data), size) for b in decoder.feed(data[i : i + size])]
    return found + decoder.finish()


def generated(
    scope: Scope,
    count: int,
    *,
    items: Sequence[Item] | None = None,
    stations: Sequence[int] = (2,),
    standard: Standard = Standard.METRIC,
    seed: int = 1,
) -> list[dict[str, Any]]:
    """Return records like the service's: trimmed decimals, a few nulls and flags."""
    rng = random.Random(seed)
    made = []
    per_day = 24 if scope is Scope.HOURLY else 1
    zips = {s: ", ".join(str(93000 + (s * 37 + k) % 3000) for k in range(s % 5)) for s in stations}
    for number in range(count):
        station = stations[number * len(stations) // count]
        day = dt.date(2015, 1, 1) + dt.timedelta(days=number // per_day)
        header: dict[str, Any] = {
            "Date": day.isoformat(),
            "Julian": str(day.timetuple().tm_yday),
            "Hour": f"{number % 24 + 1:02}00",
            "Station": str(station),
            "Standard": str(standard),
            "ZipCodes": zips[station],
            "Scope": str(scope),
        }
        if scope is Scope.DAILY:
            del header["Hour"]
        for one in items or scope_items(scope):
            header[one.json_key] = _item(one, rng, standard)
        made.append(header)
    return made


def _item(one: Item, rng: random.Random, standard: Standard) -> dict[str, Any]:
    places = one.decimals(standard)
    low, high = one.plausible_min, min(one.plausible_max, 900.0)
    value: str | None = f"{rng.uniform(low, high):.{places}f}"
    if places and value is not None and rng.random() < 0.9:
        value = value.rstrip("0").rstrip(".")
    flag = " "
    if rng.random() < 0.05:
        flag = rng.choice("RYSHMINQ")
        value = None if flag in "MN" else value
    return {"Value": value, "Qc": flag, "Unit": one.unit(standard)}
