"""The registry of the network's 43 data items: the one source of names, units and decimals.

Facts come from the API's documentation and from real responses. Two are judgements: plausible ranges
(California records with a margin, to flag only) and the metric decimals of items whose metric form
has not been seen. Neither ever changes a value: more decimals than named here are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field import units

__all__ = [
    "ITEMS",
    "QC_FLAGS",
    "Item",
    "QcFlag",
    "Rule",
    "Scope",
    "Standard",
    "by_code",
    "by_json_key",
    "default_items",
    "named_items",
    "resolve",
    "scope_items",
]


class Scope(StrEnum):
    """How long a record lasts."""

    DAILY = "daily"
    HOURLY = "hourly"


class Standard(StrEnum):
    """System of units, as records name it."""

    METRIC = "metric"
    ENGLISH = "english"


class Rule(StrEnum):
    """How an item's values are summed up over a period."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"
    MEAN = "mean"
    DIRECTION = "direction"  # of the mean of unit vectors


@dataclass(frozen=True, slots=True)
class Item:
    """One data item of one scope.

    ``quantity`` tells its units, ``rule`` how it is summed up; ``decimals_*`` are those that a value
    normally has, ``archived`` the English ones of archives if others; ``plausible_*`` are metric.
    """

    code: str
    description: str
    quantity: units.Quantity = field(compare=False)
    rule: Rule
    decimals_english: int
    decimals_metric: int
    plausible_min: float
    plausible_max: float
    archived: int | None = None

    @property
    def scope(self) -> Scope:
        """Scope that the code's prefix names."""
        return Scope.DAILY if self.code.startswith("day-") else Scope.HOURLY

    @property
    def column(self) -> str:
        """Column name: the code without its scope, ``day-air-tmp-avg`` → ``air_tmp_avg``."""
        return self.code[4:].replace("-", "_")

    @property
    def flag_column(self) -> str:
        """Name of the QC flag's column."""
        return self.column + "_qc"

    @property
    def json_key(self) -> str:
        """Key in a JSON record: ``day-air-tmp-avg`` → ``DayAirTmpAvg``."""
        return "".join(part.capitalize() for part in self.code.split("-"))

    @property
    def unit_english(self) -> str:
        """The English unit as the API sends it."""
        return self.quantity.english.text

    @property
    def unit_metric(self) -> str:
        """The metric unit as the API sends it."""
        return self.quantity.metric.text

    def unit(self, standard: Standard = Standard.METRIC) -> str:
        """Return the unit text as the API sends it."""
        return self.unit_metric if standard is Standard.METRIC else self.unit_english

    def decimals(self, standard: Standard = Standard.METRIC) -> int:
        """Return the number of decimals that a value normally has."""
        return self.decimals_metric if standard is Standard.METRIC else self.decimals_english

    def symbol(self, standard: Standard = Standard.METRIC) -> str:
        """Return the unit as people write it: ``°C``, ``W/m²``; English wind run is miles."""
        kind, metric = self.quantity, standard is Standard.METRIC
        return kind.metric.symbol if metric else kind.english.symbol


class QcFlag(NamedTuple):
    """One quality-control flag of the network's present set (or, marked so, of the one to 1995)."""

    letter: str
    severe: bool
    meaning: str
    provisional: bool = False
    estimated: bool = False


# fmt: off
_SECTOR = "Wind from the {} sector (quantity and unit not confirmed; probably wind run)"
ITEMS: tuple[Item, ...] = (
    Item("day-air-tmp-avg", "Mean air temperature of the day at 1.5 m", units.TEMPERATURE, Rule.MEAN, 1, 1, -40.0, 57.0),
    Item("day-air-tmp-max", "Maximum air temperature; from 1-minute readings", units.TEMPERATURE, Rule.MAX, 1, 1, -40.0, 57.0),
    Item("day-air-tmp-min", "Minimum air temperature; from 1-minute readings", units.TEMPERATURE, Rule.MIN, 1, 1, -40.0, 57.0),
    Item("day-dew-pnt", "Mean dew point; derived from vapour pressure", units.TEMPERATURE, Rule.MEAN, 1, 1, -45.0, 35.0),
    Item("day-eto", "CIMIS ETo (modified Penman); legacy API only, not in the new API item list", units.DEPTH, Rule.SUM, 2, 2, -0.5, 16.0),
    Item("day-asce-eto", "ASCE standardized short-crop reference ETo", units.DEPTH, Rule.SUM, 2, 2, -0.5, 16.0),
    Item("day-asce-etr", "ASCE standardized tall-crop reference ETr; null with Qc N where not computed", units.DEPTH, Rule.SUM, 2, 2, -0.5, 22.0),
    Item("day-precip", "Precipitation total", units.DEPTH, Rule.SUM, 2, 2, 0.0, 670.0),
    Item("day-rel-hum-avg", "Mean relative humidity", units.HUMIDITY, Rule.MEAN, 0, 0, 0.0, 100.0),
    Item("day-rel-hum-max", "Maximum relative humidity", units.HUMIDITY, Rule.MAX, 0, 0, 0.0, 100.0),
    Item("day-rel-hum-min", "Minimum relative humidity", units.HUMIDITY, Rule.MIN, 0, 0, 0.0, 100.0),
    Item("day-soil-tmp-avg", "Mean soil temperature at 15 cm", units.TEMPERATURE, Rule.MEAN, 1, 1, -15.0, 60.0),
    Item("day-soil-tmp-max", "Maximum soil temperature", units.TEMPERATURE, Rule.MAX, 1, 1, -15.0, 60.0),
    Item("day-soil-tmp-min", "Minimum soil temperature", units.TEMPERATURE, Rule.MIN, 1, 1, -15.0, 60.0),
    Item("day-sol-rad-avg", "Mean solar radiation", units.RADIATION, Rule.MEAN, 0, 0, 0.0, 420.0),
    Item("day-sol-rad-net", "Mean net radiation", units.RADIATION, Rule.MEAN, 0, 0, -100.0, 300.0),
    Item("day-vap-pres-avg", "Mean vapour pressure", units.PRESSURE, Rule.MEAN, 1, 1, 0.0, 5.0),
    Item("day-vap-pres-max", "Maximum vapour pressure", units.PRESSURE, Rule.MAX, 1, 1, 0.0, 5.0),
    Item("day-vap-pres-min", "Minimum vapour pressure; undocumented", units.PRESSURE, Rule.MIN, 1, 1, 0.0, 5.0),
    Item("day-wind-nne", _SECTOR.format("north-north-east"), units.SECTOR_WIND, Rule.MEAN, 1, 1, 0.0, 2600.0),
    Item("day-wind-ene", _SECTOR.format("east-north-east"), units.SECTOR_WIND, Rule.MEAN, 1, 1, 0.0, 2600.0),
    Item("day-wind-ese", _SECTOR.format("east-south-east"), units.SECTOR_WIND, Rule.MEAN, 1, 1, 0.0, 2600.0),
    Item("day-wind-sse", _SECTOR.format("south-south-east") + "; undocumented", units.SECTOR_WIND, Rule.MEAN, 1, 1, 0.0, 2600.0),
    Item("day-wind-ssw", _SECTOR.format("south-south-west"), units.SECTOR_WIND, Rule.MEAN, 1, 1, 0.0, 2600.0),
    Item("day-wind-wsw", _SECTOR.format("west-south-west"), units.SECTOR_WIND, Rule.MEAN, 1, 1, 0.0, 2600.0),
    Item("day-wind-wnw", _SECTOR.format("west-north-west"), units.SECTOR_WIND, Rule.MEAN, 1, 1, 0.0, 2600.0),
    Item("day-wind-nnw", _SECTOR.format("north-north-west"), units.SECTOR_WIND, Rule.MEAN, 1, 1, 0.0, 2600.0),
    Item("day-wind-run", "Wind run; English label reads MPH but the number is miles per day", units.RUN, Rule.MEAN, 1, 1, 0.0, 2600.0),
    Item("day-wind-spd-avg", "Mean wind speed at 2 m; spatial by zip only", units.SPEED, Rule.MEAN, 2, 1, 0.0, 25.0, archived=1),
    Item("hly-air-tmp", "Mean air temperature of the hour", units.TEMPERATURE, Rule.MEAN, 1, 1, -40.0, 57.0),
    Item("hly-dew-pnt", "Mean dew point of the hour", units.TEMPERATURE, Rule.MEAN, 1, 1, -45.0, 35.0),
    Item("hly-eto", "CIMIS ETo of the hour; legacy API only, not in the new API item list", units.DEPTH, Rule.SUM, 2, 2, -0.2, 1.6),
    Item("hly-net-rad", "Net radiation of the hour", units.RADIATION, Rule.MEAN, 0, 0, -250.0, 950.0),
    Item("hly-asce-eto", "ASCE standardized short-crop reference ETo of the hour", units.DEPTH, Rule.SUM, 2, 2, -0.2, 1.6),
    Item("hly-asce-etr", "ASCE standardized tall-crop reference ETr of the hour; null with Qc N where not computed", units.DEPTH, Rule.SUM, 2, 2, -0.3, 2.2),
    Item("hly-precip", "Precipitation total of the hour", units.DEPTH, Rule.SUM, 2, 2, 0.0, 150.0),
    Item("hly-rel-hum", "Mean relative humidity of the hour", units.HUMIDITY, Rule.MEAN, 0, 0, 0.0, 100.0),
    Item("hly-res-wind", "Resultant (vector mean) wind speed of the hour", units.SPEED, Rule.MEAN, 1, 1, 0.0, 40.0),
    Item("hly-soil-tmp", "Mean soil temperature of the hour", units.TEMPERATURE, Rule.MEAN, 1, 1, -15.0, 60.0),
    Item("hly-sol-rad", "Mean solar radiation of the hour (English: a Ly/day rate, not Ly/hour)", units.RADIATION, Rule.MEAN, 0, 0, 0.0, 1300.0),
    Item("hly-vap-pres", "Mean vapour pressure of the hour", units.PRESSURE, Rule.MEAN, 1, 1, 0.0, 5.0),
    Item("hly-wind-dir", "Mean wind direction of the hour; degrees clockwise from north; direction the wind blows from", units.DIRECTION, Rule.DIRECTION, 0, 0, 0.0, 360.0),
    Item("hly-wind-spd", "Mean wind speed of the hour at 2 m", units.SPEED, Rule.MEAN, 1, 1, 0.0, 40.0),
)
# fmt: on

_DEFAULTS = {
    Scope.DAILY: (
        "air-tmp-avg air-tmp-max air-tmp-min dew-pnt asce-eto asce-etr precip rel-hum-avg "
        "rel-hum-max rel-hum-min soil-tmp-avg sol-rad-avg vap-pres-avg wind-run wind-spd-avg"
    ),
    Scope.HOURLY: (
        "air-tmp dew-pnt net-rad asce-eto asce-etr precip rel-hum res-wind soil-tmp sol-rad "
        "vap-pres wind-dir wind-spd"
    ),
}

QC_FLAGS: tuple[QcFlag, ...] = (
    QcFlag("I", True, "ignore: the value has no meaning"),
    QcFlag("M", True, "missing"),
    QcFlag("S", True, "sensor out of service or outside its limits"),
    QcFlag("N/A", True, "former set, before 1995: not available"),
    QcFlag("A", False, "historical average inserted", provisional=True, estimated=True),
    QcFlag("E", False, "historical average used in a calculation", True, estimated=True),
    QcFlag("T", False, "historical average used in a calculation", True, estimated=True),
    QcFlag("H", False, "some hours of the day were flagged M, Q or S", True, estimated=True),
    QcFlag("J", False, "monthly only: days missing"),
    QcFlag("K", False, "monthly only: days flagged"),
    QcFlag("L", False, "monthly only: days missing and flagged"),
    QcFlag("N", False, "not collected by this station"),
    QcFlag("N/C", False, "former set, before 1995: not collected"),
    QcFlag("P", False, "test pending: provisional", provisional=True),
    QcFlag("Q", False, "check incomplete because a comparison sensor is severe", True),
    QcFlag("R", False, "far outside historical limits"),
    QcFlag("Y", False, "moderately outside historical limits"),
)


@cache
def scope_items(scope: Scope) -> tuple[Item, ...]:
    """Return all items of a scope in registry order, which is the column order everywhere."""
    return tuple(item for item in ITEMS if item.scope is scope)


@cache
def default_items(scope: Scope) -> tuple[Item, ...]:
    """Return the items fetched when none are named: the API's default set plus ETr."""
    return tuple(i for i in scope_items(scope) if i.code[4:] in _DEFAULTS[scope].split())


@cache
def by_code(code: str) -> Item | None:
    """Return the item of an API code such as ``day-air-tmp-avg``."""
    return next((item for item in ITEMS if item.code == code), None)


@cache
def by_json_key(key: str) -> Item | None:
    """Return the item of a JSON key such as ``DayAirTmpAvg``."""
    return next((item for item in ITEMS if item.json_key == key), None)


def resolve(names: str | Iterable[str | Item] | None, scope: Scope) -> tuple[Item, ...]:
    """Return what :func:`named_items` does, in registry order: how it is fetched and stored."""
    chosen = named_items(names, scope)
    return tuple(item for item in scope_items(scope) if item in chosen)


def named_items(names: str | Iterable[str | Item] | None, scope: Scope) -> tuple[Item, ...]:
    """Return the items that a user names, each once, in the order named: how they are answered.

    Parameters
    ----------
    names : str or iterable of str or Item, optional
        Short names (``air_tmp_avg``, ``air-tmp-avg``), API codes (``day-air-tmp-avg``) or JSON keys
        (``DayAirTmpAvg``), separated by commas in a string; ``all``, ``default``; None is default.
    scope : Scope
        The scope that the items must have.

    Raises
    ------
    UsageError
        For an unknown item or one of the other scope; the message names the nearest match.
    """
    if names is None:
        return default_items(scope)
    texts: Sequence[str | Item] = names.split(",") if isinstance(names, str) else list(names)
    chosen: list[Item] = []
    for text in texts:
        if isinstance(text, Item):
            chosen.append(_of_scope(text, text.code, scope))
        elif text.strip().lower() in {"all", "default"}:
            chosen += scope_items(scope) if text.strip().lower() == "all" else default_items(scope)
        elif text.strip():
            chosen.append(_find(text.strip(), scope))
    if not chosen:
        raise UsageError(f"no {scope} item named", hint="see 'cimis items' for the list")
    return tuple(dict.fromkeys(chosen))


def _find(text: str, scope: Scope) -> Item:
    """Return the item that one text names, in any of its spellings."""
    exact = by_json_key(text)
    if exact is None:
        tail = text.lower().replace("_", "-")
        exact = by_code(tail) or by_code(("day-" if scope is Scope.DAILY else "hly-") + tail)
    if exact is None:
        from difflib import get_close_matches

        near = get_close_matches(
            text.lower().replace("-", "_"), [i.column for i in scope_items(scope)], n=1, cutoff=0.5
        )
        guess = f"did you mean '{near[0]}'? " if near else ""
        raise UsageError(
            f"unknown {scope} item '{text}'", hint=f"{guess}see 'cimis items --scope {scope}'"
        )
    return _of_scope(exact, text, scope)


def _of_scope(item: Item, text: str, scope: Scope) -> Item:
    if item.scope is not scope:
        raise UsageError(
            f"item '{text}' is {item.scope}, not {scope}",
            hint=f"choose {scope} items, or the other scope; see 'cimis items'",
        )
    return item
