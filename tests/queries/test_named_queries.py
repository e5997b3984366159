"""The library's questions run on any store and answer what their first line says."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from cimis.pipeline.errors import UsageError
from cimis.queries.answers.named import named_queries, named_query
from cimis.store import Store
from tests.queries.conftest import Network

C = pl.col
EXPECTED = {
    "chill-hours",
    "frost-nights",
    "gaps",
    "growing-degree-days",
    "latest",
    "monthly-eto",
    "rain-days",
    "water-year-eto",
    "year-rank",
}


def _asked(store: Store, name: str, **given: str) -> pl.DataFrame:
    query = named_query(name)
    frame = store.sql(query.sql, query.values(given) or None).pl()
    assert isinstance(frame, pl.DataFrame)
    return frame


def test_the_library_is_complete_and_described() -> None:
    library = named_queries()
    assert set(library) == EXPECTED
    for name, query in library.items():
        assert query.name == name
        assert query.description.endswith(".")
        assert all(f"${p.name}" in query.sql and p.meaning for p in query.parameters)
    with pytest.raises(UsageError, match="no query named 'nope'") as caught:
        named_query("nope")
    assert "latest" in str(caught.value.hint)
    with pytest.raises(UsageError, match="no query named"):
        named_query("../duck/engine")
    with pytest.raises(UsageError, match="has no parameter 'x'"):
        named_query("gaps").values({"x": "1"})


def test_monthly_totals_add_up(store: Store, network: Network) -> None:
    got = _asked(store, "monthly-eto", start="2021-01-01", end="2021-12-31")
    daily = network.frames["daily"].filter(C("date").dt.year() == 2021)
    due = (
        daily.group_by("station", C("date").dt.truncate("1mo").alias("month"))
        .agg(C("asce_eto").sum().round(2), C("asce_eto").count().alias("days"))
        .sort("station", "month")
    )
    assert got["station"].to_list() == due["station"].to_list()
    assert got["reference_eto_mm"].to_list() == pytest.approx(due["asce_eto"].to_list(), abs=0.011)
    assert got["days"].to_list() == due["days"].to_list()
    month_days = due["month"].dt.days_in_month() - due["days"]
    assert got["days_missing"].to_list() == month_days.to_list()


def test_water_years_are_named_by_their_end(store: Store, network: Network) -> None:
    got = _asked(store, "water-year-eto")
    one = got.filter((C("station") == 2) & (C("water_year") == 2021)).row(0, named=True)
    span = C("date").is_between(dt.date(2020, 10, 1), dt.date(2021, 9, 30))
    due = network.frames["daily"].filter((C("station") == 2) & span)
    assert one["reference_eto_mm"] == pytest.approx(due["asce_eto"].sum(), abs=0.011)
    assert one["days"] == due["asce_eto"].count()
    assert one["days_missing"] == 365 - one["days"]
    leap = got.filter((C("station") == 2) & (C("water_year") == 2020)).row(0, named=True)
    assert leap["days"] + leap["days_missing"] == 366


def test_gaps_are_the_absent_days(store: Store, network: Network) -> None:
    got = _asked(store, "gaps")
    days = network.frames["daily"].filter(C("station") == 131)["date"]
    inside = (max(days.to_list()) - min(days.to_list())).days + 1
    absent = inside - len(days)
    assert got.filter(C("station") == 131)["days"].sum() == absent > 0
    assert _asked(store, "gaps", days="6").height < got.height


def test_rain_days_latest_and_ranks(store: Store, network: Network) -> None:
    rain = _asked(store, "rain-days", threshold="5")
    whole = network.frames["daily"]
    assert rain["rain_days"].sum() == whole.filter(C("precip") >= 5).height
    latest = _asked(store, "latest")
    newest = whole.group_by("station").agg(C("date").max()).sort("station")
    assert latest.select("station", "date").equals(newest)
    rank = _asked(store, "year-rank", days="300")
    assert rank.filter(C("reference_eto_rank") == 1).height == rank["station"].n_unique()
    assert (rank["reference_eto_rank"] <= rank["years"]).all()


@pytest.mark.parametrize("name", ["growing-degree-days", "frost-nights"])
def test_a_question_about_items_that_are_not_stored_says_which(name: str, store: Store) -> None:
    """The network of these tests keeps no daily extremes."""
    with pytest.raises(UsageError, match="nothing stored holds air_tmp_m"):
        store.named(name)


def test_chill_hours_count_the_winter(store: Store, network: Network) -> None:
    got = _asked(store, "chill-hours", low="0", high="7.2")
    cold = (C("air_tmp") > 0) & (C("air_tmp") <= 7.2)
    winter = C("date").dt.month().is_in([11, 12, 1, 2])
    assert got["chill_hours"].sum() == network.frames["hourly"].filter(winter & cold).height
