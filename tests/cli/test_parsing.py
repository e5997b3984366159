"""What people type for stations, dates, years and sizes."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.parsing import (
    day_span,
    named_span,
    parse_date,
    parse_duration,
    parse_size,
    parse_stations,
    year_span,
)
from cimis.pipeline.errors import UsageError

NOW = dt.date(2026, 5, 10)


def test_stations_are_numbers_and_ranges_each_once_in_order() -> None:
    """Lists, ranges, blanks and leading zeros mean what they say."""
    assert parse_stations("2,5-7") == (2, 5, 6, 7)
    assert parse_stations(" 7 , 002, 5-6,6 ") == (2, 5, 6, 7)


@pytest.mark.parametrize("text", [None, "all", " ALL "])
def test_all_stations_is_no_restriction(text: str | None) -> None:
    """``all``, like saying nothing, restricts to no list."""
    assert parse_stations(text) is None


@given(st.sets(st.integers(1, 65_535), min_size=1, max_size=20))
def test_any_list_of_numbers_is_read_back(numbers: set[int]) -> None:
    """A list of station numbers in any order gives exactly those numbers."""
    assert parse_stations(",".join(map(str, numbers))) == tuple(sorted(numbers))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "'x' is not a station"),
        ("2-", "'2-' is not a station"),
        ("-2", "'-2' is not a station"),
        ("2;5", "'2;5' is not a station"),
        ("7-5", "runs backwards"),
        ("0", "no station can have"),
        ("70000", "no station can have"),
        ("1-9999999", "is not a station"),
        ("", "no station named"),
        (",", "no station named"),
    ],
)
def test_what_names_no_station_is_refused(text: str, said: str) -> None:
    """A wrong list is refused with the part that is wrong."""
    with pytest.raises(UsageError, match=said) as caught:
        parse_stations(text)
    assert caught.value.hint


@given(st.dates(dt.date(1, 1, 1)))
def test_every_day_is_read_from_its_iso_text(day: dt.date) -> None:
    """A day's ISO text names that day at either end of a span."""
    assert parse_date(day.isoformat()) == parse_date(day.isoformat(), end=True) == day


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", dt.date(2024, 1, 1), dt.date(2024, 12, 31)),
        ("2024-02", dt.date(2024, 2, 1), dt.date(2024, 2, 29)),
        ("2023-2", dt.date(2023, 2, 1), dt.date(2023, 2, 28)),
        ("today", NOW, NOW),
        ("Yesterday", dt.date(2026, 5, 9), dt.date(2026, 5, 9)),
    ],
)
def test_shorter_dates_mean_their_first_or_last_day(
    text: str, first: dt.date, last: dt.date
) -> None:
    """A month or a year stands for its first day, or for its last at the end of a span."""
    assert parse_date(text, now=NOW) == first
    assert parse_date(text, end=True, now=NOW) == last


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024-02-30", "February 2024 has 29 days"),
        ("2023-02-29", "February 2023 has 28 days"),
        ("2024-13-01", "months run from 1 to 12"),
        ("2024-06-00", "June 2024 has 30 days"),
        ("0000-01-01", "there is no 0000-01-01"),
        ("01/06/2024", "is not a date"),
        ("soon", "is not a date"),
        ("", "is not a date"),
    ],
)
def test_impossible_dates_are_refused_with_the_reason(text: str, said: str) -> None:
    """A date that does not exist is refused in words."""
    with pytest.raises(UsageError, match=said):
        parse_date(text)


def test_a_year_or_a_range_of_years_is_a_span() -> None:
    """``--year`` takes one year or a range of them."""
    assert year_span("2024") == (dt.date(2024, 1, 1), dt.date(2024, 12, 31))
    assert year_span("2020-2024") == (dt.date(2020, 1, 1), dt.date(2024, 12, 31))
    for wrong in ("24", "2024-2020", "2024,2025", "x"):
        with pytest.raises(UsageError):
            year_span(wrong)


def test_a_span_is_given_by_year_or_by_its_ends() -> None:
    """Both ends are inclusive, an open end is today, and a running year ends today."""
    june = day_span(year=None, start="2024-06-01", end="2024-06-30", now=NOW)
    assert june == (dt.date(2024, 6, 1), dt.date(2024, 6, 30))
    assert day_span(year=None, start="2024", end="2024", now=NOW)[1] == dt.date(2024, 12, 31)
    assert day_span(year=None, start="2026-05", end=None, now=NOW) == (dt.date(2026, 5, 1), NOW)
    assert day_span(year="1982", start=None, end=None, now=NOW)[0] == dt.date(1982, 6, 7)
    assert day_span(year="2026", start=None, end=None, now=NOW) == (dt.date(2026, 1, 1), NOW)


@pytest.mark.parametrize(
    ("year", "start", "end", "said"),
    [
        (None, None, None, "--year, or --start and --end is missing"),
        (None, None, "2024-01-01", "--start is missing"),
        ("2024", "2024-01-01", None, "the same twice"),
        (None, "2024-06-02", "2024-06-01", "lies before the start"),
        (None, "2026-05-11", None, "in the future"),
        ("2027", None, None, "in the future"),
        ("1981", None, None, "before the network's first day"),
    ],
)
def test_spans_that_cannot_be_meant_are_refused(
    year: str | None, start: str | None, end: str | None, said: str
) -> None:
    """Missing, double, reversed and future spans are refused in words."""
    with pytest.raises(UsageError, match=said):
        day_span(year=year, start=start, end=end, now=NOW)


def test_durations_have_units() -> None:
    """Durations are seconds, or take ms and s."""
    assert [parse_duration(t) for t in ("200ms", "1.5 s", "2", "0")] == [0.2, 1.5, 2.0, 0.0]
    for wrong in ("-1", "1h", "ms", ""):
        with pytest.raises(UsageError):
            parse_duration(wrong)


def test_sizes_have_units() -> None:
    """Sizes are bytes, or take B, KB, MB and GB."""
    assert [parse_size(t) for t in ("4096", "50MB", "1.5 gb", "2kb", "0")] == [
        4096,
        50_000_000,
        1_500_000_000,
        2_000,
        0,
    ]
    for wrong in ("50XB", "-1", "MB", ""):
        with pytest.raises(UsageError):
            parse_size(wrong)


EASTER = dt.date(2024, 3, 31)


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        ({"month": "2024-02"}, "2024-02-01", "2024-02-29"),
        ({"month": "2023-12"}, "2023-12-01", "2023-12-31"),
        ({"water_year": "2024"}, "2023-10-01", "2024-09-30"),
        ({"water_year": "1982"}, "1981-10-01", "1982-09-30"),
        ({"last": "1d"}, "2024-03-30", "2024-03-30"),
        ({"last": "30d"}, "2024-03-01", "2024-03-30"),
        ({"last": "2w"}, "2024-03-17", "2024-03-30"),
        ({"last": "1m"}, "2024-03-01", "2024-03-30"),
        ({"last": "2M"}, "2024-01-31", "2024-03-30"),
        ({"last": "4m"}, "2023-12-01", "2024-03-30"),
        ({"last": "1y"}, "2023-03-31", "2024-03-30"),
    ],
)
def test_named_spans(given: dict[str, str], first: str, last: str) -> None:
    """Months, water years named by their end, and spans that end yesterday."""
    asked: dict[str, str | None] = {"month": None, "water_year": None, "last": None}
    found = named_span(**(asked | given), now=EASTER)
    assert found == (dt.date.fromisoformat(first), dt.date.fromisoformat(last))


@pytest.mark.parametrize(
    "given",
    [
        {"month": "2024"},
        {"month": "2024-13"},
        {"month": "June"},
        {"water_year": "1981"},
        {"water_year": "2025"},
        {"water_year": "24"},
        {"last": "0d"},
        {"last": "30"},
        {"last": "a month"},
        {"last": "99999y"},
        {"month": "2024-01", "last": "30d"},
    ],
)
def test_spans_that_are_none_are_refused(given: dict[str, str]) -> None:
    asked: dict[str, str | None] = {"month": None, "water_year": None, "last": None}
    with pytest.raises(UsageError):
        named_span(**(asked | given), now=EASTER)


def test_the_present_water_year_begins_in_october() -> None:
    now = dt.date(2024, 10, 1)
    found = named_span(month=None, water_year="2025", last=None, now=now)
    assert found == (dt.date(2024, 10, 1), dt.date(2025, 9, 30))
