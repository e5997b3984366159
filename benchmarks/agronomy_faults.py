"""False alarms of sensor checks on generated weather, and which injected faults they find."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cimis.agronomy.drift import clear_sky_drift, humidity_ceiling
from cimis.agronomy.evidence import Marks, Verdict, evidence_of
from cimis.agronomy.sensors import (
    DAILY_BOUNDS,
    OUTLIER_ITEMS,
    consistency,
    monthly_outliers,
    out_of_range,
)
from cimis.agronomy.solar import clear_sky_w_m2
from cimis.agronomy.stuck import steps, stuck
from cimis.pipeline.emulator.network import StationSite, sites
from cimis.pipeline.emulator.weather.climate import HourlyWeather, weather_of_year
from cimis.pipeline.field.eto import clear_sky_mj, extraterrestrial_daily_mj

__all__ = ["SUMMER", "daily_marks", "report_generated"]

Doubles = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

SUMMER = slice(2, 4)
"""The two periods of May to August: 30 April or 1 May to 28 August."""


@dataclass(frozen=True, slots=True)
class GeneratedYear:
    """A generated station's year: its place and its hours, days × 24."""

    site: StationSite
    dates: Days
    weather: HourlyWeather

    @property
    def day_of_year(self) -> Doubles:
        """1 to 365 or 366."""
        return np.arange(1.0, self.dates.size + 1)

    @property
    def hours(self) -> Days:
        """The ends of the hours."""
        first = self.dates[0] + np.timedelta64(1, "h")
        ends: Days = first + np.arange(self.dates.size * 24)
        return ends

    @property
    def clear_w_m2(self) -> Doubles:
        """Clear-sky radiation of each day."""
        vapour = self.weather.vapour_kpa.mean(axis=1)
        place = np.array(self.site.latitude), np.array(self.site.elevation_m)
        return clear_sky_w_m2(self.day_of_year, *place, vapour)


def generated_years(count: int, year: int = 2015) -> Iterator[GeneratedYear]:
    """Yield years of generated stations without any fault.

    The generator dims a sky of 0.75 Ra; here its clear sky is that of the ASCE's Appendix D.
    """
    network = list(sites().values())
    dates = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]")
    for site in network[:: max(len(network) // count, 1)][:count]:
        found = GeneratedYear(site, dates, weather_of_year(site, year))
        above = extraterrestrial_daily_mj(found.day_of_year, site.latitude)
        ratio = found.clear_w_m2 * 0.0864 / clear_sky_mj(above, site.elevation_m)
        sun = found.weather.solar_w_m2 * ratio[:, None]
        yield replace(found, weather=replace(found.weather, solar_w_m2=sun))


def _stuck(values: Doubles, days: int) -> Doubles:
    """Return hours whose values stand still for some days from 1 June on."""
    changed = values.copy()
    changed[151 : 151 + days] = changed[151, 0]
    return changed


def _step(values: Doubles, by: float) -> Doubles:
    """Return hours that are off by a constant from 1 June, 10 o'clock, on."""
    changed = values.copy().ravel()
    changed[151 * 24 + 9 :] += by
    return changed.reshape(values.shape)


FAULTS: Mapping[str, tuple[str, Callable[[Doubles], Doubles]]] = {
    "radiation reads 5 % low": ("solar_w_m2", lambda v: v * 0.95),
    "radiation reads 10 % low": ("solar_w_m2", lambda v: v * 0.90),
    "radiation reads 5 % high": ("solar_w_m2", lambda v: v * 1.05),
    "radiation reads 10 % high": ("solar_w_m2", lambda v: v * 1.10),
    "humidity reads 5 % low": ("humidity", lambda v: v * 0.95),
    "humidity reads 10 % low": ("humidity", lambda v: v * 0.90),
    "wind speed stuck for 2 days": ("wind_m_s", lambda v: _stuck(v, 2)),
    "wind direction stuck for 2 days": ("direction_deg", lambda v: _stuck(v, 2)),
    "temperature stuck for 2 days": ("air_c", lambda v: _stuck(v, 2)),
    "temperature steps by 6 °C": ("air_c", lambda v: _step(v, 6.0)),
    "temperature steps by 12 °C": ("air_c", lambda v: _step(v, 12.0)),
}
"""Faults to inject: the sensor, and what becomes of its hours."""


def daily_marks(
    items: Mapping[str, Doubles], months: npt.NDArray[np.int64]
) -> Iterator[tuple[str, Marks]]:
    """Yield the marks of each check of daily values of one series, with the item's name."""
    for item in DAILY_BOUNDS:
        if item in items:
            yield f"range, {item}", out_of_range(item, items[item])
    for item in OUTLIER_ITEMS:
        if item in items:
            yield f"outlier, {item}", monthly_outliers(months, items[item])
    named = ("air_tmp_min", "air_tmp_avg", "air_tmp_max", "dew_pnt")
    yield from consistency(*(items[name] for name in named)).items()


def suspects(year: GeneratedYear) -> set[str]:
    """Return which checks find something in a generated year."""
    weather, found = year.weather, set()
    solar = weather.solar_w_m2.mean(axis=1)
    periods = clear_sky_drift(year.dates, solar, year.clear_w_m2)
    if "suspect" in periods.verdict[SUMMER]:
        found.add("drift, May to August")
    if "suspect" in np.delete(periods.verdict, [2, 3]):
        found.add("drift, other months")
    if "suspect" in humidity_ceiling(year.dates, weather.humidity.max(axis=1)).verdict:
        found.add("humidity's ceiling")
    days = {
        "air_tmp_avg": weather.air_c.mean(axis=1),
        "air_tmp_max": np.maximum(weather.air_max_c, weather.air_c).max(axis=1),
        "air_tmp_min": np.minimum(weather.air_min_c, weather.air_c).min(axis=1),
        "dew_pnt": weather.dew_c.mean(axis=1),
        "vap_pres_avg": weather.vapour_kpa.mean(axis=1),
        "wind_spd_avg": weather.wind_m_s.mean(axis=1),
    }
    months = year.dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    marks = [(name, one, year.dates) for name, one in daily_marks(days, months)]
    for item, hours in (
        ("air_tmp", weather.air_c),
        ("wind_spd", weather.wind_m_s),
        ("wind_dir", weather.direction_deg),
    ):
        sent = np.round(hours.ravel(), 0 if item == "wind_dir" else 1)
        marks += [(f"{m.check}, {item}", m, year.hours) for m in stuck(item, year.hours, sent)]
        if item == "air_tmp":
            marks += [(m.check, m, year.hours) for m in steps(year.hours, sent)]
    return found | {n for n, m, times in marks if evidence_of(m, times).verdict is Verdict.SUSPECT}


def report_generated(count: int) -> None:
    """Print false alarms of sound generated years, and how many injected faults are found."""
    clean = {year.site.number: (year, suspects(year)) for year in generated_years(count)}
    alarms: dict[str, int] = defaultdict(int)
    for _, found in clean.values():
        for name in found:
            alarms[name] += 1
    print(f"\n## Generated weather without faults: alarms of {len(clean)} station-years\n")
    print("\n".join(f"- {name}: {number}" for name, number in sorted(alarms.items())) or "none")
    print("\n## The same with a fault: station-years in which a check newly finds it\n")
    for fault, (sensor, change) in FAULTS.items():
        new: dict[str, int] = defaultdict(int)
        for year, before in clean.values():
            broken = replace(year.weather, **{sensor: change(getattr(year.weather, sensor))})
            for name in suspects(replace(year, weather=broken)) - before:
                new[name] += 1
        print(f"- {fault}: " + (", ".join(f"{k} {v}" for k, v in sorted(new.items())) or "nothing"))
