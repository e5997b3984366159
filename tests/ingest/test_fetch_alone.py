"""A station over which the service stumbles each time fails alone, for a bounded price."""

from __future__ import annotations

from pathlib import Path

import pytest

from cimis.pipeline.chunks import read_footer
from cimis.pipeline.errors import CimisError, NetworkError, ServiceError
from cimis.pipeline.fetch import RunReport
from tests.ingest.service import Asked, Record, Service, body_of, run, wants, whole

WEEK = ("2024-05-01", "2024-05-07")
STATIONS = range(1, 65)


def errors(report: RunReport) -> dict[int, type[CimisError]]:
    return {r.station: type(r.error) for r in report.failed if r.error is not None}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (whole(b"oops", status="500 Internal Server Error"), ServiceError),
        (whole(b"", status="504 Gateway Timeout"), ServiceError),
        (whole(body_of([])[:-3]), NetworkError),
        (b"", NetworkError),
    ],
    ids=["500", "504", "cut", "nothing"],
)
@pytest.mark.parametrize("sick", [{1}, {64}, {7, 40}])
def test_only_the_stations_that_break_the_service_fail(
    tmp_path: Path, answer: bytes, kind: type[CimisError], sick: set[int]
) -> None:
    """The others of the same request are stored whole; who is sick has had all its tries."""

    def bend(asked: Asked, records: list[Record]) -> bytes | list[Record]:
        return answer if sick & set(asked.stations) else records

    service = Service(bend)
    report = run(tmp_path, service, wants(STATIONS, *WEEK))
    assert len(report.windows) == 1
    assert errors(report) == dict.fromkeys(sick, kind)
    assert report.exit_code == 4
    assert {r.attempts for r in report.failed} == {4}
    for station in set(STATIONS) - sick:
        assert read_footer(tmp_path / f"stations/{station:03}/2024_daily.zst").rows == 7
    halvings = 6 * len(sick)
    assert len(service.asked) <= 4 + 2 * halvings + 3 * len(sick)


def test_a_service_that_fails_for_all_is_not_asked_for_each(tmp_path: Path) -> None:
    """Halving ends where no half succeeds."""
    service = Service(lambda asked, records: whole(b"", status="503 Unavailable"))
    report = run(tmp_path, service, wants(STATIONS, *WEEK))
    assert errors(report) == dict.fromkeys(STATIONS, ServiceError)
    assert report.exit_code == 6
    assert len(service.asked) <= 4 + 2 * 12 + 3 * 8


def test_a_limit_of_the_rate_is_no_stations_fault(tmp_path: Path) -> None:
    """Smaller requests would only be more of them."""
    service = Service(lambda asked, records: whole(b"", status="429 Slow"))
    report = run(tmp_path, service, wants(STATIONS, *WEEK))
    assert report.exit_code == 6
    assert len(service.asked) == 4
