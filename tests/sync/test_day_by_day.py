"""A store kept up to date day by day ends as one that was fetched when all had settled."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource, UnfoldingSource
from cimis.pipeline.fetch import FetchRequest, RunReport, fetch, sync
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.service import Settings

PST = dt.timezone(dt.timedelta(hours=-8))
STATIONS = (2, 5, 6, 7, 80)
SETTLED_DAYS = 50
"""After so many days nothing of a day is another any more."""


class Clock:
    """The network's morning of some day."""

    def __init__(self, day: dt.date) -> None:
        self.day = day

    def pacific(self) -> dt.datetime:
        return dt.datetime.combine(self.day, dt.time(9))

    def __call__(self) -> dt.datetime:
        return self.pacific().replace(tzinfo=PST)


def _request(scope: Scope, start: dt.date, end: dt.date) -> FetchRequest:
    items = resolve("asce_eto,precip,air_tmp_avg" if scope is Scope.DAILY else "air_tmp", scope)
    return FetchRequest(STATIONS, start, end, scope, items)


def _chunks(root: Path) -> dict[str, bytes]:
    found = (path for path in root.rglob("*.zst"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def _least(reports: list[RunReport]) -> int:
    """Return the least number of requests that the records asked for could take."""
    caps = {Scope.DAILY: 1750, Scope.HOURLY: 5020}
    sums: dict[Scope, int] = {}
    for report in reports:
        asked = sum(window.records for window in report.windows)
        sums[report.scope] = sums.get(report.scope, 0) + asked
    return sum(math.ceil(records / caps[scope]) for scope, records in sums.items())


@pytest.mark.parametrize(
    ("scopes", "days", "most"),
    [
        pytest.param((Scope.DAILY,), 45, 1.0, id="daily"),
        pytest.param((Scope.HOURLY,), 14, 1.0, id="hourly"),
        # on some days the rectangles that requests are do not fit what is lacking
        pytest.param(tuple(Scope), 365, 1.1, id="a year of both", marks=pytest.mark.slow),
    ],
)
def test_a_store_kept_day_by_day_ends_as_one_fetched_at_the_end(
    tmp_path: Path, scopes: tuple[Scope, ...], days: int, most: float
) -> None:
    first = dt.date(2023, 10, 1)
    last = first + dt.timedelta(days=days)
    clock = Clock(first + dt.timedelta(days=3))
    asked = least = 0
    changed = [0, 0, 0]
    with Emulator(UnfoldingSource(GeneratedSource(), clock.pacific), now=clock.pacific) as service:
        settings = Settings.load(base_url=service.base_url, app_key=service.app_key)
        for scope in scopes:
            fetch(
                tmp_path / "kept",
                _request(scope, first, clock.day - dt.timedelta(days=1)),
                settings,
                clock=clock,
            )
        while clock.day <= last + dt.timedelta(days=SETTLED_DAYS):
            clock.day += dt.timedelta(days=1)
            usual = FetchRequest((1,), clock.day, clock.day)
            reports, _ = sync(tmp_path / "kept", usual, settings, clock=clock)
            assert [report.exit_code for report in reports] == [0] * len(scopes)
            asked += sum(report.requests for report in reports)
            least += _least(reports)
            for report in reports:
                totals = report.totals()
                changed[0] += totals["added"]
                changed[1] += totals["filled"]
                changed[2] += totals["revised"]
        end = clock.day - dt.timedelta(days=1)
        for scope in scopes:
            fetch(tmp_path / "once", _request(scope, first, end), settings, clock=clock)
        assert set(service.traffic.statuses) == {200}
        kept, once = _chunks(tmp_path / "kept"), _chunks(tmp_path / "once")
        assert kept.keys() == once.keys()
    assert kept == once
    assert min(changed) > 0
    assert asked <= most * least, f"new, filled, revised: {changed}"


def test_what_is_final_is_not_asked_for_and_nothing_new_costs_no_request(tmp_path: Path) -> None:
    clock = Clock(dt.date(2024, 6, 30))
    with Emulator(GeneratedSource(), now=clock.pacific) as service:
        settings = Settings.load(base_url=service.base_url, app_key=service.app_key)
        request = FetchRequest(
            (2, 80), dt.date(2024, 1, 1), dt.date(2024, 6, 29), items=resolve("precip", Scope.DAILY)
        )
        fetch(tmp_path, request, settings, clock=clock)
        clock.day = dt.date(2024, 7, 3)
        reports, _ = sync(tmp_path, FetchRequest((1,), clock.day, clock.day), settings, clock=clock)
    windows = [window for report in reports for window in report.windows]
    assert len(windows) == 1
    assert windows[0].stations == (2, 80)
    assert windows[0].end == dt.date(2024, 7, 2)
    assert windows[0].start >= dt.date(2024, 6, 30) - dt.timedelta(days=45)
