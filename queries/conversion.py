"""Metric values to English ones, with decimals enough to come back exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.errors import UsageError
from pipeline.items import Item, Standard

__all__ = ["Conversion", "conversion_of", "standard"]

_FACTORS: dict[tuple[str, str], tuple[float, float]] = {
    ("(C)", "(F)"): (1.8, 32.0),
    ("(mm)", "(in)"): (1 / 25.4, 0.0),
    ("(W./sq.m)", "(Ly/day)"): (86_400 / 41_868, 0.0),
    ("(kPa)", "(mBars)"): (10.0, 0.0),
    ("(m/s)", "(MPH)"): (3_600 / 1_609.344, 0.0),
    ("(km)", "(MPH)"): (1 / 1.609344, 0.0),  # the label says MPH, the number is miles per day
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """``metric × factor + shift``, rounded to ``decimals``."""

    factor: float
    shift: float
    decimals: int


def standard(name: str | Standard) -> Standard:
    """Return the system of units of a name.

    Raises
    ------
    UsageError
        For a name that is neither metric nor english.
    """
    try:
        return Standard(str(name).strip().lower())
    except ValueError:
        raise UsageError(f"unknown units '{name}'", hint="choose metric or english") from None


def conversion_of(item: Item, decimals: int) -> Conversion | None:
    """Return how an item's metric values, of so many decimals, become English; None if they are.

    The decimals are the fewest whose step is not wider than one of the metric value, so that
    rounding back gives the metric value again.
    """
    pair = _FACTORS.get((item.unit_metric, item.unit_english))
    if pair is None:
        return None
    step = pair[0] * 10.0**-decimals
    return Conversion(*pair, max(math.ceil(-math.log10(step)), 0))
