"""What a store gets from the service: days that are named, or what it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cimis.arguments import Day, Stations, day_of, scope_of, span_of, station_numbers
from cimis.computing import Computing
from pipeline.items import Item, Scope, resolve

if TYPE_CHECKING:
    from pipeline.ingest import RunReport

__all__ = ["Fetching"]


class Fetching(Computing):
    """The half of a :class:`cimis.Store` that fetches."""

    def fetch(
        self,
        stations: Stations,
        *,
        year: int | None = None,
        start: Day | None = None,
        end: Day | None = None,
        scope: str | Scope = "daily",
        items: str | Iterable[str | Item] | None = None,
        app_key: str | None = None,
        base_url: str | None = None,
        **how: Any,
    ) -> RunReport:
        """Fetch stations from the service into the store, as ``cimis fetch-streaming`` does.

        Parameters
        ----------
        stations : int, str or iterable of int
        year : int, optional
            A whole year, up to today; else ``start`` and ``end``.
        start, end : date or str, optional
            First and last day, both inclusive; ``end`` is by default today.
        scope : {"daily", "hourly"}
        items : str or iterable of str, optional
            By default the service's own set and ETr.
        app_key, base_url : str, optional
            By default from the environment or the configuration file.
        **how
            ``concurrency``, ``retries``, ``gzip``, ``format``, ``full``, ``dry_run``: see
            :class:`pipeline.ingest.FetchRequest`.

        Returns
        -------
        RunReport
            Per station what was expected, received and stored; its ``exit_code`` is 0 when all is.

        Raises
        ------
        UsageError
            For dates, stations or items that cannot be asked for.
        AuthError
            When no key is set.
        """
        from pipeline.api import Settings
        from pipeline.ingest import FetchRequest, fetch

        chosen = scope_of(scope)
        numbers = station_numbers(stations)
        if numbers is None:
            numbers = tuple(self.stations()["number"].to_list())
        first, last = span_of(year, start, end)
        request = FetchRequest(
            tuple(numbers),
            first,
            last,
            chosen,
            () if items is None else resolve(items, chosen),
            **how,
        )
        return fetch(self.root, request, Settings.load(base_url=base_url, app_key=app_key))

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
            One per scope and set of items; ``totals()`` tells ``added``, ``filled``, ``revised``.
        """
        from pipeline.api import Settings
        from pipeline.ingest import FetchRequest, sync
        from pipeline.plan import network_day

        today = network_day()
        reports, _ = sync(
            self.root,
            FetchRequest((1,), today, today, **how),
            Settings.load(base_url=base_url, app_key=app_key),
            stations=station_numbers(stations),
            since=day_of(since, end=False),
            recheck_days=recheck_days,
        )
        return reports
