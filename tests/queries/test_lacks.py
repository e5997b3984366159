"""What an answer is short of, reckoned from what was asked, rows per station and the catalog."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cimis
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.lacks import Asked, Held, lacks_of
from cimis.store import Store
from tests.queries.conftest import Network

TODAY = dt.date(2024, 7, 10)
ETO = frozenset({"day-eto"})
BOTH = ETO | {"day-asce-eto"}


def held(site: int, year: int, items: frozenset[str] = BOTH) -> Held:
    return Held(site, dt.date(year, 1, 1), dt.date(year, 12, 31), items)


def asked(*sites: int, first: str = "2023-06-01", last: str = "2023-06-10", **more: Any) -> Asked:
    days = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return Asked(Scope.DAILY, sites or None, *days, **more)


def test_nothing_lacks_nothing_is_said() -> None:
    lacks = lacks_of(asked(2), {2: 10}, [held(2, 2023)], today=TODAY)
    assert not lacks
    assert lacks.text() == ""


def test_stations_days_and_items_are_named_in_one_line() -> None:
    items = resolve("eto,precip", Scope.DAILY)
    lacks = lacks_of(asked(2, 999, items=items), {2: 8}, [held(2, 2023)], today=TODAY)
    assert lacks.text() == (
        "less than asked: stations with no row: 999; station 2 has 8 of 10 days; "
        "nothing holds precip"
    )
    assert lacks.as_dict()["short"] == [{"station": 2, "present": 8, "asked": 10}]


def test_an_item_that_one_station_does_not_hold_is_named_with_it() -> None:
    chunks = [held(2, 2023, ETO), held(5, 2023)]
    items = resolve("asce_eto", Scope.DAILY)
    lacks = lacks_of(asked(2, 5, items=items), {2: 10, 5: 10}, chunks, today=TODAY)
    assert lacks.text() == "less than asked: nothing of station 2 holds asce_eto"


def test_days_that_are_not_over_are_not_counted_but_told() -> None:
    lacks = lacks_of(asked(2, first="2024-07-01", last="2024-07-31"), {2: 9}, [], today=TODAY)
    assert (lacks.short, lacks.not_over) == ((), TODAY)
    assert lacks.text() == "less than asked: 2024-07-10 is not over"


def test_an_open_end_means_as_far_as_is_stored() -> None:
    open_end = Asked(Scope.DAILY, (2,), first=dt.date(2023, 12, 30))
    lacks = lacks_of(open_end, {2: 1}, [held(2, 2023)], today=TODAY)
    assert lacks.short == ((2, 1, 2),)


def test_of_all_that_are_stored_those_at_rest_are_not_missed() -> None:
    chunks = [held(2, 2023), held(3, 1990), held(4, 1990)]
    lacks = lacks_of(asked(), {2: 10}, chunks, today=TODAY, resting=frozenset({3}))
    assert lacks.without_rows == (4,)


def test_an_answer_cut_on_purpose_is_judged_by_the_catalog() -> None:
    lacks = lacks_of(asked(2, 5), None, [held(2, 2023), held(5, 1990)], today=TODAY)
    assert (lacks.without_rows, lacks.short) == ((5,), ())


def test_many_stations_stay_one_line() -> None:
    counts = dict.fromkeys(range(1, 40), 9)
    text = lacks_of(asked(*range(1, 90)), counts, [], today=TODAY).text()
    assert "and 30 more" in text
    assert "39 stations have 351 of 390 days" in text
    assert "\n" not in text


@given(
    st.dictionaries(st.integers(1, 9), st.integers(0, 10)),
    st.sets(st.integers(1, 12), min_size=1),
)
def test_every_station_asked_for_is_whole_short_or_without_a_row(
    counts: dict[int, int], sites: set[int]
) -> None:
    lacks = lacks_of(asked(*sites), counts, [], today=TODAY)
    whole = {site for site in sites if counts.get(site) == 10}
    short = {part.site for part in lacks.short}
    assert whole | short | set(lacks.without_rows) == sites
    assert len(whole) + len(short) + len(lacks.without_rows) == len(sites)


def test_the_catalogs_holdings_agree_with_its_chunks(network: Network) -> None:
    with Catalog(network.root) as catalog:
        found = catalog.holdings(Scope.DAILY, [2, 7])
        chunks = catalog.chunks(scope=Scope.DAILY, stations=[2, 7])
    due = [(c.station, c.first_s, c.last_s, ",".join(c.items)) for c in chunks]
    assert sorted(found) == sorted(due)


def test_rows_are_counted_while_they_go_by_or_when_it_is_asked(store: Store) -> None:
    rows = store.query(stations=[2, 999], start="2021", end="2021", items="precip")
    unread = rows.lacks
    read = store.query(stations=[2, 999], start="2021", end="2021", items="precip")
    assert read.pl().height == unread.short[0].present
    assert read.lacks == unread
    assert unread.without_rows == (999,)


@pytest.mark.parametrize(
    "stations",
    [
        np.int64(5),
        np.uint16(5),
        np.array([5]),
        np.array(5),
        pl.Series([5]),
        pa.array([5]),
        {5},
        range(5, 6),
        (n for n in (5, 5)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_stations_are_taken_from_the_fields_libraries(stations: Any, store: Store) -> None:
    assert store.daily(stations, items="precip")["station"].unique().to_list() == [5]


@pytest.mark.parametrize(
    "day",
    [
        dt.date(2021, 6, 1),
        dt.datetime(2021, 6, 1, 13),  # noqa: DTZ001 -- a naive time is what is tried
        dt.datetime(2021, 6, 2, 7, tzinfo=dt.UTC),
        np.datetime64("2021-06-01"),
        np.datetime64("2021-06-01T05:00", "ns"),
        pa.scalar(dt.date(2021, 6, 1)),
        "2021-06-01",
    ],
    ids=lambda value: f"{type(value).__name__} {value}",
)
def test_days_are_taken_from_the_fields_libraries(day: Any, store: Store) -> None:
    found = store.daily(2, start=day, end="2021-06-03", items=("precip",))
    assert found["date"][0] == dt.date(2021, 6, 1)


def test_a_year_or_month_of_numpy_means_its_whole(store: Store) -> None:
    june = np.datetime64("2021-06")
    found = store.daily(2, start=june, end=june, items="precip")
    assert (found["date"][0], found["date"][-1]) == (dt.date(2021, 6, 1), dt.date(2021, 6, 30))


@pytest.mark.parametrize(
    "wrong",
    [
        {"stations": True},
        {"stations": 2.0},
        {"stations": [2.5]},
        {"stations": np.array([2.0])},
        {"stations": [None]},
        {"stations": []},
        {"stations": 0},
        {"stations": 70_000},
        {"stations": b"25"},
        {"stations": {2: 5}},
        {"stations": print},
        {"start": "2021-06-02", "end": "2021-06-01"},
        {"start": dt.date(2999, 1, 1)},
        {"end": "1970-01-01"},
        {"start": 20210601},
        {"start": np.datetime64("NaT", "D")},
        {"items": 5},
        {"items": []},
        {"items": [5]},
        {"qc": None},
        {"units": 1},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_wrong_use(wrong: dict[str, Any], store: Store) -> None:
    with pytest.raises(cimis.UsageError) as caught:
        store.daily(**wrong)
    assert caught.value.hint or "before the network's first day" in str(caught.value)


def test_limits_sizes_questions_and_targets_are_checked_too(store: Store, tmp_path: Path) -> None:
    with pytest.raises(cimis.UsageError):
        store.query(limit=-1)
    with pytest.raises(cimis.UsageError):
        store.sql(5)  # type: ignore[arg-type]  # what is tried
    with pytest.raises(cimis.UsageError):
        store.named(5)  # type: ignore[arg-type]  # what is tried
    with pytest.raises(cimis.UsageError):
        store.daily("zipp:93624")
    with pytest.raises(cimis.UsageError):
        store.daily(["zip:5"])
    with pytest.raises(cimis.UsageError):
        cimis.open(store.root, cache=-1)
    with pytest.raises(cimis.UsageError):
        cimis.open(5)  # type: ignore[arg-type]  # what is tried


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    cimis.create("~/weather").close()
    assert (tmp_path / "weather" / "metadata.sqlite3").is_file()
    with cimis.open(Path("~/weather")) as store:
        assert store.root == tmp_path / "weather"


def test_the_face_shows_the_api_alone() -> None:
    assert dir(cimis) == sorted(cimis.__all__)
