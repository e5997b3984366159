"""Sensor gaps and flags of a generated station's year, at the rates of the network's archive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cimis.pipeline.emulator.network import StationSite
from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.field.time import HOURS

__all__ = ["Faults", "sensor_faults"]

Bools = npt.NDArray[np.bool_]

# which sensor an item hangs on; those not named hang on the logger alone
_SENSORS = {
    "air_tmp": "air",
    "rel_hum": "humidity",
    "dew_pnt": "humidity",
    "vap_pres": "humidity",
    "soil_tmp": "soil",
    "sol_rad": "sun",
    "net_rad": "sun",
    "precip": "rain",
    "wind": "wind",
    "res_wind": "wind",
    "asce_et": "computed",
    "eto": "computed",
}

# shares of days, read off the network's daily archive of 2013 to 2018
_OUTAGE = {"logger": 0.014, "air": 0.006, "humidity": 0.012, "soil": 0.022, "sun": 0.004}
_OUTAGE |= {"rain": 0.004, "wind": 0.004, "computed": 0.006}
_FLAGS = {
    "air": (("Y", 0.042), ("H", 0.007), ("R", 0.005)),
    "humidity": (("Y", 0.060), ("R", 0.011), ("H", 0.005)),
    "soil": (("Y", 0.058), ("R", 0.014), ("H", 0.008)),
    "sun": (("R", 0.052), ("H", 0.003)),
    "rain": (("H", 0.011), ("R", 0.006)),
    "wind": (("Y", 0.051), ("R", 0.023), ("I", 0.010), ("H", 0.003)),
    "computed": (("R", 0.069), ("A", 0.015), ("H", 0.006)),
}
_OUTAGE_DAYS = 4.0
_NEVER_COMPUTED = 0.10


@dataclass(frozen=True, slots=True)
class Faults:
    """Days out of service by sensor, and drawn numbers that decide on flags."""

    days: int
    out: dict[str, Bools]
    draws: dict[str, npt.NDArray[np.float64]]
    has_tall: bool

    def of(self, item: Item) -> tuple[Bools, list[str]]:
        """Return an item's missing rows and its flags (blank = passed) for the whole year."""
        sensor = next((s for name, s in _SENSORS.items() if item.column.startswith(name)), "wind")
        missing = self.out["logger"] | self.out[sensor]
        if sensor == "computed":
            missing = missing | self.out["air"] | self.out["sun"] | self.out["wind"]
        letters = np.full(self.days, " ", dtype="<U1")
        low = 0.0
        for letter, share in _FLAGS[sensor]:
            chosen = (self.draws[sensor] >= low) & (self.draws[sensor] < low + share)
            letters[chosen] = letter
            low += share
        letters[missing] = "M"
        if sensor not in ("computed", "rain"):
            letters[self.out[sensor]] = "S"
        if item.column == "asce_etr" and not self.has_tall:
            missing = np.ones(self.days, dtype=np.bool_)
            letters[:] = "N"
        if item.scope is Scope.HOURLY:
            letters = np.where(letters == "H", " ", letters)
            return np.repeat(missing, len(HOURS)), np.repeat(letters, len(HOURS)).tolist()
        return missing, letters.tolist()


def sensor_faults(site: StationSite, year: int, days: int) -> Faults:
    """Return the faults of a station's year, the same for the same station and year."""
    chance = np.random.default_rng([site.number, year, 7])
    out = {}
    for sensor, share in _OUTAGE.items():
        missing = np.zeros(days, dtype=np.bool_)
        for _ in range(chance.poisson(share * days / _OUTAGE_DAYS)):
            start = int(chance.integers(0, days))
            missing[start : start + int(chance.geometric(1 / _OUTAGE_DAYS))] = True
        out[sensor] = missing
    draws = {sensor: chance.random(days) for sensor in _FLAGS}
    has_tall = bool(np.random.default_rng([site.number, 8]).random() >= _NEVER_COMPUTED)
    return Faults(days, out, draws, has_tall)
