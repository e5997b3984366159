"""A browser, and the report of a made-up station with eight years of days and two winters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource
from cimis.store import Store, create
from tests.pages.browsing import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

STATION = 80
YEAR = 2023


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the embedded service's weather: days of 2016 to 2023, hours of two winters."""
    place = tmp_path_factory.mktemp("grown") / "data"
    with (
        Emulator(GeneratedSource()) as service,
        pytest.MonkeyPatch.context() as patch,
        create(place) as store,
    ):
        patch.setenv("CIMIS_BASE_URL", service.base_url)
        patch.setenv("CIMIS_APP_KEY", service.app_key)
        patch.setenv("CIMIS_CONFIG", str(place / "none.toml"))
        store.fetch(STATION, start="2016-01-01", end="2023-12-31")
        store.fetch(STATION, start="2021-09-01", end="2023-03-31", scope="hourly")
    return place


@pytest.fixture(scope="session")
def file(grown: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the last year."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    with Store(grown) as store:
        store.report(STATION, year=YEAR, made_at="2026-11-28 12:00 PST").save(path)
    return path
