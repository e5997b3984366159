"""What brings a store up to date: new days, and days that may still change."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.arguments import Day, count_of, open_span_of, scope_of
from cimis.lacking import warn
from cimis.naming.choice import listed
from cimis.naming.lists import NetworkLists
from cimis.naming.sites import Stations, sites_of
from cimis.naming.whom import Wished, stations_of
from cimis.opened import Opened, caught_up
from cimis.pipeline.errors import AuthError, ServiceError, UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.lacks import Lacks
from cimis.tasks.fetching import lists_for, options_of, settle

if TYPE_CHECKING:
    from cimis.pipeline.fetch import RunReport
    from cimis.pipeline.field.targets import Target

__all__ = ["days_again", "sync", "to_sync"]


def sync(
    opened: Opened,
    stations: Stations | None = None,
    *,
    scope: str | Scope | None = None,
    active: bool = False,
    since: Day | None = None,
    recheck_days: int = 0,
    app_key: str | None = None,
    base_url: str | None = None,
    **how: Any,
) -> list[RunReport]:
    """Fetch new days and days that may still change, as ``cimis sync`` does.

    Parameters
    ----------
    stations : int, str, Target or iterable of them, optional
        As of :meth:`fetch`; by default all that are stored, spatial targets too.
    scope : {"daily", "hourly"}, optional
        By default both, as far as they are stored.
    active : bool
        All stations that work now, stored or not, in the place of ``stations``.
    since : date or str, optional
        First day of stations that are not stored yet.
    recheck_days : int
        Ask again for so many days before today, final or not.
    app_key, base_url : str, optional
        By default from the environment or the configuration file.
    **how
        ``concurrency``, ``retries``, ``full``, ``dry_run``: see
        :class:`cimis.pipeline.fetch.FetchRequest`; ``full`` asks again from the first stored day
        on.

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
    from cimis.pipeline.fetch import FetchRequest, RunReport, RunReports
    from cimis.pipeline.fetch import sync as run
    from cimis.pipeline.field.time import network_day

    today = network_day()
    options = options_of(how)
    again = days_again(
        count_of(recheck_days, "recheck_days", most=20_000), today, full=options.pop("full", False)
    )
    usual = FetchRequest((1,), today, today, **options)
    first, _ = open_span_of(since, None)
    scopes = None if scope is None else (scope_of(scope),)
    sites = None if stations is None else sites_of(stations, opened.root)
    odd: list[str] = []
    lists = lists_for(opened, usual, app_key, base_url, odd)
    numbers = (sites.stations or ()) if sites is not None else ()
    try:
        if not usual.dry_run:
            lists.settings.key()
        whom = to_sync(None if sites is None else Wished(sites), lists, first, active=active)
    except (AuthError, ServiceError) as error:
        error.report = RunReport.unbegun(numbers, usual, dt.datetime.now(dt.UTC), error)
        raise
    reports, plan = run(
        opened.root,
        usual,
        lists.settings,
        stations=whom,
        scopes=scopes,
        since=first,
        recheck_days=again,
    )
    if not usual.dry_run:
        caught_up(opened)
    for text in (*odd, *(f"left out: {one}" for one in plan.left_out)):
        warn(text)
    settle(reports, Lacks(without_rows=tuple(sorted(set(numbers) - set(whom or ())))))
    return RunReports(reports)


def to_sync(
    wished: Wished | None, lists: NetworkLists, since: dt.date | None, *, active: bool
) -> tuple[int | Target, ...] | None:
    """Return whom to bring up to date; None for all that is stored.

    Parameters
    ----------
    wished : Wished, optional
        None for all that is stored.
    lists : NetworkLists
    since : datetime.date, optional
        First day of stations that are not stored yet.
    active : bool
        All stations that work now.
    """
    from cimis.pipeline.field.time import network_day
    from cimis.pipeline.storage.writers import must_be_writable

    must_be_writable(lists.root)

    if active and wished is not None:
        raise UsageError("--all and stations exclude each other", hint="give one of them")
    if wished is None:
        if lists.ask:  # closed stations are known by the list
            lists.refreshed()
        if not active:
            return None
        return tuple(facts["number"] for facts in listed(lists.root) if facts.get("active"))
    today, targets = network_day(), wished.sites.targets
    if targets is None:
        targets = _stored_targets(lists.root)
    return (*stations_of(wished, lists, (since or today, today)), *targets)


def _stored_targets(root: Path) -> tuple[Target, ...]:
    from cimis.pipeline.catalog.database import Catalog
    from cimis.pipeline.field.site import SiteKind
    from cimis.pipeline.field.targets import target_of_key

    with Catalog(root) as catalog:
        keys = {key for key, *_ in catalog.holdings(Scope.DAILY, kind=SiteKind.TARGET)}
    return tuple(map(target_of_key, sorted(keys)))


def days_again(recheck_days: int, today: dt.date, *, full: bool) -> int:
    """Return how many days before today are asked for again, final or not."""
    from cimis.pipeline.field.time import FIRST_DAY

    if full and recheck_days:
        raise UsageError("--full and --recheck exclude each other", hint="give one of them")
    return (today - FIRST_DAY).days if full else recheck_days
