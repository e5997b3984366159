"""What is fetched from the service: days that are named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from cimis.arguments import Day, Items, Years, count_of, items_of, scope_of, span_of
from cimis.lacking import warn, warn_of
from cimis.naming.lists import NetworkLists
from cimis.naming.sites import Stations, sites_of
from cimis.naming.whom import Whom, Wished, whom_of
from cimis.opened import Opened, caught_up
from cimis.pipeline.errors import AuthError, CimisError, FetchInterrupted, ServiceError, UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.targets import Network
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    from cimis.pipeline.fetch import FetchRequest, Progress, RunReport

__all__ = ["fetch", "fetched", "lists_for", "options_of", "settle"]


def fetch(
    opened: Opened,
    stations: Stations,
    *,
    year: Years | None = None,
    start: Day | None = None,
    end: Day | None = None,
    scope: str | Scope = "daily",
    items: Items | None = None,
    network: str | None = None,
    prefer: str | None = None,
    app_key: str | None = None,
    base_url: str | None = None,
    **how: Any,
) -> RunReport:
    """Fetch stations and spatial targets from the service, as ``cimis fetch`` does.

    Parameters
    ----------
    stations : int, str, Target or iterable of them
        As of :meth:`daily`, also both kinds at once; an address as
        ``"address:HQ=1416 9th St, Sacramento, CA"``.
    year : int or str, optional
        A whole year, or a range as ``"2014-2015"``, up to today; else ``start`` and ``end``.
    start, end : date or str, optional
        First and last day, both inclusive; ``end`` is by default today.
    scope : {"daily", "hourly"}
    items : str or iterable of str, optional
        By default the service's own set and ETr.
    network, prefer : {"wsn", "scs"}, optional
        Who alone, or first, answers for zip codes: the stations that serve them, or the spatial
        network, which is the default.
    app_key, base_url : str, optional
        By default from the environment or the configuration file.
    **how
        ``concurrency``, ``retries``, ``gzip``, ``format``, ``full``, ``dry_run`` and others of
        :class:`cimis.pipeline.fetch.FetchRequest`.

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
    from cimis.pipeline.fetch import FetchRequest

    kind = scope_of(scope)
    sites = sites_of(stations, opened.root)
    if sites.targets is None:
        raise UsageError("which targets?", hint="name them; sync brings those stored up to date")
    span = span_of(year, start, end)
    wished = Wished(sites, network=_network(network), prefer=_network(prefer))
    request = FetchRequest(
        sites.stations or (1,), *span, kind, items_of(items, kind) or (), **options_of(how)
    )
    odd: list[str] = []
    lists = lists_for(opened, request, app_key, base_url, odd)
    report, whom = fetched(wished, lists, request)
    if not request.dry_run:
        caught_up(opened)
    for text in odd:
        warn(text)
    missed = set(sites.stations or ()) - set(whom.stations)
    settle([report], Lacks(without_rows=tuple(sorted(missed))))
    return report


def fetched(
    wished: Wished,
    lists: NetworkLists,
    request: FetchRequest,
    *,
    progress: Progress | None = None,
) -> tuple[RunReport, Whom]:
    """Fetch whom a user means; return the report, also of a run that could not begin, and whom.

    Parameters
    ----------
    wished : Wished
    lists : NetworkLists
        What it warns of is in the report as well.
    request : FetchRequest
        Says days, items and how; its stations do not count.
    progress : Progress, optional
    """
    from cimis.pipeline.fetch import RunReport, RunStopped
    from cimis.pipeline.fetch import fetch as run

    odd: list[str] = []

    def told(text: str) -> None:
        odd.append(text)
        lists.warn(text)

    whom = Whom()
    failure: CimisError | None = None
    if not request.dry_run:
        from cimis.pipeline.storage.writers import must_be_writable

        must_be_writable(lists.root)
    try:
        if not request.dry_run:
            lists.settings.key()
        whom = whom_of(
            wished,
            replace(lists, warn=told),
            (request.start, request.end),
            hourly=request.scope is Scope.HOURLY,
        )
    except (ServiceError, AuthError) as error:
        failure = error
    except KeyboardInterrupt:
        failure = FetchInterrupted(
            "stopped before the first request for data", hint="run the same command again"
        )
    if failure is not None:
        named = wished.sites.stations or ()
        report = RunReport.unbegun(named, request, dt.datetime.now(dt.UTC), failure)
    else:
        asked = replace(request, **{one.name: getattr(whom, one.name) for one in fields(whom)})
        try:
            report = run(lists.root, asked, lists.settings, progress=progress)
        except RunStopped as stopped:
            report = stopped.report
    report.warnings[:0] = odd
    return report, whom


def lists_for(
    opened: Opened,
    request: FetchRequest,
    app_key: str | None,
    base_url: str | None,
    odd: list[str],
) -> NetworkLists:
    """Return the lists that a request may ask for; ``odd`` gets what is odd about them."""
    from cimis.pipeline.service import Settings

    return NetworkLists(
        opened.root,
        Settings.load(base_url=base_url, app_key=app_key),
        ask=not request.dry_run,
        warn=odd.append,
        policy=request.policy,
        timeout=request.timeouts,
    )


def _network(name: str | None) -> Network | None:
    try:
        return None if name is None else Network(str(name).strip().lower())
    except ValueError:
        raise UsageError(f"unknown network '{name}'", hint="choose wsn or scs") from None


def options_of(how: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a request; `UsageError` for a name that is none of them."""
    from cimis.pipeline.fetch import FetchRequest

    own = {"stations", "targets", "zips", "prefer", "start", "end", "scope", "items", "spans"}
    names = [field.name for field in fields(FetchRequest) if field.name not in own]
    for name in how:
        if name not in names:
            raise UsageError(f"there is no option '{name}'", hint=f"there are {', '.join(names)}")
    whole = {"concurrency", "retries"}
    return {n: count_of(value, n) if n in whole else value for n, value in how.items()}


def settle(reports: Sequence[RunReport], left_out: Lacks) -> None:
    """Raise the error of runs of which nothing came, and warn of stations that failed."""
    from cimis.pipeline.fetch.report.outcome import failure_of, fruitless

    failures = [failure for report in reports if (failure := failure_of(report)) is not None]
    if failures and fruitless(reports):
        failures[0].reports = tuple(reports)
        raise failures[0]
    failed = {site: None for report in reports for site in report.lacks.failed}
    warn_of(replace(left_out, failed=tuple(failed)))
