"""What a store gets from the service: days that are named, or what it lacks."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from cimis.arguments import (
    Day,
    Items,
    Stations,
    Years,
    count_of,
    items_of,
    open_span_of,
    scope_of,
    single_stations,
    span_of,
    station_numbers,
)
from cimis.computing import Computing
from cimis.lacking import warn_of
from pipeline.errors import AuthError, ServiceError, UsageError
from pipeline.items import Scope
from pipeline.lacks import Lacks

if TYPE_CHECKING:
    from pipeline.ingest import FetchRequest, RunReport

__all__ = ["Fetching"]


class Fetching(Computing):
    """The half of a :class:`cimis.Store` that fetches."""

    def fetch(
        self,
        stations: Stations,
        *,
        year: Years | None = None,
        start: Day | None = None,
        end: Day | None = None,
        scope: str | Scope = "daily",
        items: Items | None = None,
        app_key: str | None = None,
        base_url: str | None = None,
        **how: Any,
    ) -> RunReport:
        """Fetch stations from the service into the store, as ``cimis fetch-streaming`` does.

        Parameters
        ----------
        stations : int, str or iterable of int
        year : int or str, optional
            A whole year, or a range as ``"2014-2015"``, up to today; else ``start`` and ``end``.
        start, end : date or str, optional
            First and last day, both inclusive; ``end`` is by default today.
        scope : {"daily", "hourly"}
        items : str or iterable of str, optional
            By default the service's own set and ETr.
        app_key, base_url : str, optional
            By default from the environment or the configuration file.
        **how
            ``concurrency``, ``retries``, ``gzip``, ``format``, ``full``, ``dry_run`` and others of
            :class:`pipeline.ingest.FetchRequest`.

        Returns
        -------
        RunReport
            Per station what was expected, received and stored; its ``exit_code`` is 0 when all is,
            and its ``lacks`` tell what came less than was asked.

        Raises
        ------
        UsageError
            For dates, stations or items that cannot be asked for.
        AuthError
            When no key is set, or the service refuses it.
        ServiceError
            When the service cannot be reached, or not one station could be got.
        CimisError
            What else every station failed of. The ``report`` of all these is the run's.

        Warns
        -----
        IncompleteAnswer
            When some stations failed, or numbers of a range are no stations.
        """
        from cimis.choice import chosen_stations
        from pipeline.api import Settings
        from pipeline.ingest import FetchRequest, fetch

        kind = scope_of(scope)
        numbers = station_numbers(stations)
        span = span_of(year, start, end)
        known = _known(how, FetchRequest)
        request = FetchRequest(
            tuple(numbers or (1,)), *span, kind, items_of(items, kind) or (), **known
        )
        settings = Settings.load(base_url=base_url, app_key=app_key)
        with _reported(request, numbers):
            if not request.dry_run:
                settings.key()
            whom = chosen_stations(
                numbers,
                self.root,
                settings,
                span,
                singly=single_stations(stations),
                ask=not request.dry_run,
                say=lambda _: None,  # told below, as a warning
                warn=lambda text: warnings.warn(text, stacklevel=4),
                policy=request.policy,
                timeout=request.timeouts,
            )
        report = fetch(self.root, replace(request, stations=whom), settings)
        if not request.dry_run:
            self._refreshed()
        missed = sorted(set(numbers or ()) - set(whom))
        _settle([report], Lacks(without_rows=tuple(missed)))
        return report

    def sync(
        self,
        stations: Stations | None = None,
        *,
        since: Day | None = None,
        recheck_days: int = 0,
        app_key: str | None = None,
        base_url: str | None = None,
        **how: Any,
    ) -> list[RunReport]:
        """Fetch new days and days that may still change, as ``cimis sync`` does.

        Parameters
        ----------
        stations : int, str or iterable of int, optional
            By default all that are stored, spatial targets too.
        since : date or str, optional
            First day of stations that are not stored yet.
        recheck_days : int
            Ask again for so many days before today, final or not.
        app_key, base_url : str, optional
            By default from the environment or the configuration file.
        **how
            ``concurrency``, ``retries``, ``dry_run``: see :class:`pipeline.ingest.FetchRequest`.

        Returns
        -------
        list of RunReport
            One per scope and set of items; ``totals()`` tells ``added``, ``filled``, ``revised``,
            ``lacks`` what came less than was asked.

        Raises
        ------
        UsageError
            For stations or days that cannot be asked for.
        NoDataError
            When nothing is stored and no stations are named.
        AuthError, ServiceError, CimisError
            As of :meth:`fetch`; ``report`` is the first run's that failed, ``reports`` are all.

        Warns
        -----
        IncompleteAnswer
            When some stations failed.
        """
        from cimis.choice import chosen_stations, refresh_stations
        from pipeline.api import Settings
        from pipeline.ingest import FetchRequest, sync
        from pipeline.plan import network_day

        today = network_day()
        usual = FetchRequest((1,), today, today, **_known(how, FetchRequest))
        first, _ = open_span_of(since, None)
        again = count_of(recheck_days, "recheck_days", most=20_000)
        settings = Settings.load(base_url=base_url, app_key=app_key)
        numbers = station_numbers(stations)
        with _reported(usual, numbers):
            if not usual.dry_run:
                settings.key()
            if numbers is not None:
                numbers = chosen_stations(
                    numbers,
                    self.root,
                    settings,
                    (first or today, today),
                    singly=single_stations(stations),
                    ask=not usual.dry_run,
                    say=lambda _: None,
                    warn=lambda text: warnings.warn(text, stacklevel=4),
                )
            elif not usual.dry_run:  # closed stations are known by the list
                refresh_stations(self.root, settings, policy=usual.policy)
        reports, _ = sync(
            self.root, usual, settings, stations=numbers, since=first, recheck_days=again
        )
        if not usual.dry_run:
            self._refreshed()
        missed = sorted(set(station_numbers(stations) or ()) - set(numbers or ()))
        _settle(reports, Lacks(without_rows=tuple(missed)))
        return reports


def _known(how: Mapping[str, Any], request: type[FetchRequest]) -> dict[str, Any]:
    """Return the options of a request; `UsageError` for a name that is none of them."""
    own = {"stations", "start", "end", "scope", "items", "spans"}
    names = [field.name for field in fields(request) if field.name not in own]
    for name in how:
        if name not in names:
            raise UsageError(f"there is no option '{name}'", hint=f"there are {', '.join(names)}")
    whole = {"concurrency", "retries"}
    return {n: count_of(value, n) if n in whole else value for n, value in how.items()}


@contextmanager
def _reported(request: FetchRequest, numbers: Sequence[int] | None) -> Iterator[None]:
    """Give an error before the first request for data the report of a run that never began."""
    from pipeline.ingest import RunReport

    try:
        yield
    except (AuthError, ServiceError) as error:
        now = dt.datetime.now(dt.UTC)
        error.report = RunReport.unbegun(numbers or (), request, now, error)
        raise


def _settle(reports: Sequence[RunReport], left_out: Lacks) -> None:
    """Raise the error of runs of which nothing came, and warn of stations that failed."""
    from pipeline.ingest.outcome import failure_of, fruitless

    failures = [failure for report in reports if (failure := failure_of(report)) is not None]
    if failures and fruitless(reports):
        failures[0].reports = tuple(reports)
        raise failures[0]
    failed = {site: None for report in reports for site in report.lacks.failed}
    warn_of(replace(left_out, failed=tuple(failed)), above=2)
