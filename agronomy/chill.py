"""Winter chill from hourly temperatures: chill hours, Utah units, chill portions.

Each count takes hours along the first axis and any number of stations beside each other, and says
with its sum how many hours it lacks. UC counts chill hours from 1 November, portions from
1 September; which hours are given is the caller's choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cimis.agronomy.arrays import Counts, Doubles, doubles, place_of
from cimis.agronomy.hours import fill_gaps
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.units import CELSIUS

__all__ = ["MAX_MISSING", "Chill", "ChillHours", "chill_hours", "chill_portions", "utah_units"]

MAX_MISSING = 0.05
"""Share of its hours that a winter may lack by default and still have a sum."""

_FREEZING_C = 0.0
_45F_IN_C = CELSIUS.metric(45.0)
_POSSIBLE_C = 90.0

# Richardson, Seeley & Walker (1974), HortScience 9:331-332, table 1: weight up to each temperature
_UTAH_EDGES_C = np.array([1.4, 2.4, 9.1, 12.4, 15.9, 18.0])
_UTAH_WEIGHTS = np.array([0.0, 0.5, 1.0, 0.5, 0.0, -0.5, -1.0])

# Fishman, Erez & Couvillon (1987), J. Theor. Biol. 124:473-483 and 126:309-321; as UC's own sheet
# and Luedeling, Zhang, Luedeling & Girvetz (2009), Agric. Ecosyst. Environ. 133:23-31, give them
_E0, _E1 = 4153.5, 12888.8
_A0, _A1 = 139500.0, 2.567e18
_SLOPE, _TF = 1.6, 277.0


@dataclass(frozen=True, slots=True)
class Chill:
    """What each hour adds to a count of chill, and what is known of the hours.

    Parameters
    ----------
    hourly : ndarray, shape (hours, ...), float64
        What each hour adds; 0 where it has no temperature.
    missing : ndarray, shape (...), int64
        Hours without a temperature, after filling.
    filled : ndarray, shape (...), int64
        Hours whose temperature was interpolated.
    max_missing : float
        Largest share of missing hours with which there is a sum.
    """

    hourly: Doubles
    missing: Counts
    filled: Counts
    max_missing: float

    @property
    def refused(self) -> npt.NDArray[np.bool_]:
        """Which columns lack more than their share, or have no hour at all; shape (...)."""
        hours = len(self.hourly)
        return np.asarray((self.missing > hours * self.max_missing) | (self.missing == hours))

    @property
    def total(self) -> Doubles:
        """Sum over the hours that there are; NaN where `refused`; shape (...)."""
        return np.where(self.refused, np.nan, self.hourly.sum(axis=0))

    @property
    def running(self) -> Doubles:
        """Sum up to and including each hour, whatever it lacks; shape (hours, ...)."""
        return np.cumsum(self.hourly, axis=0)


class ChillHours(NamedTuple):
    """Hours of chill by both of UC's definitions."""

    below_45f: Chill
    from_32f_to_45f: Chill


def chill_hours(
    temperature: npt.ArrayLike, *, fill_hours: int = 0, max_missing: float = MAX_MISSING
) -> ChillHours:
    """Count the hours below 45 °F, and those of them at 32 °F or more.

    Weinberger (1950), Proc. Am. Soc. Hort. Sci. 56:122-128; both counts as UC's Fruit & Nut centre
    reports them.

    Parameters
    ----------
    temperature : array_like, shape (hours, ...)
        Hourly air temperature, °C; NaN = missing.
    fill_hours : int
        Interpolate gaps of at most so many hours; none by default.
    max_missing : float
        Share of hours, 0 to 1, above which there is no sum.

    Raises
    ------
    UsageError
        For temperatures that are not °C, or a share outside 0 to 1.
    """
    hours = _Hours.of(temperature, fill_hours, max_missing)
    below = hours.values < _45F_IN_C
    return ChillHours(hours.chill(below), hours.chill(below & (hours.values >= _FREEZING_C)))


def utah_units(
    temperature: npt.ArrayLike, *, fill_hours: int = 0, max_missing: float = MAX_MISSING
) -> Chill:
    """Count chill units of the Utah model; warm hours take off what cold ones gave.

    Richardson, Seeley & Walker (1974): up to 1.4 °C 0, to 2.4 °C 0.5, to 9.1 °C 1, to 12.4 °C 0.5,
    to 15.9 °C 0, to 18 °C -0.5, above -1.

    Parameters, units and errors are those of `chill_hours`.
    """
    hours = _Hours.of(temperature, fill_hours, max_missing)
    return hours.chill(_UTAH_WEIGHTS[np.searchsorted(_UTAH_EDGES_C, hours.values, side="left")])


def chill_portions(
    temperature: npt.ArrayLike,
    *,
    kelvin: float = 273.0,
    first_hour: bool = True,
    fill_hours: int = 0,
    max_missing: float = MAX_MISSING,
) -> Chill:
    """Count chill portions of the dynamic model.

    Fishman, Erez & Couvillon (1987) in the hourly form of UC's sheet (Luedeling et al. 2009): an
    intermediate product E is made and destroyed, and once it reaches 1, a share ξ of it becomes
    permanent. With K the temperature in kelvin,

        xs = A0 / A1 · exp((E1 - E0) / K)        ak1 = A1 · exp(-E1 / K)
        ξ  = s / (1 + s),  s = exp(slope · Tf · (K - Tf) / K)
        S  = E' where E' < 1, else E' · (1 - ξ')         (' = of the hour before)
        E  = xs - (xs - S) · exp(-ak1)                   portion: E · ξ where E ≥ 1

    Programs differ: chillR and UC take K = °C + 273, which is the default; xclim takes 273.15 and
    starts with E = 0 after the first hour, which is ``kelvin=273.15, first_hour=False``.

    Parameters
    ----------
    temperature : array_like, shape (hours, ...)
        Hourly air temperature, °C; NaN = missing: such an hour is passed over, E waits.
    kelvin : float
        What is added to °C.
    first_hour : bool
        Whether the first hour makes product.
    fill_hours, max_missing
        As of `chill_hours`.

    Raises
    ------
    UsageError
        As of `chill_hours`.
    """
    hours = _Hours.of(temperature, fill_hours, max_missing)
    lacking = np.isnan(hours.values)
    k = np.where(lacking, _TF, hours.values + kelvin)
    rate = np.exp(_SLOPE * _TF * (k - _TF) / k)
    share = np.where(lacking, 0, rate / (1 + rate))
    decay = np.where(lacking, 0, -_A1 * np.exp(-_E1 / k))
    made = _A0 / _A1 * np.exp((_E1 - _E0) / k) * -np.expm1(decay)
    if not first_hour:
        made[:1] = 0
    product = _product(made, np.exp(decay), 1 - share)
    return hours.chill(np.where(product >= 1, product * share, 0))


def _product(made: Doubles, left: Doubles, kept: Doubles) -> Doubles:
    """Return the intermediate product after each hour: the recursion, all columns at once."""
    product = np.empty_like(made)
    rows = [array.reshape(len(made), made[:1].size) for array in (product, made, left, kept)]
    before = np.zeros(rows[0].shape[1])
    keep, carried = np.ones_like(before), np.empty_like(before)
    for now, new, remaining, following in zip(*rows, strict=True):
        np.multiply(before, keep, out=carried)
        np.copyto(carried, before, where=before < 1)
        carried *= remaining
        np.add(carried, new, out=now)
        before, keep = now, following
    return product


@dataclass(frozen=True, slots=True)
class _Hours:
    """Temperatures ready to count, °C, with what was filled in them."""

    values: Doubles
    filled: Counts
    max_missing: float

    @classmethod
    def of(cls, temperature: npt.ArrayLike, fill_hours: int, max_missing: float) -> _Hours:
        """Check temperatures, and fill the gaps that may be filled."""
        if not 0 <= max_missing <= 1:
            raise UsageError(f"the share of missing hours {max_missing:g} is not from 0 to 1")
        values = doubles(temperature, "hourly temperatures")
        impossible = np.abs(values) > _POSSIBLE_C
        if impossible.any():
            raise UsageError(
                f"{values[impossible][0]:g} °C, at {place_of(impossible, step='hour index')}, is "
                "no air temperature",
                hint="chill is counted from °C",
            )
        return cls(*fill_gaps(values, longest=fill_hours), max_missing)

    def chill(self, hourly: npt.NDArray[np.float64 | np.bool_]) -> Chill:
        """Return what each hour adds, with nothing for one without a temperature."""
        lacking = np.isnan(self.values)
        added = np.where(lacking, 0.0, hourly)
        return Chill(added, np.asarray(lacking.sum(axis=0)), self.filled, self.max_missing)
