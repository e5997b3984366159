"""The two systems of units: texts, symbols, exact ratios, and one rounding between them.

Integers throughout, on single values and on whole arrays; ties are rounded away from zero. Factors
are the definitions: inch 25.4 mm, mile 1.609344 km, langley 41,868 J/m², day 86,400 s. The metric
decimals of an English value are so many that the English one comes back exactly.
"""

from __future__ import annotations

from functools import cache, lru_cache
from math import gcd
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cimis.pipeline.field.items import Item, Standard

    Doubles = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = [
    "CELSIUS",
    "DAY_KM",
    "DEPTH",
    "DIRECTION",
    "FOOT_M",
    "HOUR_KM",
    "HUMIDITY",
    "MILLIMETRE",
    "PRESSURE",
    "RADIATION",
    "RUN",
    "SECTOR_WIND",
    "SPEED",
    "TEMPERATURE",
    "WATT_DAY_MJ",
    "WATT_HOUR_MJ",
    "Quantity",
    "Ratio",
    "Unit",
    "agree",
    "english_decimals",
    "megajoules_of",
    "metric_decimals",
    "same_unit",
    "to_english",
    "to_metric",
    "unit_agrees",
    "watts_of",
]

Measure = TypeVar("Measure", float, "Doubles")
Numbers = TypeVar("Numbers", int, "Ints")


class Ratio(NamedTuple):
    """``metric = (english - offset) × numerator / denominator``."""

    numerator: int
    denominator: int
    offset: int = 0

    def metric(self, english: Measure) -> Measure:
        """Return English values, as floats of any number of decimals, as metric ones."""
        return (english - self.offset) * self.numerator / self.denominator

    def english(self, metric: Measure) -> Measure:
        """Return metric values as English ones, likewise; neither rounds."""
        return metric * (self.denominator / self.numerator) + float(self.offset)

    def english_sql(self, metric: str) -> str:
        """Return the same as an SQL expression over one of metric values."""
        return f"{metric} * {self.denominator / self.numerator!r} + {float(self.offset)!r}"


class Unit(NamedTuple):
    """A unit as the API writes it, and as people do."""

    text: str
    symbol: str


class Quantity(NamedTuple):
    """What items measure, and its units in both systems.

    ``ratio`` is None where both are one. Metric values of English ones have ``least`` decimals or
    more. ``vague``: the texts that come are known to be wrong, or are not known.
    """

    english: Unit
    metric: Unit
    ratio: Ratio | None = None
    least: int = 0
    vague: bool = False

    def step(self, english: int, metric: int) -> tuple[int, int]:
        """Return one English unit of the last decimal in metric ones, as a reduced fraction.

        Parameters
        ----------
        english, metric : int
            Decimals of either; the offset does not count.
        """
        ratio = self.ratio or Ratio(1, 1)
        up, down = ratio.numerator * 10**metric, ratio.denominator * 10**english
        common = gcd(up, down)
        return up // common, down // common


CELSIUS = Ratio(5, 9, 32)
MILLIMETRE = Ratio(127, 5)  # of inches
TEMPERATURE = Quantity(Unit("(F)", "°F"), Unit("(C)", "°C"), CELSIUS)
DEPTH = Quantity(Unit("(in)", "in"), Unit("(mm)", "mm"), MILLIMETRE, least=3)
"""Hundredths of inches are whole thousandths of mm, and so are their sums."""

HUMIDITY = Quantity(Unit("(%)", "%"), Unit("(%)", "%"))
RADIATION = Quantity(Unit("(Ly/day)", "Ly/day"), Unit("(W./sq.m)", "W/m²"), Ratio(1_163, 2_400))
PRESSURE = Quantity(Unit("(mBars)", "mbar"), Unit("(kPa)", "kPa"), Ratio(1, 10))
SPEED = Quantity(Unit("(MPH)", "mph"), Unit("(m/s)", "m/s"), Ratio(1_397, 3_125))
RUN = Quantity(Unit("(MPH)", "mi"), Unit("(km)", "km"), Ratio(25_146, 15_625), vague=True)
"""It says MPH but counts miles."""

DIRECTION = Quantity(Unit("(°)", "°"), Unit("(°)", "°"))
SECTOR_WIND = Quantity(Unit("", ""), Unit("", ""), vague=True)

FOOT_M = 0.3048
_WATT_DAY = Ratio(54, 625)  # MJ of a watt through a day
WATT_DAY_MJ = _WATT_DAY.numerator / _WATT_DAY.denominator
WATT_HOUR_MJ = 0.0036
"""Energy of one watt through a day, and through an hour."""

DAY_KM = 86.4
HOUR_KM = 3.6
"""Way of one m/s through a day, and through an hour."""

_MOST = 1 << 62
_ALIASES = {"degree": "°", "degrees": "°", "deg": "°", "w/m2": "w/sqm", "mbar": "mbars"}


@cache
def metric_decimals(item: Item, english: int | None = None) -> int:
    """Return the metric decimals of English values, so many that these come back exactly.

    The fewest, but not fewer than the registry's and the quantity's, at which a metric unit of the
    last decimal is not wider than an English one.

    Parameters
    ----------
    item : Item
    english : int, optional
        Decimals of the English values, where they are more than the registry's.
    """
    ratio = item.quantity.ratio
    decimals = max(item.decimals_metric, item.quantity.least)
    if ratio is not None:
        while ratio.denominator * 10**item.decimals_english > ratio.numerator * 10**decimals:
            decimals += 1
    return decimals + max((english or 0) - item.decimals_english, 0)


def english_decimals(item: Item, metric: int) -> int:
    """Return the decimals of English answers: the registry's, and more where the metric are more.

    Parameters
    ----------
    item : Item
    metric : int
        Decimals of the metric values; English ones get a decimal more for each that these have
        beyond :func:`metric_decimals`.
    """
    return item.decimals_english + max(metric - metric_decimals(item), 0)


def to_metric(values: Numbers, decimals: int, item: Item, metric: int) -> Numbers:
    """Return English values as metric ones, each rounded once.

    Parameters
    ----------
    values : int or int64 array
        English values times ``10**decimals``.
    decimals : int
    item : Item
    metric : int
        Decimals of the result.

    Returns
    -------
    int or int64 array
        Metric values times ``10**metric``.
    """
    ratio = item.quantity.ratio or Ratio(1, 1)
    up, down = ratio.numerator * 10**metric, ratio.denominator * 10**decimals
    return _scaled(values, up, -ratio.offset * 10**decimals * up, down)


def to_english(values: Numbers, decimals: int, item: Item, english: int) -> Numbers:
    """Return metric values as English ones, each rounded once; parameters as in `to_metric`."""
    ratio = item.quantity.ratio or Ratio(1, 1)
    up, down = ratio.denominator * 10**english, ratio.numerator * 10**decimals
    return _scaled(values, up, ratio.offset * 10**english * down, down)


def watts_of(megajoules: Numbers) -> Numbers:
    """Return integers of MJ a day as watts of the same decimals, each rounded once."""
    return _scaled(megajoules, _WATT_DAY.denominator, 0, _WATT_DAY.numerator)


def megajoules_of(watts: Numbers) -> Numbers:
    """Return integers of watts as MJ a day of the same decimals, each rounded once."""
    return _scaled(watts, _WATT_DAY.numerator, 0, _WATT_DAY.denominator)


def _scaled(values: Numbers, up: int, shift: int, down: int) -> Numbers:
    """Return ``(values × up + shift) / down``, rounded, halves away from zero."""
    if isinstance(values, int):
        return _rounded(values * up + shift, down)
    top = max(int(values.max()), -int(values.min())) if values.size else 0
    if (top * up + abs(shift)) * 2 + down < _MOST:
        return _rounded(values * up + shift, down)
    return _rounded(values.astype(object) * up + shift, down).astype("int64")


def _rounded(top: Numbers, bottom: int) -> Numbers:
    return (1 - 2 * (top < 0)) * ((2 * abs(top) + bottom) // (2 * bottom))


def agree(metric: Ints, english: Ints, decimals: int, item: Item) -> npt.NDArray[np.bool_]:
    """Tell which pairs of values can be one reading, that the network wrote in both systems.

    The first is then a metric value of the registry's decimals, the second the conversion of an
    English one of an archive's decimals, and each lies within half a unit of its last decimal of
    the reading.

    Parameters
    ----------
    metric, english : int64 array
        Metric values times ``10**decimals``.
    decimals : int
        At least those of `metric_decimals`.
    item : Item
    """
    ratio = item.quantity.ratio
    same: npt.NDArray[np.bool_] = metric == english
    if ratio is None:
        return same
    places = item.decimals_english if item.archived is None else item.archived
    own = metric_decimals(item)
    text = to_english(english, decimals, item, places)
    written = to_metric(text, places, item, own) * 10 ** (decimals - own) == english
    unit = 10 ** (decimals - item.decimals_metric)
    # twice the distance, and both units and that of the conversion, times a common denominator
    common = ratio.denominator * 10**places
    width = (unit + 10 ** (decimals - own)) * common + ratio.numerator * 10**decimals
    apart = abs(metric - english).clip(max=width) * 2 * common
    same |= (metric % unit == 0) & written & (apart <= width)
    return same


def unit_agrees(item: Item, text: str, standard: Standard) -> bool:
    """Whether a unit text may stand for an item in a system of units.

    Case, blanks, parentheses and dots do not count, and the ordinal sign passes for the degree
    sign. A blank text agrees. Wind run and the sector winds agree with anything: their texts are
    known to be wrong or are not known.
    """
    if item.quantity.vague:
        return True
    sent = _bare(text)
    return sent in ("", _bare(item.unit(standard)))


def same_unit(item: Item, one: str, two: str) -> bool:
    """Tell whether two unit texts of an item mean one unit, as `unit_agrees` takes them.

    A blank one means the metric unit, in which all is stored.
    """
    if item.quantity.vague:
        return True
    metric = _bare(item.unit_metric)
    return (_bare(one) or metric) == (_bare(two) or metric)


@lru_cache(maxsize=1024)
def _bare(text: str) -> str:
    """Return a unit text without what does not count."""
    plain = text.replace("º", "°").replace("²", "2").lower()
    for mark in "(). \t\r\n":
        plain = plain.replace(mark, "")
    plain = _ALIASES.get(plain, plain)
    return plain[1:] if plain in ("°c", "°f") else plain
