"""The network's web report: a CSV with a header, flags in columns named ``qc``, padded with blanks.

The header's names tell scope and units. ``ETo`` is the network's own equation, as in the archive.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from cimis.pipeline.archive.columns import (
    ArchiveColumn,
    archive_table,
    dates_of,
    flags_of,
    hours_of,
    numbers_of,
)
from cimis.pipeline.archive.texts import cells_of
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope, Standard, by_code
from cimis.pipeline.field.site import LARGEST_STATION

__all__ = ["is_web_report", "read_web_report"]

_HOURLY = {
    "ETo": "hly-eto",
    "Precip": "hly-precip",
    "Sol Rad": "hly-sol-rad",
    "Net Rad": "hly-net-rad",
    "Vap Pres": "hly-vap-pres",
    "Air Temp": "hly-air-tmp",
    "Rel Hum": "hly-rel-hum",
    "Dew Point": "hly-dew-pnt",
    "Wind Speed": "hly-wind-spd",
    "Wind Dir": "hly-wind-dir",
    "Soil Temp": "hly-soil-tmp",
}
_DAILY = {
    "ETo": "day-eto",
    "Precip": "day-precip",
    "Sol Rad": "day-sol-rad-avg",
    "Avg Vap Pres": "day-vap-pres-avg",
    "Max Air Temp": "day-air-tmp-max",
    "Min Air Temp": "day-air-tmp-min",
    "Avg Air Temp": "day-air-tmp-avg",
    "Max Rel Hum": "day-rel-hum-max",
    "Min Rel Hum": "day-rel-hum-min",
    "Avg Rel Hum": "day-rel-hum-avg",
    "Dew Point": "day-dew-pnt",
    "Avg Wind Speed": "day-wind-spd-avg",
    "Wind Run": "day-wind-run",
    "Avg Soil Temp": "day-soil-tmp-avg",
}
_METRIC_UNITS = ("(mm)", "(C)", "(kPa)", "(m/s)")
_ENGLISH_UNITS = ("(in)", "(F)", "(mBars)", "(mph)", "(MPH)", "(Ly/day)", "(miles)")
_START = b"Stn Id,"


def is_web_report(path: Path) -> bool:
    """Tell whether a file begins as a web report does."""
    with path.open("rb") as file:
        return file.read(len(_START) + 3).lstrip(b"\xef\xbb\xbf").startswith(_START)


def read_web_report(path: Path) -> pa.Table:
    """Return a web report's rows, scaled and metric, in the file's order.

    Raises
    ------
    UsageError
        When the file is of another source; the message names the file and what was met.
    """
    try:
        data = path.read_bytes().lstrip(b"\xef\xbb\xbf").rstrip(b" \t\r\n")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="check the path") from None
    header, _, body = data.partition(b"\n")
    names = [name.strip() for name in header.decode("latin1").split(",")]
    if names[:2] != ["Stn Id", "Stn Name"] or "Date" not in names or not body:
        raise UsageError(
            f"{path} is no web report of the network: it begins with {names[:3]}",
            hint="web reports begin with 'Stn Id,Stn Name'",
        )
    texts = _texts(body, len(names), path)
    hourly = any(name.startswith("Hour") for name in names)
    scope = Scope.HOURLY if hourly else Scope.DAILY
    keys = _keys(texts, names, scope, path)
    found = _columns(texts, names, _HOURLY if hourly else _DAILY, path)
    return archive_table(scope, keys, found, _standard(names, path))


def _standard(names: list[str], path: Path) -> Standard:
    english = [name for name in names if name.endswith(_ENGLISH_UNITS)]
    metric = [name for name in names if name.endswith(_METRIC_UNITS)]
    if english and metric:
        raise UsageError(
            f"{path}: '{english[0]}' is English and '{metric[0]}' metric",
            hint="a web report has one system of units",
        )
    return Standard.ENGLISH if english else Standard.METRIC


def _texts(body: bytes, width: int, path: Path) -> list[pa.Array]:
    try:
        return cells_of(body, width)
    except pa.ArrowInvalid as error:
        raise UsageError(f"{path}: {error}", hint="is the file whole?") from None


def _keys(
    texts: list[pa.Array], names: list[str], scope: Scope, path: Path
) -> tuple[pa.Array, ...]:
    numbers, missing, _ = numbers_of(texts[0], f"{path}, Stn Id")
    if bool(missing.any()):
        raise UsageError(f"{path}: a row has no station", hint="is the file whole?")
    wrong = (numbers % 1000 != 0) | (numbers < 1000) | (numbers > LARGEST_STATION * 1000)
    if bool(wrong.any()):
        raise UsageError(f"{path}: a station is no number that one can have", hint="see the file")
    station = pa.array((numbers // 1000).astype(np.uint16))
    date = dates_of(texts[names.index("Date")], str(path))
    if scope is Scope.DAILY:
        return station, date
    place = next(n for n, name in enumerate(names) if name.startswith("Hour"))
    return station, *hours_of(date, texts[place], str(path))


def _columns(
    texts: list[pa.Array], names: list[str], known: dict[str, str], path: Path
) -> list[ArchiveColumn]:
    found = []
    for place, name in enumerate(names[:-1]):
        code = known.get(name.partition(" (")[0])
        item = by_code(code) if code else None
        if item is None or names[place + 1] != "qc":
            continue
        numbers, missing, sentinel = numbers_of(texts[place], f"{path}, {name}")
        flags = flags_of(texts[place + 1], sentinel)
        found.append(ArchiveColumn(item, numbers, missing, flags))
    if not found:
        raise UsageError(f"{path}: no column of a data item", hint="is this a web report?")
    return found
