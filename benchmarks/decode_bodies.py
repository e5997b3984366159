"""Bodies like the service's for the decode benchmark: values that vary as weather does."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
from collections.abc import Iterator

from cimis.pipeline.field.items import Item, Scope, default_items, scope_items

__all__ = ["body", "daily_items", "endless", "hourly_items"]

_HEAD = '{"Data":{"Providers":[{"Name":"cimis","Type":"station","Owner":"water.ca.gov","Records":['
_TAIL = "]}]}}"


def daily_items() -> tuple[Item, ...]:
    """Return 25 daily items: all but the four least common."""
    rare = {"day-eto", "day-vap-pres-min", "day-wind-sse", "day-soil-tmp-min"}
    return tuple(item for item in scope_items(Scope.DAILY) if item.code not in rare)


def hourly_items() -> tuple[Item, ...]:
    """Return the 13 hourly items of the default set."""
    return default_items(Scope.HOURLY)


def _value(item: Item, phase: float, rng: random.Random) -> str:
    low, high = item.plausible_min, min(item.plausible_max, 420.0)
    middle, span = 0.5 * (low + high), 0.25 * (high - low)
    number = middle + span * math.sin(phase) + rng.gauss(0.0, 0.1) * span
    if "precip" in item.code:
        number = max(0.0, rng.gauss(-20.0, 15.0))
    text = f"{number:.{item.decimals_metric}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _record(
    station: int, day: dt.date, hour: int | None, items: tuple[Item, ...], rng: random.Random
) -> str:
    record: dict[str, object] = {"Date": day.isoformat(), "Julian": str(day.timetuple().tm_yday)}
    if hour is not None:
        record["Hour"] = f"{hour:02}00"
    record["Station"] = str(station)
    record["Standard"] = "metric"
    record["ZipCodes"] = "93624, 93625, 93640, 93652"
    record["Scope"] = "daily" if hour is None else "hourly"
    phase = day.toordinal() / 58.0 + (hour or 0) / 3.8
    for item in items:
        value: str | None = _value(item, phase, rng)
        flag = " "
        if rng.random() < 0.03:
            flag = rng.choice("RYRYHMS")
            value = None if flag in "MS" else value
        record[item.json_key] = {"Value": value, "Qc": flag, "Unit": item.unit_metric}
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def records(scope: Scope, items: tuple[Item, ...], stations: range) -> list[str]:
    """Return a leap year's records of some stations as JSON texts."""
    rng = random.Random(7)
    hours = [None] if scope is Scope.DAILY else list(range(1, 25))
    first = dt.date(2024, 1, 1)
    return [
        _record(station, first + dt.timedelta(days=day), hour, items, rng)
        for station in stations
        for day in range(366)
        for hour in hours
    ]


def body(scope: Scope, items: tuple[Item, ...], stations: range = range(2, 3)) -> bytes:
    """Return a leap year of some stations as the service sends it."""
    return (_HEAD + ",".join(records(scope, items, stations)) + _TAIL).encode()


def endless(size: int, items: tuple[Item, ...], piece: int = 65536) -> Iterator[bytes]:
    """Give a daily body of about `size` bytes in pieces without holding it: stations repeat."""
    years = [",".join(records(Scope.DAILY, items, range(n, n + 1))).encode() for n in range(2, 6)]
    held, given, turn = _HEAD.encode(), 0, 0
    while given < size:
        held += (b"," if given else b"") + years[turn % len(years)]
        given += len(years[turn % len(years)])
        turn += 1
        while len(held) >= piece:
            yield held[:piece]
            held = held[piece:]
    yield held + _TAIL.encode()
