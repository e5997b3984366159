"""A generated winter of hourly temperatures, and the dynamic model as a plain loop."""

from __future__ import annotations

import math

import numpy as np

from cimis.agronomy.arrays import Doubles

__all__ = ["portions_by_loop", "winter"]


def winter(hours: int, stations: int, *, seed: int = 3) -> Doubles:
    """Return hours of a Central Valley winter, °C: days, fronts, and a season's course."""
    rng = np.random.default_rng(seed)
    at = np.arange(hours)[:, None]
    season = 8 + 9 * np.cos(2 * np.pi * at / 8766 + 0.6)
    day = 5 * np.cos(2 * np.pi * (at - 15) / 24)
    fronts = np.cumsum(rng.normal(0, 0.35, (hours, stations)), axis=0)
    fronts -= np.linspace(0, 1, hours)[:, None] * fronts[-1:]
    return np.asarray(np.round(season + day + np.clip(fronts, -9, 9), 1))


def portions_by_loop(temperatures: list[float], kelvin: float) -> float:
    """Return chill portions hour by hour, as Fishman, Erez & Couvillon (1987) write the model."""
    e0, e1, a0, a1, slope, tf = 4153.5, 12888.8, 139500.0, 2.567e18, 1.6, 277.0
    portions = intermediate = 0.0
    for celsius in temperatures:
        t = celsius + kelvin
        k0, k1 = a0 * math.exp(-e0 / t), a1 * math.exp(-e1 / t)  # making and breaking, per hour
        balance = k0 / k1
        intermediate = balance - (balance - intermediate) * math.exp(-k1)
        if intermediate >= 1:
            s = math.exp(slope * tf * (t - tf) / t)
            lasting = intermediate * s / (1 + s)
            portions += lasting
            intermediate -= lasting
    return portions
