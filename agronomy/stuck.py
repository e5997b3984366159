"""Hourly sensors that stand still or jump: wind that does not turn, temperature that leaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from cimis.agronomy.evidence import Bools, Doubles, Marks, Times
from cimis.agronomy.series import check_hours
from cimis.pipeline.errors import UsageError

__all__ = ["STEPS_C", "STILL", "Still", "steps", "stuck"]


class Still(NamedTuple):
    """A sensor stands still that varies by no more than ``spread`` over so many hours in a row.

    ``tolerated`` is the share of hours that sound sensors stand still by this rule.
    """

    hours: int
    spread: float
    tolerated: float


STILL: Mapping[str, tuple[Still, ...]] = {
    "air_tmp": (Still(12, 0.5, 0.05), Still(24, 0.5, 0.0)),
    "wind_spd": (Still(3, 0.1, 0.5), Still(12, 0.5, 0.4), Still(24, 0.1, 0.0)),
    "wind_dir": (Still(3, 1.0, 0.1), Still(18, 10.0, 0.1), Still(24, 1.0, 0.0)),
}
"""Rules by hourly item, in °C, m/s and degrees.

Those below 24 hours are screening criteria of meteorological monitoring guidance (EPA-454/R-99-005,
2000, chapter 8), made for masts of 10 m. At 2 m, in steps of 0.1 m/s, calm nights meet them: of the
network's hours 12 to 41 % the first rule of wind, up to 30 % the second, so that they alone condemn
nothing. The rules of 24 hours are ours: no series of a sound sensor at hand meets one.
"""

STEPS_C = ((5.0, 0.05), (10.0, 0.0))
"""Changes of temperature within an hour, and the share of hours in which sound sensors see them.

The first is a criterion of the same guidance; on clear mornings the network's stations see up to
8 °C (3 % of hours at the most above 5), so the second, ours, is what condemns a sensor.
"""
_CIRCLE = 360.0


def stuck(item: str, times: Times, values: Doubles) -> list[Marks]:
    """Mark hours in runs over which a sensor stands still; one entry for each rule of `STILL`.

    The figure of an hour is the least spread (largest less smallest value; of directions the
    smallest arc that holds them) of the runs of that many present hours that the hour is in.

    Parameters
    ----------
    item : str
        Column of an hourly item, one of `STILL`.
    times : datetime64 array
        Every hour in a row.
    values : float64 array of the same length
        In metric units; NaN where missing: no run goes over a missing hour.

    Raises
    ------
    UsageError
        For an item without a rule, or hours that are absent.
    """
    if item not in STILL:
        raise UsageError(
            f"there is no rule when '{item}' is stuck", hint=f"there is for {', '.join(STILL)}"
        )
    check_hours(times, values)
    found = []
    for rule in STILL[item]:
        figure = _least_spread(values, rule.hours, circular=item == "wind_dir")
        marked: Bools = figure <= rule.spread + 1e-9
        name = f"stuck {rule.hours} h"
        found.append(Marks(name, figure, marked, rule.spread, np.inf, rule.tolerated))
    return found


def steps(times: Times, temperature_c: Doubles) -> list[Marks]:
    """Mark hours whose temperature is far from that of the hour before; one entry per bound.

    The figure is the change in °C, NaN where one of the two hours is missing; bounds: `STEPS_C`.

    Raises
    ------
    UsageError
        For hours that are absent.
    """
    check_hours(times, temperature_c)
    change = np.diff(temperature_c, prepend=np.nan)
    return [
        Marks(f"step {most:g} °C", change, np.abs(change) > most + 1e-9, -most, most, tolerated)
        for most, tolerated in STEPS_C
    ]


def _least_spread(values: Doubles, hours: int, *, circular: bool) -> Doubles:
    """Return for each hour the least spread of the full runs that it is in, else NaN."""
    least = np.full(values.shape, np.nan)
    if values.size < hours:
        return least
    runs = np.lib.stride_tricks.sliding_window_view(values, hours)
    spread = _arc(runs) if circular else runs.max(axis=1) - runs.min(axis=1)
    padded = np.pad(spread, hours - 1, constant_values=np.nan)
    around: Doubles = np.lib.stride_tricks.sliding_window_view(padded, hours)
    np.fmin.reduce(around, axis=1, out=least)
    return least


def _arc(runs: Doubles) -> Doubles:
    """Return the smallest arc in degrees that holds the directions of each run."""
    around = np.sort(runs % _CIRCLE, axis=1)
    gaps = np.diff(around, axis=1, append=around[:, :1] + _CIRCLE)
    arc: Doubles = _CIRCLE - gaps.max(axis=1)
    return arc
