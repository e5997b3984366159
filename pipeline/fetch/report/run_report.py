"""The report of a run: per station and year what was asked, came, was stored, and what it took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from cimis.pipeline.chunks import ChunkInfo
from cimis.pipeline.decode.allocs import AllocReport
from cimis.pipeline.errors import CimisError, FetchInterrupted
from cimis.pipeline.fetch.report.station_year import StationYear, compression_ratio
from cimis.pipeline.fetch.request import FetchRequest
from cimis.pipeline.fetch.window import Fetched, carried_items
from cimis.pipeline.field.items import Scope
from cimis.pipeline.lacks import Lacks
from cimis.pipeline.markup import Card
from cimis.pipeline.plan.windows import Window
from cimis.pipeline.service import Timings

__all__ = ["RunReport", "RunReports"]

_SUMMED = (
    *("expected", "received", "stored", "added", "revised", "filled", "absent_days"),
    *("skipped_days", "bytes_stored"),
)
_TINY = 1000
"""Bytes of an answer below which nobody minds that it is not compressed."""


@dataclass(slots=True)
class RunReport:
    """What a run did.

    Attributes
    ----------
    results : list of StationYear
        In order of station and year.
    windows : list of Window
        The requests as planned.
    warnings : list of str
        What an operator should know though nothing failed.
    interrupted : bool
        Whether the run was stopped before its end.
    error : CimisError or None
        What kept the run from beginning; every result has it too.
    carried : set of str or None
        Codes of the items of which a value or a flag came; None before any row did.
    """

    started_at: dt.datetime
    scope: Scope
    start: dt.date
    end: dt.date
    items: tuple[str, ...]
    format: str = "v2"
    dry_run: bool = False
    results: list[StationYear] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    interrupted: bool = False
    error: CimisError | None = None
    seconds: float = 0.0
    requests: int = 0
    retries: int = 0
    splits: int = 0
    bytes_transferred: int = 0
    bytes_decoded: int = 0
    plain: bool = False
    allocs: AllocReport | None = None
    carried: set[str] | None = None

    @property
    def lacks(self) -> Lacks:
        """What the run got less than was asked."""
        from cimis.pipeline.fetch.report import outcome

        return outcome.lacks_of_run(self)

    def _card(self) -> Card:
        from cimis.pipeline.fetch.report.card import card_of

        return card_of(self)

    def __repr__(self) -> str:
        return self._card().line()

    def _repr_html_(self) -> str:
        return self._card().html()

    @property
    def failed(self) -> list[StationYear]:
        """The results that are not a success."""
        return [result for result in self.results if not result.success]

    @property
    def stations(self) -> tuple[list[int | str], list[int | str]]:
        """Stations (and targets) that succeeded in every year, and those that did not."""
        bad = {result.station: result.name for result in self.failed}
        known = {result.station: result.name for result in self.results}
        good = [known[number] for number in sorted(known.keys() - bad.keys())]
        return good, [bad[number] for number in sorted(bad)]

    @property
    def exit_code(self) -> int:
        """0 when all is done; the error's own when every station failed alike; else 4."""
        if self.error is not None:
            return self.error.exit_code
        if self.interrupted:
            return FetchInterrupted.exit_code
        if self.dry_run or not self.failed:
            return 0
        good, _ = self.stations
        codes = {type(r.error): r.error.exit_code for r in self.failed if r.error is not None}
        if not good and len(codes) == 1:
            return next(iter(codes.values()))
        return FetchInterrupted.exit_code

    @classmethod
    def unbegun(
        cls, stations: Iterable[int], request: FetchRequest, now: dt.datetime, error: CimisError
    ) -> Self:
        """Return the report of a run that could not begin: every station's year has its error.

        Parameters
        ----------
        stations : iterable of int
            As far as they are known.
        request : FetchRequest
            Says days, items and the rest; its stations do not count.
        now : datetime.datetime
        error : CimisError
        """
        years = range(request.start.year, request.end.year + 1)
        report = cls.of(request, now)
        report.error = error
        report.interrupted = isinstance(error, FetchInterrupted)
        report.results = [
            StationYear(station, year, error=error, done=True)
            for station in sorted(stations)
            for year in years
        ]
        return report

    @classmethod
    def of(cls, request: FetchRequest, now: dt.datetime) -> Self:
        """Return the empty report of a run that begins now."""
        return cls(
            started_at=now,
            scope=request.scope,
            start=request.start,
            end=request.end,
            items=tuple(item.code for item in request.items),
            format=request.format,
            dry_run=request.dry_run,
            plain=request.plain,
        )

    def note(self, fetched: Fetched, *, gzip: bool) -> None:
        """Count a request's bytes and items, and warn of what is odd about its answer."""
        if fetched.table is not None:
            self.carried = (self.carried or set()) | carried_items(fetched.table)
        self.bytes_decoded += fetched.decoded_bytes
        if gzip and fetched.content_encoding in (None, "identity") and fetched.wire_bytes > _TINY:
            self._warn("compressed answers were asked for, but the service sent them plain")
        for name in fetched.unknown_keys:
            self._warn(f"the service sends '{name}', which is not known and was left out")

    def note_allocs(self, measured: AllocReport) -> None:
        """Take the run's own peaks, and what was kept from the results."""
        for result in self.results:
            if result.allocs is not None:
                measured.add(result.allocs)
        self.allocs = measured

    def note_form(self, station_year: tuple[int, int], info: ChunkInfo) -> None:
        """Warn of what a new V1 chunk could not hold, and of a chunk that stays V2 for it."""
        station, year = station_year
        lost = ", ".join(
            f"{count} of {code}" for code, count in sorted(info.losses.items()) if count
        )
        if lost:
            self._warn(f"format V1 could not hold all of station {station}, {year}: {lost}")
        if info.format != self.format:
            self._warn(
                f"station {station}, {year} stays V2: V1 could not hold all that is stored "
                "('cimis migrate --format v1 --dry-run' says what)"
            )

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def as_dict(self, *, brief: bool = False) -> dict[str, Any]:
        """Return the report as JSON-ready values; brief: no plan, of the results the failures."""
        return {
            "timestamp": self.started_at.isoformat(timespec="seconds"),
            "scope": self.scope.value,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "items": list(self.items),
            "format": self.format,
            "path": "plain" if self.plain else "streaming",
            "dry_run": self.dry_run,
            "interrupted": self.interrupted,
            "exit_code": self.exit_code,
            "error": None if self.error is None else self.error.as_dict(),
            "totals": self.totals(),
            "timings": self._timings().as_dict(),
            "results": [r.as_dict() for r in (self.failed if brief else self.results)],
            "plan": [] if brief else [window.as_dict() for window in self.windows],
            "warnings": list(self.warnings),
            "lacks": self.lacks.as_dict(),
        }

    def totals(self) -> dict[str, Any]:
        """Return the sums over all stations and years, and the run's own counts."""
        good, bad = self.stations
        encodings = {r.content_encoding for r in self.results if r.content_encoding}
        return {
            "stations": len(good) + len(bad),
            "success": len(good),
            "failure": len(bad),
            "failed_stations": bad,
            "station_years": len(self.results),
            "records": sum(result.stored for result in self.results),
            **{name: sum(getattr(r, name) for r in self.results) for name in _SUMMED},
            "requests": self.requests,
            "retries": self.retries,
            "splits": self.splits,
            "bytes_transferred": self.bytes_transferred,
            "bytes_decoded": self.bytes_decoded,
            "compression_ratio": compression_ratio(self.bytes_decoded, self.bytes_transferred),
            "content_encoding": ", ".join(sorted(encodings)) or None,
            "seconds": round(self.seconds, 3),
            "alloc_metrics": None if self.allocs is None else self.allocs.as_dict(),
        }

    def _timings(self) -> Timings:
        total = Timings()
        for result in self.results:
            total.add(result.timings)
        return total


class RunReports(list[RunReport]):
    """The reports of several runs, in their order."""

    def _repr_html_(self) -> str:
        return "".join(report._repr_html_() for report in self) or Card("", "Nothing to do").html()
