"""Years, months, water years and weeks: ranges of them, this one and the last."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.parsing import Days, named_span
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.time import network_day
from cimis.spans import FORMS, spanned

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

NOW = dt.date(2026, 11, 28)  # a Saturday
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "text", "first", "last"),
    [
        ("year", "this", "2026-01-01", "2026-11-27"),
        ("year", "last", "2025-01-01", "2025-12-31"),
        ("year", "2020..2024", "2020-01-01", "2024-12-31"),
        ("year", "2024-this", "2024-01-01", "2026-11-27"),
        ("month", "This", "2026-11-01", "2026-11-27"),
        ("month", "last", "2026-10-01", "2026-10-31"),
        ("month", "2024-02", "2024-02-01", "2024-02-29"),
        ("month", "9999-12", "9999-12-01", "9999-12-31"),
        ("month", "2024-06..2024-08", "2024-06-01", "2024-08-31"),
        ("month", "2024-06-2024-08", "2024-06-01", "2024-08-31"),
        ("month", "2023-11 .. 2024-2", "2023-11-01", "2024-02-29"),
        ("month", "last..this", "2026-10-01", "2026-11-27"),
        ("water-year", "this", "2026-10-01", "2026-11-27"),
        ("water-year", "last", "2025-10-01", "2026-09-30"),
        ("water-year", "2020-2024", "2019-10-01", "2024-09-30"),
        ("week", "this", "2026-11-23", "2026-11-27"),
        ("week", "last", "2026-11-16", "2026-11-22"),
    ],
)
def test_what_a_period_means(kind: str, text: str, first: str, last: str) -> None:
    assert spanned(kind, text, NOW) == (dt.date.fromisoformat(first), dt.date.fromisoformat(last))


@pytest.mark.parametrize("kind", FORMS)
@given(now=st.dates(dt.date(1984, 1, 1), dt.date(2100, 12, 31)))
def test_this_follows_last_and_ends_yesterday(kind: str, now: dt.date) -> None:
    """The last period ends where this one begins; on its first day this one has that alone."""
    begun, ended = spanned(kind, "last", now)
    assert begun < ended < now
    assert spanned(kind, "this", now) == (ended + DAY, max(now - DAY, ended + DAY))


@given(st.dates(dt.date(1983, 1, 1), dt.date(2026, 10, 31)))
def test_a_month_is_from_its_first_day_to_its_last(day: dt.date) -> None:
    last = monthrange(day.year, day.month)[1]
    assert spanned("month", f"{day:%Y-%m}", NOW) == (day.replace(day=1), day.replace(day=last))


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("month", "2024-08..2024-06", "runs backwards"),
        ("month", "this..last", "runs backwards"),
        ("month", "2024-06-08", "is not a month or a range"),
        ("month", "2024-06..08", "is not a month or a range"),
        ("month", "2024-13", "months run from 1 to 12"),
        ("month", "0000-01", "months run from 1 to 12"),
        ("year", "next", "is not a year or a range"),
        ("water-year", "2024-2020", "runs backwards"),
        ("water-year", "2024-2030", "there is no water year 2030"),
        ("week", "2024-23", "is not a week or a range"),
        ("week", "", "is not a week"),
    ],
)
def test_what_is_none_is_refused_with_how_to_write_it(kind: str, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        spanned(kind, text, NOW)
    assert caught.value.hint


def test_a_year_in_words_is_as_long_as_its_days_are_over() -> None:
    for days in (Days(year="this"), Days(year="2026..this")):
        assert days.open(NOW) == days.closed(NOW) == (dt.date(2026, 1, 1), NOW - DAY)


@pytest.mark.parametrize(
    "given", [{"week": "this", "month": "this"}, {"water_year": "this", "last": "3d"}]
)
def test_two_periods_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        named_span(**given, now=NOW)


@pytest.mark.parametrize("words", [("--month", "last"), ("--week", "last"), ("--year", "last")])
def test_a_command_asks_for_the_days_meant(words: tuple[str, str], typed: Typed) -> None:
    """A fetch's plan names the first and the last day that it would ask for."""
    first, last = spanned(words[0].removeprefix("--"), words[1], network_day())
    answer = typed("fetch", "--station", "2", *words, "--dry-run")
    assert answer.code == 0, answer.err
    assert str(first) in answer.out
    assert str(last) in answer.out
