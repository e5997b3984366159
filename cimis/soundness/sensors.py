"""The checks of one station's sensors by their own values: which there are, and what each finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cimis.agronomy.evidence import Evidence, Marks, Verdict, evidence_of
from cimis.agronomy.grades import grade
from cimis.agronomy.sensors import DAILY_BOUNDS, OUTLIER_ITEMS
from cimis.agronomy.stuck import STILL
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope
from cimis.soundness.grids import place_of

__all__ = ["CHECKS", "NEIGHBOUR_ITEMS", "Check", "Finding", "Found", "chosen_checks", "finding_of"]

Doubles = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]
Facts = Mapping[str, Any]

NEIGHBOUR_ITEMS = (
    *("asce_eto", "eto", "air_tmp_max", "air_tmp_min", "sol_rad_avg", "vap_pres_avg"),
    "wind_spd_avg",
)
"""Items that neighbours foretell well enough to judge by, ETo of either equation among them."""

_TEMPERATURES = ("air_tmp_min", "air_tmp_avg", "air_tmp_max", "dew_pnt")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says of one series of a station.

    ``check`` is one of `CHECKS`, ``evidence.check`` the rule of it; ``item`` the column that was
    judged; ``note`` says why there is no evidence, if there is a reason beside missing values.
    """

    station: int
    check: str
    item: str
    verdict: Verdict
    evidence: Evidence
    note: str | None = None


class Series(NamedTuple):
    """The values of one station, by item, and what the catalog knows of it."""

    times: Times
    items: Mapping[str, Doubles]
    facts: Facts | None


Found = Iterator[tuple[str, Marks, Times, str | None]]


@dataclass(frozen=True, slots=True)
class Check:
    """A check: the records that it judges, the items that it takes, and what finds the marks.

    ``finds`` gives item, marks, their times and a note; None where the check is about several
    stations at once.
    """

    scope: Scope
    items: tuple[str, ...]
    finds: Callable[[Series], Found] | None


def finding_of(
    station: int, check: str, item: str, marks: Marks, times: Times, note: str | None = None
) -> Finding:
    """Return the finding of marks over one series."""
    evidence = evidence_of(marks, times)
    return Finding(station, check, item, grade(marks, evidence), evidence, note)


def chosen_checks(names: str | tuple[str, ...] | list[str] | None, scope: Scope) -> tuple[str, ...]:
    """Return the checks that a user names, of one scope; all of it where none is named.

    Raises
    ------
    UsageError
        For an unknown check, one of the other scope, and for none.
    """
    there = tuple(name for name, check in CHECKS.items() if check.scope is scope)
    if names is None:
        return there
    parts = names.split(",") if isinstance(names, str) else names
    wanted = [part.strip().lower() for part in parts if part.strip()]
    for name in wanted:
        if name not in CHECKS:
            raise UsageError(f"no check '{name}'", hint=f"there are {', '.join(CHECKS)}")
        if name not in there:
            other = CHECKS[name].scope
            raise UsageError(f"the check '{name}' judges {other} records", hint=f"take {other}")
    if not wanted:
        raise UsageError("no check named", hint=f"there are {', '.join(there)}")
    return tuple(name for name in there if name in wanted)


def _range(series: Series) -> Found:
    from cimis.agronomy.sensors import out_of_range

    for item in DAILY_BOUNDS:
        yield item, out_of_range(item, series.items[item]), series.times, None


def _outliers(series: Series) -> Found:
    from cimis.agronomy.sensors import monthly_outliers

    months = series.times.astype("datetime64[M]").astype(np.int64) % 12 + 1
    for item in OUTLIER_ITEMS:
        yield item, monthly_outliers(months, series.items[item]), series.times, None


def _consistency(series: Series) -> Found:
    from cimis.agronomy.sensors import consistency

    for marks in consistency(*(series.items[item] for item in _TEMPERATURES)).values():
        yield "dew_pnt" if "dew" in marks.check else "air_tmp", marks, series.times, None


def _drift(series: Series) -> Found:
    from cimis.agronomy.drift import clear_sky_drift
    from cimis.agronomy.grades import drift_marks, spike_marks
    from cimis.agronomy.solar import clear_sky_w_m2

    facts, days = series.facts or {}, series.times
    place, height, note = place_of(facts), facts.get("elevation_m"), None
    if place is None or height is None:
        note = "the coordinates or the elevation of the station are not known"
    latitude = np.array(np.nan if place is None else place.latitude)
    elevation = np.array(np.nan if height is None else float(height))
    since = (days - days.astype("datetime64[Y]")).astype(np.float64)
    clear = clear_sky_w_m2(since + 1, latitude, elevation, series.items["vap_pres_avg"])
    periods = clear_sky_drift(days, series.items["sol_rad_avg"], clear)
    for marks in (drift_marks(periods), spike_marks(periods)):
        yield "sol_rad_avg", marks, periods.start, note


def _ceiling(series: Series) -> Found:
    from cimis.agronomy.drift import humidity_ceiling
    from cimis.agronomy.grades import ceiling_marks

    found = humidity_ceiling(series.times, series.items["rel_hum_max"])
    years = np.array([f"{year}-01-01" for year in found.year], "datetime64[D]")
    yield "rel_hum_max", ceiling_marks(found), years, None


def _stuck(series: Series) -> Found:
    from cimis.agronomy.stuck import stuck

    for item in STILL:
        for marks in stuck(item, series.times, series.items[item]):
            yield item, marks, series.times, None


def _steps(series: Series) -> Found:
    from cimis.agronomy.stuck import steps

    for marks in steps(series.times, series.items["air_tmp"]):
        yield "air_tmp", marks, series.times, None


CHECKS: Mapping[str, Check] = {
    "range": Check(Scope.DAILY, tuple(DAILY_BOUNDS), _range),
    "outlier": Check(Scope.DAILY, OUTLIER_ITEMS, _outliers),
    "consistency": Check(Scope.DAILY, _TEMPERATURES, _consistency),
    "drift": Check(Scope.DAILY, ("sol_rad_avg", "vap_pres_avg"), _drift),
    "ceiling": Check(Scope.DAILY, ("rel_hum_max",), _ceiling),
    "neighbours": Check(Scope.DAILY, NEIGHBOUR_ITEMS, None),
    "stuck": Check(Scope.HOURLY, tuple(STILL), _stuck),
    "step": Check(Scope.HOURLY, ("air_tmp",), _steps),
}
"""By the names that users give, in the order of the answer."""
