"""Temperature thresholds as people write them, each with its unit: ``50F``, ``10C``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.units import CELSIUS

__all__ = ["TemperatureUnit", "Threshold", "threshold"]

TemperatureUnit = Literal["C", "F"]
_FORM = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*[°º]?\s*([A-Za-z]*)\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A temperature with its unit.

    Parameters
    ----------
    value : float
        In ``unit``.
    unit : {"C", "F"}
        Degrees Celsius or Fahrenheit.
    """

    value: float
    unit: TemperatureUnit

    def to(self, unit: TemperatureUnit) -> float:
        """Return the temperature in a unit: as given in its own, else by 1.8 °C + 32."""
        if unit == self.unit:
            return self.value
        return CELSIUS.english(self.value) if unit == "F" else CELSIUS.metric(self.value)

    def __str__(self) -> str:
        return f"{self.value:g}{self.unit}"


def threshold(text: str) -> Threshold:
    """Read a threshold with its unit.

    Parameters
    ----------
    text : str
        A decimal number and ``F`` or ``C``: ``50F``, ``10 °C``, ``-1.5c``.

    Raises
    ------
    UsageError
        Without a unit (50 may be meant in either), with another one, or when it is no number.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(
            f"threshold {text!r} is not a temperature", hint="write it as 50F or as 10C"
        )
    number, unit = match[1], match[2].upper()
    if not unit:
        raise UsageError(
            f"threshold {text!r} has no unit, and both are usual",
            hint=f"write {number}F or {number}C",
        )
    if unit not in ("C", "F"):
        raise UsageError(
            f"threshold {text!r} has the unit {match[2]!r}", hint=f"write {number}F or {number}C"
        )
    return Threshold(float(number), "C" if unit == "C" else "F")
