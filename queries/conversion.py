"""Metric values to English ones on the way out, to the decimals that the network writes."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import UsageError
from pipeline.items import Item, Standard
from pipeline.units import english_decimals, ratio_of

__all__ = ["Conversion", "conversion_of", "standard"]


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

    The decimals of the result are those that the network gives the item in English (hundredths of
    inches, tenths of °F, whole langleys), whatever source the metric value is of. A column of more
    decimals than English values need has more of them in English too.
    """
    ratio = ratio_of(item)
    if ratio is None:
        return None
    factor = ratio.denominator / ratio.numerator
    return Conversion(factor, float(ratio.offset), english_decimals(item, decimals))
