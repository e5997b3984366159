"""How many requests years of many stations take, and that the service refuses none of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.pipeline.fetch import FetchRequest, fetch
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.service import Settings


@pytest.mark.parametrize(
    ("scope", "stations", "most"), [(Scope.DAILY, 150, 35), (Scope.HOURLY, 10, 18)]
)
@pytest.mark.parametrize("year", [2023, 2024])
def test_a_year_of_many_stations_takes_few_requests_and_none_is_refused(
    tmp_path: Path, scope: Scope, stations: int, most: int, year: int
) -> None:
    source = GeneratedSource()
    numbers = [int(str(s["StationNbr"])) for s in source.stations()][:stations]
    request = FetchRequest(
        tuple(numbers),
        dt.date(year, 1, 1),
        dt.date(year, 12, 31),
        scope,
        resolve("asce_eto", scope),
        concurrency=8,
    )
    with Emulator(source) as service:
        settings = Settings.load(base_url=service.base_url, app_key=service.app_key)
        report = fetch(tmp_path, request, settings)
        seen = service.traffic.statuses
    assert report.exit_code == 0
    assert seen == {200: report.requests}
    assert report.requests <= most
    lives = [s for s in report.results if s.received]
    assert sum(result.received for result in lives) > 0.5 * stations * 365
