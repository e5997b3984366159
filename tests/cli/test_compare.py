"""Periods side by side: as Polars joins and sums the rows, leap days and gaps included."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from polars import col

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.time import network_day
from cimis.store import Store
from tests.queries.made import put_days

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

FIRST = dt.date(2018, 1, 1)
DAYS = (dt.date(2025, 1, 1) - FIRST).days
DRAWN = np.random.default_rng(17)
RULES = {"asce_eto": "sum", "air_tmp_max": "max", "air_tmp_min": "min", "rel_hum_avg": "mean"}
ITEMS = ",".join(RULES)
GONE = frozenset(range(DAYS)) & {*range(400, 420), *range(1100, 1111), 790, 2249}
"""Days without a record; 790 is 29 February 2020's eve, 2249 28 February 2024."""


def _drawn(low: float, high: float) -> np.ndarray:
    values = np.round(DRAWN.uniform(low, high, DAYS), 1)
    values[DRAWN.random(DAYS) < 0.04] = np.nan
    return values


COLUMNS = {
    station: {
        "asce_eto": _drawn(0, 9),
        "air_tmp_max": _drawn(10, 40),
        "air_tmp_min": _drawn(-5, 9),
        "rel_hum_avg": _drawn(20, 99),
    }
    for station in (5, 80)
}
ROWS = pl.concat(
    pl.DataFrame({"date": [FIRST + dt.timedelta(days=n) for n in range(DAYS)], **columns})
    .with_columns(station=pl.lit(station), place=pl.int_range(DAYS))
    .filter(~col("place").is_in(list(GONE)) if station == 5 else True)
    .drop("place")
    .fill_nan(None)
    for station, columns in COLUMNS.items()
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven years of two stations; values lack at random, records of one on some days."""
    made = tmp_path_factory.mktemp("compare")
    put_days(made, 5, str(FIRST), COLUMNS[5], absent=sorted(GONE))
    put_days(made, 80, str(FIRST), COLUMNS[80])
    return made


def beside(first: str, last: str, earlier: int) -> pl.DataFrame:
    """Return the same rows by a join over year, month and day."""
    days = col("date").is_between(dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    keys = {"y": col("date").dt.year(), "m": col("date").dt.month(), "d": col("date").dt.day()}
    own = ROWS.with_columns(**keys)
    theirs = own.with_columns(col("y") + earlier).rename({"date": "date_compared"})
    joined = own.join(theirs, on=["station", "y", "m", "d"], how="full", suffix="_compared")
    whole = joined.with_columns(
        station=pl.coalesce("station", "station_compared"),
        date=pl.coalesce(
            "date",
            pl.when(
                (col("m_compared") != 2) | (col("d_compared") != 29) | _leap("y_compared")
            ).then(pl.date("y_compared", "m_compared", "d_compared")),
        ),
    )
    return whole.filter(days).sort("station", "date")


def _leap(year: str) -> pl.Expr:
    return col(year) % 4 == 0


SPANS = {
    "a month with a leap day": ("2024-02-01", "2024-02-29", "last-year", 1),
    "a month without one beside one": ("2021-02-01", "2021-02-28", "2020", 1),
    "from a leap day on": ("2024-02-29", "2024-03-05", "last-year", 1),
    "a leap day alone": ("2020-02-29", "2020-02-29", "2019", 1),
    "up to one": ("2024-02-20", "2024-02-29", "2023", 1),
    "a later year": ("2021-02-01", "2021-03-31", "2024", -3),
    "leap years both": ("2024-02-01", "2024-03-31", "2020", 4),
    "a water year": ("2019-10-01", "2020-09-30", "last-year", 1),
    "over a new year, named by its last day": ("2021-11-15", "2022-02-10", "2020", 2),
    "several years": ("2019-01-01", "2021-12-31", "last-year", 1),
}


@pytest.mark.parametrize(("first", "last", "to", "earlier"), SPANS.values(), ids=SPANS)
def test_days_are_those_of_a_join_by_month_and_day(
    first: str, last: str, to: str, earlier: int, root: Path, typed: Typed
) -> None:
    answer = typed(
        *("query", "--data-dir", root, "--start", first, "--end", last, "--items", ITEMS),
        *("--compare", to, "--json"),
    )
    assert answer.code == 0, answer.err
    got, due = json.loads(answer.out), beside(first, last, earlier)
    assert [row["date"] for row in got] == due["date"].cast(pl.String).to_list()
    for item in RULES:
        assert [row[item] for row in got] == due[item].to_list()
        assert [row[f"{item}_compared"] for row in got] == due[f"{item}_compared"].to_list()
        away = (due[item] - due[f"{item}_compared"]).to_list()
        assert [row[f"{item}_difference"] for row in got] == pytest.approx(away, abs=1e-6)
    alone = [row for row in got if row["date"].endswith("02-29") and earlier % 4]
    assert all(row["date_compared"] is None for row in alone)
    assert ("29 February has no counterpart" in answer.err) == bool(alone)


@pytest.mark.parametrize("every", ["week", "month", "year", "water-year"])
@pytest.mark.parametrize(("first", "last", "to", "earlier"), SPANS.values(), ids=SPANS)
def test_totals_are_of_the_days_that_have_both(
    first: str, last: str, to: str, earlier: int, every: str, root: Path
) -> None:
    with Store(root) as store:
        got = store.compare(to, None, first, last, ITEMS, every=every).pl()
    begins = {
        "week": col("date").dt.truncate("1w"),
        "month": col("date").dt.truncate("1mo"),
        "year": col("date").dt.truncate("1y"),
        "water-year": col("date").dt.offset_by("3mo").dt.truncate("1y").dt.offset_by("-3mo"),
    }[every]
    groups = beside(first, last, earlier).group_by("station", period=begins)
    due = groups.agg(
        *(
            figure
            for item, rule in RULES.items()
            for both in [col(item).is_not_null() & col(f"{item}_compared").is_not_null()]
            for figure in (
                _total(col(item).filter(both), rule).alias(item),
                _total(col(f"{item}_compared").filter(both), rule).alias(f"{item}_compared"),
                both.sum().alias(f"{item}_days"),
            )
        )
    ).sort("station", "period")
    assert got["station"].to_list() == due["station"].to_list()
    assert got["period"].to_list() == due["period"].to_list()
    for item in RULES:
        assert got[f"{item}_days"].to_list() == due[f"{item}_days"].to_list()
        for name in (item, f"{item}_compared"):
            assert got[name].to_list() == pytest.approx(
                due[name].to_list(), abs=0.0501, nan_ok=True
            )
        away = (got[item] - got[f"{item}_compared"]).to_list()
        assert got[f"{item}_difference"].to_list() == pytest.approx(away, abs=1e-9)


def _total(values: pl.Expr, rule: str) -> pl.Expr:
    if rule == "sum":
        return pl.when(values.len() > 0).then(values.sum())
    found: pl.Expr = getattr(values, rule)()
    return found


def test_a_period_that_the_days_cut_says_how_many_they_are(root: Path) -> None:
    with Store(root) as store:
        got = store.compare(2020, 80, "2021-01-15", "2021-02-10", "asce_eto", every="month").pl()
    assert got["days"].to_list() == [17, 10]
    assert got["period_compared"].to_list() == [dt.date(2020, 1, 1), dt.date(2020, 2, 1)]


def test_english_totals_are_inches_and_fahrenheit(root: Path) -> None:
    span = ("2021-06-01", "2021-06-30")
    with Store(root) as store:
        metric, english = (
            store.compare(2020, 80, *span, ITEMS, every="month", units=units)
            .pl()
            .row(0, named=True)
            for units in ("metric", "english")
        )
    assert english["asce_eto"] == pytest.approx(metric["asce_eto"] / 25.4, abs=0.00501)
    assert english["air_tmp_max_compared"] == pytest.approx(
        metric["air_tmp_max_compared"] * 1.8 + 32, abs=0.0501
    )
    assert english["asce_eto_difference"] == pytest.approx(
        english["asce_eto"] - english["asce_eto_compared"]
    )


def test_totals_against_normals_are_sums_of_both(root: Path) -> None:
    """Days with a value count; their normals, as given day by day, are added up too."""
    span = ("2024-02-01", "2024-04-30")
    with Store(root) as store:
        days = store.compare("normal", 5, *span, "asce_eto,air_tmp_max").pl()
        got = store.compare("normal", 5, *span, "asce_eto,air_tmp_max", every="month").pl()
    there = days.group_by(period=col("date").dt.truncate("1mo")).agg(
        *(
            way(col(name).filter(col(item).is_not_null())).alias(name)
            for item, way in (("asce_eto", pl.Expr.sum), ("air_tmp_max", pl.Expr.mean))
            for name in (item, f"{item}_normal")
        ),
        counted=col("asce_eto").is_not_null().sum(),
    )
    due = there.sort("period")
    assert got["asce_eto_days"].to_list() == due["counted"].to_list()
    for name in ("asce_eto", "asce_eto_normal", "air_tmp_max", "air_tmp_max_normal"):
        assert got[name].to_list() == pytest.approx(due[name].to_list(), abs=0.0501)
    away = (got["asce_eto"] - got["asce_eto_normal"]).to_list()
    assert got["asce_eto_anomaly"].to_list() == pytest.approx(away, abs=1e-9)


def test_this_month_against_last_year_is_a_line_per_station(tmp_path: Path, typed: Typed) -> None:
    """The nearest station to a point, from the first of the month to yesterday, and a year ago."""
    from cimis.pipeline.catalog.database import Catalog

    now = network_day()
    first = (now - dt.timedelta(days=40)).replace(day=1)
    begun = first.replace(year=first.year - 2)
    values = [float(n % 7) for n in range((now - begun).days)]
    put_days(tmp_path, 6, str(begun), {"asce_eto": values})
    facts = {"number": 6, "name": "Davis", "latitude": 38.5357, "longitude": -121.7764}
    with Catalog(tmp_path) as catalog:
        catalog.put_stations([(6, "Davis", facts)])
    words = ("--near", "38.5,-121.7", "--month", "last", "--every", "month")
    answer = typed(
        *("query", "--data-dir", tmp_path, *words, "--items", "asce_eto"),
        *("--compare", "last-year", "--json"),
    )
    assert answer.code == 0, answer.err
    (row,) = json.loads(answer.out)
    last = now.replace(day=1) - dt.timedelta(days=1)
    held = {begun + dt.timedelta(days=n): value for n, value in enumerate(values)}

    def total(year: int) -> float:
        days = (last.replace(day=n) for n in range(1, last.day + 1))
        pairs = [(day.replace(year=year)) for day in days if (day.month, day.day) != (2, 29)]
        return sum(held[day] for day in pairs)

    assert row["asce_eto"] == pytest.approx(total(last.year))
    assert row["asce_eto_compared"] == pytest.approx(total(last.year - 1))
    assert '"station": 6, "name": "Davis"' in answer.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--year", "2020", "--compare", "lastyear"), 2, "nothing to compare with"),
        (("--year", "2020", "--compare", "2020"), 2, "the year of these days itself"),
        (("--compare", "last-year"), 2, "another year needs the days"),
        (("--year", "2020", "--compare", "2019", "--every", "day"), 2, "no daily period 'day'"),
        (("--year", "2020", "--compare", "2019", "--period", "2018"), 2, "what normals are of"),
        (("--year", "2020", "--compare", "2019", "--hourly"), 2, "the days of stations"),
        (("--year", "2018", "--compare", "2010", "--qc", "keep"), 3, "nothing to compare with"),
        (("--year", "2012", "--compare", "2010"), 3, "no daily record is stored"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_compared_is_one_line(
    words: tuple[str, ...], code: int, said: str, root: Path, typed: Typed
) -> None:
    answer = typed("query", "--data-dir", root, "--items", "asce_eto", *words)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err


def test_what_the_other_year_lacks_is_said(root: Path, typed: Typed) -> None:
    """Days without a record of the other year do not pass in silence."""
    span = ("--start", "2020-02-05", "--end", "2020-03-10", "--station", "5")
    answer = typed(
        *("query", "--data-dir", root, *span, "--items", "asce_eto", "--compare", "2019"), "--json"
    )
    assert "in 2019-02-05 to 2019-03-10: less than asked: station 5 has 14 of 34" in answer.err


@pytest.mark.parametrize("given", [{"to": "2O20"}, {"to": None}, {"to": 1.5}])
def test_in_python_too_what_cannot_be_meant_is_refused(root: Path, given: dict[str, Any]) -> None:
    with Store(root) as store, pytest.raises(UsageError, match="nothing to compare with"):
        store.compare(given["to"], start="2020-01-01", end="2020-01-31")
