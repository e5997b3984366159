"""The orders of columns in the network's FTP archive, as its readme files list them."""

from __future__ import annotations

from cimis.pipeline.field.items import Scope

__all__ = ["KEY_COLUMNS", "columns_of"]

KEY_COLUMNS = {Scope.DAILY: 3, Scope.HOURLY: 4}
"""Columns before the pairs of value and flag: station, date, (hour,) day of the year."""

_FLAG_FIRST = (
    "sol-rad-avg",
    "soil-tmp-avg",
    "air-tmp-max",
    "air-tmp-min",
    "air-tmp-avg",
    "vap-pres-avg",
    "wind-spd-avg",
    "precip",
    "rel-hum-max",
    "rel-hum-min",
    "eto",
    "rel-hum-avg",
    "dew-pnt",
    "wind-run",
)
_VALUE_FIRST = (
    "eto",
    "precip",
    "sol-rad-avg",
    "vap-pres-avg",
    "air-tmp-max",
    "air-tmp-min",
    "air-tmp-avg",
    "rel-hum-max",
    "rel-hum-min",
    "rel-hum-avg",
    "dew-pnt",
    "wind-spd-avg",
    "wind-run",
    "soil-tmp-avg",
)
_HOURLY = (
    "eto",
    "precip",
    "sol-rad",
    "vap-pres",
    "air-tmp",
    "rel-hum",
    "dew-pnt",
    "wind-spd",
    "wind-dir",
    "soil-tmp",
)


def columns_of(scope: Scope, *, flag_first: bool) -> tuple[str, ...]:
    """Return the codes of the items in order; those of hourly files are in one for both layouts."""
    if scope is Scope.HOURLY:
        return tuple(f"hly-{name}" for name in _HOURLY)
    return tuple(f"day-{name}" for name in (_FLAG_FIRST if flag_first else _VALUE_FIRST))
