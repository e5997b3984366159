"""How often the checks of sensors mark real and generated weather, and how good neighbours are.

Run with ``just bench-agronomy``. Imports the network's archive of 2013 to 2018 into ``--root``
once (minutes), measures drift, humidity's ceiling, marks of each check and the errors of
neighbours on it, then false alarms and detection on generated weather, and prints tables.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

import cimis
from benchmarks.agronomy_data import NetworkYear, network_years, place_of, placed, real_hours
from benchmarks.agronomy_faults import SUMMER, daily_marks, report_generated
from cimis.agronomy.drift import SOUND_FACTORS, Periods, clear_sky_drift, humidity_ceiling
from cimis.agronomy.evidence import Verdict, evidence_of
from cimis.agronomy.nearness import Near, inverse_distance, nearest, nearest_value
from cimis.agronomy.neighbours import against_neighbours, regression
from cimis.agronomy.sensors import DAILY_BOUNDS, OUTLIER_ITEMS
from cimis.agronomy.solar import clear_sky_w_m2
from cimis.agronomy.stuck import STILL, steps, stuck
from cimis.pipeline.archive.intake import take_in
from cimis.pipeline.service.stations import Station

Doubles = npt.NDArray[np.float64]

# item of the neighbours' table, wrong by so much on one day
NEIGHBOUR_ITEMS = {
    "eto": 1.0,
    "air_tmp_max": 5.0,
    "air_tmp_min": 5.0,
    "sol_rad_avg": 60.0,
    "vap_pres_avg": 0.3,
    "wind_spd_avg": 1.0,
}
ITEMS = tuple(sorted({*NEIGHBOUR_ITEMS, *DAILY_BOUNDS, *OUTLIER_ITEMS}))
NAMED = ((109, 2018), (159, 2013), (159, 2014), (161, 2013), (6, 2016), (116, 2014))


def drift_of(year: NetworkYear, stations: Mapping[int, Station]) -> dict[int, Periods]:
    """Return the periods of each station that has coordinates."""
    days = np.arange(1.0, year.dates.size + 1)
    found = {}
    for column, number in enumerate(year.stations):
        if number in stations:
            solar, vapour = (year.items[i][:, column] for i in ("sol_rad_avg", "vap_pres_avg"))
            here = stations[number]
            place = np.array(here.latitude), np.array(here.elevation_m)
            clear = clear_sky_w_m2(days, *place, vapour)
            found[number] = clear_sky_drift(year.dates, solar, clear)
    return found


def report_drift(years: list[NetworkYear], stations: Mapping[int, Station]) -> None:
    """Print the factors of some stations and the shares outside the sound band."""
    print("\n## Radiation against a clear sky, and humidity's ceiling\n")
    every = {year.year: drift_of(year, stations) for year in years}
    for number, year in NAMED:
        factors = ", ".join(f"{factor:.2f}" for factor in every[year][number].factor)
        print(f"- station {number}, {year}: {factors}")
    davis = np.concatenate([found[6].factor for found in every.values()])
    sound = ((davis >= SOUND_FACTORS[0]) & (davis <= SOUND_FACTORS[1])).sum()
    print(f"- Davis (6): {sound} of {np.isfinite(davis).sum()} periods within 0.97 to 1.03")
    grid = np.array(
        [p.factor for found in every.values() for p in found.values() if len(p.factor) == 6]
    )
    for name, part in (("May to August", grid[:, SUMMER]), ("all year", grid)):
        factors = part[np.isfinite(part)]
        outside = (factors < SOUND_FACTORS[0]) | (factors > SOUND_FACTORS[1])
        far = (np.abs(factors - 1) > 0.1).sum()
        share = f"{outside.mean():.1%} of {factors.size} station-periods outside"
        print(f"- {name}: {share}, {far} by more than 10 %")
    percents = np.concatenate(
        [
            humidity_ceiling(y.dates, column).percent
            for y in years
            for column in y.items["rel_hum_max"].T
        ]
    )
    judged = percents[np.isfinite(percents)]
    print(f"- humidity's ceiling below 95 %: {(judged < 95).sum()} of {judged.size} station-years")


def report_marks(years: list[NetworkYear]) -> None:
    """Print what each check of daily values marks in the archive; outliers over all years."""
    print("\n## Marks of daily values in the archive\n")
    print("| check | station-series | suspect | values marked |\n|---|--:|--:|--:|")
    table: dict[str, list[tuple[bool, int, int]]] = defaultdict(list)
    numbers = sorted({number for year in years for number in year.stations})
    for number in numbers:
        own = [(y, y.stations.index(number)) for y in years if number in y.stations]
        dates = np.concatenate([y.dates for y, _ in own])
        items = {i: np.concatenate([y.items[i][:, column] for y, column in own]) for i in ITEMS}
        months = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
        for name, marks in daily_marks(items, months):
            found = evidence_of(marks, dates)
            if found.verdict is not Verdict.NO_EVIDENCE:
                suspect = found.verdict is Verdict.SUSPECT
                table[name].append((suspect, found.marked, found.judged))
    for name, rows in table.items():
        suspect, marked, judged = (sum(column) for column in zip(*rows, strict=True))
        print(f"| {name} | {len(rows)} | {suspect} | {marked} of {judged} |")


def _errors(values: Doubles, near: Near, estimates: Doubles) -> tuple[Doubles, Doubles]:
    """Return absolute errors of inverse distance and nearest on the days of the estimates."""
    plain = []
    for column, station in enumerate(near.stations):
        if near.lack(column) is None:
            here = np.isfinite(values[:, column] - estimates[:, column])
            both = inverse_distance(values, near, station), nearest_value(values, near, station)
            plain.append([np.abs(values[:, column] - guess)[here] for guess in both])
    return np.concatenate([p[0] for p in plain]), np.concatenate([p[1] for p in plain])


def report_neighbours(year: NetworkYear, stations: Mapping[int, Station]) -> None:
    """Print the errors of estimates from neighbours: every third day, left out."""
    places = [place_of(stations[n]) if n in stations else None for n in year.stations]
    near = nearest(year.stations, places)
    print(f"\n## Neighbours, {year.year}, every third day: mean absolute error\n")
    print(
        "| item | values | regression | inverse distance | nearest | beyond 3 s | one wrong day |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    spent = 0.0
    for item, wrong in NEIGHBOUR_ITEMS.items():
        values = year.items[item]
        start = time.perf_counter()
        estimates = regression(values, near)
        marks = against_neighbours(values, estimates)
        spent += time.perf_counter() - start
        third = values[::3]
        error = np.abs(third - estimates.value[::3])
        judged = np.isfinite(error)
        distance, first = _errors(third, near, estimates.value[::3])
        shifted = np.abs(marks.figure[::3] + wrong / estimates.error[::3])[judged] > 3
        cells = (
            item,
            judged.sum(),
            *(f"{e.mean():.4g}" for e in (error[judged], distance, first)),
            f"{marks.marked[::3][judged].mean():.2%}",
            f"off by {wrong:g}: {shifted.mean():.0%} found",
        )
        print("| " + " | ".join(str(cell) for cell in cells) + " |")
    print(f"\n{len(NEIGHBOUR_ITEMS)} items of {len(near.stations)} stations: {spent:.1f} s")


def report_hours(real: Path) -> None:
    """Print the shares of hours that the rules of standstill and steps mark on real stations."""
    shares: dict[str, list[float]] = defaultdict(list)
    for name, times, items in real_hours(real):
        judged = [(item, marks) for item in STILL for marks in stuck(item, times, items[item])]
        judged += [("air_tmp", marks) for marks in steps(times, items["air_tmp"])]
        for item, marks in judged:
            shares[f"{item}, {marks.check}"].append(marks.marked.sum() / len(times))
        print(f"- {name}: {len(times)} hours")
    for rule, found in shares.items():
        print(f"- {rule}: {min(found):.1%} to {max(found):.1%} of hours")


def main() -> None:
    """Build what is missing, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("benchmarks/out/agronomy"))
    parser.add_argument("--real", type=Path, default=Path("../shared/real"))
    parser.add_argument("--generated", type=int, default=40, help="station-years of weather")
    given = parser.parse_args()
    if (given.real / "ftp").exists():
        if not given.root.exists():
            cimis.create(given.root).close()
            take_in(given.root, [given.real / "ftp"], now=dt.datetime.now(dt.UTC))
        stations = placed(given.real / "api/stations/legacy_all_stations.json")
        years = list(network_years(given.root, ITEMS))
        report_drift(years, stations)
        report_marks(years)
        report_neighbours(next(year for year in years if year.year == 2016), stations)
        print("\n## Hours of real stations that stand still or jump\n")
        report_hours(given.real)
    else:
        print(f"no archive in {given.real}: generated weather only")
    report_generated(given.generated)


if __name__ == "__main__":
    main()
