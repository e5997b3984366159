"""A second run asks for what is new or may still change, and for nothing else."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.chunks import read_chunk
from cimis.pipeline.fetch.final import first_provisional, left_over
from cimis.pipeline.field.items import Scope, default_items, resolve
from cimis.pipeline.rows.schema import FLAG_TYPE, scaled_schema
from tests.ingest.service import NOW, Asked, Record, Service, run, wants

DAY = dt.timedelta(days=1)
TODAY = dt.date(2026, 10, 5)
ETO = resolve("asce_eto", Scope.DAILY)


def spans(service: Service) -> list[tuple[str, str]]:
    return sorted((a.start.isoformat(), a.end.isoformat()) for a in service.asked)


def again(root: Path, *args: object, now: dt.datetime = NOW, **options: object) -> Service:
    service = Service()
    report = run(root, service, wants(*args, **options), now=now)  # type: ignore[arg-type] # passed on
    assert report.exit_code == 0
    return service


def test_final_days_are_not_asked_for_again(tmp_path: Path) -> None:
    again(tmp_path, [2], "2024-01-01", "2024-06-30")
    assert again(tmp_path, [2], "2024-01-01", "2024-06-30").asked == []
    wider = again(tmp_path, [2, 5], "2023-12-01", "2024-07-31")
    assert sum(a.records for a in wider.asked) == 31 + 31 + 244
    assert again(tmp_path, [2, 5], "2023-12-01", "2024-07-31").asked == []


def test_full_asks_for_all(tmp_path: Path) -> None:
    again(tmp_path, [2], "2024-01-01", "2024-06-30")
    service = again(tmp_path, [2], "2024-01-01", "2024-06-30", full=True)
    assert spans(service) == [("2024-01-01", "2024-06-30")]


def test_the_last_fortnight_is_asked_for_again_until_it_is_past(tmp_path: Path) -> None:
    """Days become final with the run that finds them older than the fortnight."""
    again(tmp_path, [2], "2026-08-01", "2026-10-04")
    with Catalog(tmp_path) as catalog:
        (row,) = catalog.chunks()
    assert row.state == "provisional"
    assert row.provisional_from_s == (dt.date(2026, 9, 21) - dt.date(1970, 1, 1)).days * 86_400
    assert spans(again(tmp_path, [2], "2026-08-01", "2026-10-04")) == [("2026-09-21", "2026-10-04")]
    later = NOW + dt.timedelta(days=30)
    assert spans(again(tmp_path, [2], "2026-08-01", "2026-10-04", now=later)) == [
        ("2026-09-21", "2026-10-04")
    ]
    assert again(tmp_path, [2], "2026-08-01", "2026-10-04", now=later).asked == []
    with Catalog(tmp_path) as catalog:
        (row,) = catalog.chunks()
    assert row.state == "final"


def test_hourly_days_become_final_too(tmp_path: Path) -> None:
    again(tmp_path, [2], "2026-09-15", "2026-10-04", scope=Scope.HOURLY)
    with Catalog(tmp_path) as catalog:
        (row,) = catalog.chunks()
    first_hour_s = (dt.date(2026, 9, 21) - dt.date(1970, 1, 1)).days * 86_400 + 3600
    assert row.provisional_from_s == first_hour_s
    service = again(tmp_path, [2], "2026-09-15", "2026-10-04", scope=Scope.HOURLY)
    assert spans(service) == [("2026-09-21", "2026-10-04")]


def test_revised_values_replace_those_that_were_provisional(tmp_path: Path) -> None:
    def bend(asked: Asked, records: list[Record]) -> list[Record]:
        for record in records:
            record["DayAsceEto"]["Value"] = "9.87"
        return records

    request = wants([2], "2026-09-01", "2026-10-04", items=ETO)
    run(tmp_path, Service(), request)
    report = run(tmp_path, Service(bend), request)
    (result,) = report.results
    assert (result.revised, result.added, result.skipped_days) == (14, 0, 20)
    values = read_chunk(tmp_path / "stations/002/2026_daily.zst")["asce_eto"].to_pylist()
    assert values[-14:] == [9.87] * 14
    assert 9.87 not in values[:-14]


def test_days_without_rows_are_not_asked_for_for_ever(tmp_path: Path) -> None:
    """The service's silence about past days is final as well, with or without a chunk."""

    def bend(asked: Asked, records: list[Record]) -> list[Record]:
        return [r for r in records if r["Station"] == "5" and r["Date"] >= "2024-03-01"]

    request = wants([2, 5], "2024-01-01", "2024-06-30")
    run(tmp_path, Service(bend), request)
    assert again(tmp_path, [2, 5], "2024-01-01", "2024-06-30").asked == []


def test_other_items_are_asked_for(tmp_path: Path) -> None:
    """A day is known only for the items it was asked with; the chunk then holds both."""
    again(tmp_path, [2], "2024-01-01", "2024-01-31", items=ETO)
    precip = resolve("precip", Scope.DAILY)
    service = again(tmp_path, [2], "2024-01-01", "2024-01-31", items=precip)
    assert [a.items for a in service.asked] == [("day-precip",)]
    names = read_chunk(tmp_path / "stations/002/2024_daily.zst").column_names
    assert {"asce_eto", "precip"} <= set(names)
    again(tmp_path, [2], "2024-01-01", "2024-01-31", items=default_items(Scope.DAILY))
    assert again(tmp_path, [2], "2024-01-01", "2024-01-31", items=ETO).asked == []


def test_a_chunk_that_is_gone_or_of_the_other_format_is_asked_for(tmp_path: Path) -> None:
    again(tmp_path, [2], "2024-01-01", "2024-01-31")
    service = again(tmp_path, [2], "2024-01-01", "2024-01-31", format="v1")
    assert len(service.asked) == 1
    (tmp_path / "stations/002/2024_daily.zst").unlink()
    assert len(again(tmp_path, [2], "2024-01-01", "2024-01-31", format="v1").asked) == 1


def test_a_chunk_that_the_catalog_forgets_is_asked_for(tmp_path: Path) -> None:
    again(tmp_path, [2], "2024-01-01", "2024-01-31")
    with Catalog(tmp_path) as catalog:
        catalog.remove_chunks(["stations/002/2024_daily.zst"])
    assert len(again(tmp_path, [2], "2024-01-01", "2024-01-31").asked) == 1


def rows(first: dt.date, cells: list[tuple[int | None, str | None]]) -> pa.Table:
    schema = scaled_schema(Scope.DAILY, ETO)
    days = [first + DAY * n for n in range(len(cells))]
    columns = [[2] * len(cells), days, [c[0] for c in cells], [c[1] for c in cells]]
    arrays = [
        pa.array(c, pa.string()).dictionary_encode().cast(FLAG_TYPE)
        if f.type == FLAG_TYPE
        else pa.array(c, f.type)
        for c, f in zip(columns, schema, strict=True)
    ]
    return pa.table(arrays, schema)


@pytest.mark.parametrize(
    ("cell", "provisional"),
    [
        ((7, None), False),
        ((7, "R"), False),
        ((7, "P"), True),
        ((None, "M"), True),
        ((None, None), True),
        ((None, "N"), False),
    ],
)
def test_what_may_change_near_the_end(
    cell: tuple[int | None, str | None], provisional: bool
) -> None:
    """Missing values and pending tests may change near the end, and are final long after."""
    for age, counts in ((30, True), (45, True), (46, False), (400, False)):
        day = TODAY - DAY * age
        table = rows(day - DAY, [(7, None), cell, (7, None)])
        found = first_provisional(table, day - DAY, day + DAY, TODAY)
        assert found == (day if provisional and counts else None)


def test_an_empty_answer_of_the_last_fortnight_is_provisional() -> None:
    start = TODAY - DAY * 20
    assert first_provisional(None, start, TODAY - DAY, TODAY) == TODAY - DAY * 14
    assert first_provisional(None, start, TODAY - DAY * 15, TODAY) is None


day_of_year = st.integers(0, 60).map(lambda n: dt.date(2024, 1, 1) + DAY * n)
span = st.tuples(day_of_year, day_of_year).map(lambda pair: (min(pair), max(pair)))


def days(*parts: tuple[dt.date, dt.date]) -> set[dt.date]:
    return {a + DAY * n for a, b in parts for n in range((b - a).days + 1)}


@given(whole=span, known=st.lists(span, max_size=5).map(sorted))
def test_what_is_left_over_is_what_no_known_span_covers(
    whole: tuple[dt.date, dt.date], known: list[tuple[dt.date, dt.date]]
) -> None:
    left = left_over(whole, known)
    assert days(*left) == days(whole) - days(*known)
    assert sum((b - a).days + 1 for a, b in left) == len(days(*left))
    assert left == sorted(left)
