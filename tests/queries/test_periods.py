"""Records summed up over periods agree with the same computed in Polars, with their counts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope
from cimis.store import Store, open_store
from tests.cli.conftest import typed
from tests.queries.conftest import put, year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

C = pl.col
DAILY = "air_tmp_avg,air_tmp_max,air_tmp_min,asce_eto,precip,rel_hum_avg"
WINDOWS = {"week": "1w", "month": "1mo", "year": "1y"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stations' three years with gaps and missing values; one of them hourly too."""
    folder = tmp_path_factory.mktemp("periods")
    years = [(station, year) for station in (2, 80) for year in (2020, 2021, 2022)]
    put(folder, [year_table(Scope.DAILY, *each, items=DAILY) for each in years])
    put(folder, [year_table(Scope.HOURLY, 80, 2021, items="air_tmp,precip,wind_dir")])
    return folder


@pytest.fixture
def store(root: Path) -> Iterator[Store]:
    with open_store(root) as opened:
        yield opened


def _begin(every: str) -> pl.Expr:
    if every == "water-year":
        ends = C("date").dt.offset_by("3mo").dt.year()
        return pl.date(ends - 1, 10, 1)
    return C("date").dt.truncate(WINDOWS[every])


def _due(frame: pl.DataFrame, every: str, names: list[str]) -> pl.DataFrame:
    rules = {
        "air_tmp_avg": C("air_tmp_avg").mean(),
        "air_tmp_max": C("air_tmp_max").max(),
        "air_tmp_min": C("air_tmp_min").min(),
        "rel_hum_avg": C("rel_hum_avg").mean(),
        **{
            name: pl.when(C(name).count() > 0).then(C(name).sum())
            for name in ("asce_eto", "precip")
        },
    }
    figures = [e for n in names for e in (rules[n].alias(n), C(n).count().alias(f"{n}_days"))]
    return (
        frame.group_by("station", _begin(every).alias("period"))
        .agg(figures)
        .sort("station", "period")
    )


def _same(got: pl.DataFrame, due: pl.DataFrame, names: list[str]) -> None:
    assert got.height == due.height > 0
    assert got["station"].to_list() == due["station"].to_list()
    assert got["period"].to_list() == due["period"].to_list()
    for name in names:
        assert got[f"{name}_days"].to_list() == due[f"{name}_days"].to_list()
        one, two = got[name].to_numpy(), due[name].to_numpy()
        assert np.allclose(one, two, atol=0.051, equal_nan=True), name


@pytest.mark.parametrize("every", ["week", "month", "year", "water-year"])
def test_daily_periods(every: str, store: Store) -> None:
    names = DAILY.split(",")
    got = store.every(every).pl()
    _same(got, _due(store.daily(), every, names), names)
    lengths = {"week": {7}, "month": {28, 29, 30, 31}}.get(every, {365, 366})
    assert set(got["days"].to_list()) <= lengths
    assert (got["asce_eto_days"] <= got["days"]).all()
    assert (got["asce_eto_days"] < got["days"]).any()


def test_a_span_cuts_the_periods_and_their_days(store: Store) -> None:
    got = store.every(
        "month", stations=2, start="2021-01-20", end="2021-03-04", items="precip"
    ).pl()
    assert got["days"].to_list() == [12, 28, 4]
    frame = store.daily(stations=2, start="2021-01-20", end="2021-03-04", items="precip")
    _same(got, _due(frame, "month", ["precip"]), ["precip"])


def test_hourly_days_and_directions(store: Store) -> None:
    """Hours of a day are summed up by the network's own day; north is not south of it."""
    got = store.every("day", scope="hourly", stations=80, start="2021-06-01", end="2021-06-03").pl()
    hours = store.hourly(stations=80, start="2021-06-01", end="2021-06-03")
    assert got["hours"].to_list() == [24, 24, 24]
    due = hours.group_by("date", maintain_order=True).agg(
        C("precip").sum(),
        C("wind_dir").radians().sin().mean().alias("x"),
        C("wind_dir").radians().cos().mean().alias("y"),
    )
    assert np.allclose(got["precip"].to_numpy(), due["precip"].to_numpy(), atol=0.01)
    direction = np.degrees(np.arctan2(due["x"].to_numpy(), due["y"].to_numpy())) % 360
    assert np.allclose(got["wind_dir"].to_numpy(), direction, atol=0.06)


def test_english_units(store: Store) -> None:
    """Sums and means are converted as a whole, extremes with their shift."""
    metric, english = (
        store.every("year", items="asce_eto,air_tmp_max", units=units).pl()
        for units in ("metric", "english")
    )
    assert np.allclose(
        english["asce_eto"].to_numpy(), metric["asce_eto"].to_numpy() / 25.4, atol=0.0051
    )
    due = metric["air_tmp_max"].to_numpy() * 1.8 + 32
    assert np.allclose(english["air_tmp_max"].to_numpy(), due, atol=0.06)


def test_the_flag_policy_reaches_the_figures(store: Store) -> None:
    kept, strict = (store.every("year", items="precip", qc=qc).pl() for qc in ("keep", "strict"))
    assert (strict["precip_days"] < kept["precip_days"]).all()


def test_what_is_no_period_is_refused(store: Store) -> None:
    for wrong in ("decade", "day"):
        with pytest.raises(UsageError, match="no daily period"):
            store.every(wrong)


def test_the_command_line_sums_up(typed: Typed, root: Path) -> None:
    asked = ("query", "--stations", "2", "--water-year", "2021", "--items", "asce_eto")
    answer = typed(*asked, "--every", "water-year", "--data-dir", root, "--json")
    (row,) = json.loads(answer.out)
    assert (row["period"], row["days"]) == ("2020-10-01", 365)
    assert 300 < row["asce_eto_days"] <= 365


def test_a_date_type_is_a_date(store: Store) -> None:
    assert store.every("month", items="precip").pl()["period"].dtype == pl.Date
    assert dt.date(2020, 1, 1) in store.every("month", items="precip").pl()["period"].to_list()
