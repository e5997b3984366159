"""What a store lacks: new days, and from the first day on that may still change, the days after it.

A day may still change for a fortnight; for six weeks where it came back incomplete or its test is
pending (`cimis.pipeline.fetch.final`). Everything before the first such day of a station is final
and not asked for. Stations whose spans end together share requests: see
`cimis.pipeline.plan.windows.staircase`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cimis.pipeline.catalog.database import Catalog, ChunkRow
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.fetch.fetching import fetch
from cimis.pipeline.fetch.final import NEAR_END_DAYS, Span, left_over, merged
from cimis.pipeline.fetch.report.progress import Progress
from cimis.pipeline.fetch.report.run_report import RunReport
from cimis.pipeline.fetch.request import FetchRequest
from cimis.pipeline.field.items import Item, Scope, default_items, resolve
from cimis.pipeline.field.site import number_of_target
from cimis.pipeline.field.targets import Target, target_of_key
from cimis.pipeline.field.time import network_day
from cimis.pipeline.service import Settings
from cimis.pipeline.storage.writers import locked

__all__ = ["SyncPlan", "lacking", "sync"]

_DAY = dt.timedelta(days=1)

_LISTED = {"day-eto": "day-asce-eto", "hly-eto": "hly-asce-eto"}

Who = int | Target


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What to ask for, a request each for those with the same scope, items and format.

    ``left_out`` says of whom nothing can be asked, and why.
    """

    requests: tuple[FetchRequest, ...]
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class _Stored:
    """What is stored of a station or target in one scope."""

    chunks: list[ChunkRow] = field(default_factory=list)

    @property
    def newest(self) -> ChunkRow:
        return max(self.chunks, key=lambda row: row.last_s)

    @property
    def first_day(self) -> dt.date:
        return min(row.first_day for row in self.chunks)

    @property
    def items(self) -> tuple[str, ...]:
        """Codes of the items to ask for: those of the newest chunk.

        The archive has the ETo of the network's own equation, which the service no longer lists;
        in the place of an imported one the ASCE figure is asked for.
        """
        codes = self.newest.items
        if self.newest.source.startswith("import of "):
            codes = tuple(dict.fromkeys(_LISTED.get(code, code) for code in codes))
        return codes


def lacking(
    catalog: Catalog,
    usual: FetchRequest,
    today: dt.date,
    *,
    stations: Sequence[Who] | None = None,
    scopes: Iterable[Scope] | None = None,
    since: dt.date | None = None,
    recheck_days: int = 0,
) -> SyncPlan:
    """Return what to ask for so that a store is up to date.

    Parameters
    ----------
    catalog : Catalog
    usual : FetchRequest
        Says how requests are made; its stations, days, items, scope and format do not count.
    today : datetime.date
        The network's present day; yesterday is the last that is asked for.
    stations : sequence of int or Target, optional
        By default all that are stored, and all spatial targets. Those that are not stored yet begin
        at ``since``.
    scopes : iterable of Scope, optional
        By default those that are stored.
    since : datetime.date, optional
        First day of stations that are not stored yet; by default the store's first.
    recheck_days : int
        Ask again for so many days before today, final or not.

    Raises
    ------
    NoDataError
        When nothing is stored and ``since`` is not given.
    """
    held = _held(catalog)
    if not held and stations is None:
        raise NoDataError(
            "nothing is stored yet", hint="name stations, and --since for their first day"
        )
    wanted = tuple(scopes or sorted({scope for scope, _ in held}) or (Scope.DAILY,))
    facts = {int(f["number"]): f for f in catalog.stations()}
    texts, left_out = catalog.targets(), []
    groups: dict[tuple[Scope, tuple[Item, ...], str], dict[Who, list[Span]]] = {}
    for scope in wanted:
        own = {who: s for (kind, who), s in held.items() if kind is scope}
        known: list[Who] = list(own)
        chosen = known if stations is None else list(stations)
        first = since or min((s.first_day for s in own.values()), default=None)
        usual_items = _commonest(own, scope)
        for who in chosen:
            if isinstance(who, Target) and scope is Scope.HOURLY:
                continue  # spatial data are daily
            target = _sendable(who, texts) if isinstance(who, Target) else who
            if target is None:
                left_out.append(f"{who.key if isinstance(who, Target) else who}: its text is lost")
                continue
            end = _last_day(facts.get(who) if isinstance(who, int) else None, today)
            stored = own.get(target_of_key(who.key) if isinstance(who, Target) else who)
            if stored is None:
                if first is None:
                    raise NoDataError(
                        "nothing is stored yet, so it is not known where to begin",
                        hint="name the first day, as --since 2024-01-01",
                    )
                spans = [(first, end)] if first <= end else []
                items = default_items(scope) if isinstance(who, Target) else usual_items
                form = "v2"
            else:
                spans = _left(catalog, stored, end, today - _DAY * recheck_days)
                items = resolve(",".join(stored.items), scope)
                form = stored.newest.format
            if spans:
                groups.setdefault((scope, items, form), {})[target] = spans
    requests = [_request(usual, *key, spans) for key, spans in groups.items()]
    return SyncPlan(tuple(requests), tuple(left_out))


def _held(catalog: Catalog) -> dict[tuple[Scope, Who], _Stored]:
    found: dict[tuple[Scope, Who], _Stored] = {}
    for row in catalog.chunks():
        who = row.station if row.target is None else target_of_key(row.target)
        assert who is not None
        found.setdefault((row.scope, who), _Stored()).chunks.append(row)
    return found


def _commonest(own: dict[Who, _Stored], scope: Scope) -> tuple[Item, ...]:
    counts = Counter(s.items for who, s in own.items() if isinstance(who, int))
    if not counts:
        return default_items(scope)
    return resolve(",".join(counts.most_common(1)[0][0]), scope)


def _sendable(target: Target, texts: dict[str, str]) -> Target | None:
    sent = target.sent or texts.get(target.key)
    return None if not sent else target._replace(sent=sent)


def _last_day(facts: dict[str, Any] | None, today: dt.date) -> dt.date:
    """Return the last day that can have records: yesterday, or a closed station's last."""
    closed = facts.get("disconnected") if facts else None
    return min(today - _DAY, dt.date.fromisoformat(closed) if closed else today)


def _left(catalog: Catalog, stored: _Stored, end: dt.date, again: dt.date) -> list[Span]:
    """Return the days from the first that is new or may still change, less the final ones."""
    rows = stored.chunks
    items = set(stored.items)
    asked = [
        (dt.date.fromisoformat(first), dt.date.fromisoformat(last))
        for _, codes, first, last in catalog.asked([row.path for row in rows])
        if items <= set(codes.split(","))
    ]
    known = max([stored.newest.last_day, *(last for _, last in asked)])
    begins = [known + _DAY, again]
    begins += [row.provisional_from for row in rows if row.provisional_from is not None]
    first = max(min(begins), stored.first_day)
    final = [(a, min(b, again - _DAY)) for a, b in merged(asked) if a < again]
    spans = left_over((first, end), final) if first <= end else []
    # a request more for days between that are final costs the service more than these days
    near = [span for span in spans if span[0] >= end - _DAY * NEAR_END_DAYS]
    far = spans[: len(spans) - len(near)]
    return [*far, (near[0][0], end)] if near else far


def _request(
    usual: FetchRequest,
    scope: Scope,
    items: tuple[Item, ...],
    form: str,
    spans: dict[Who, list[Span]],
) -> FetchRequest:
    stations = tuple(sorted(who for who in spans if isinstance(who, int)))
    targets = tuple(sorted(who for who in spans if isinstance(who, Target)))
    numbered: dict[Who, int] = {target: number_of_target(n) for n, target in enumerate(targets)}
    return replace(
        usual,
        stations=stations,
        targets=targets,
        scope=scope,
        items=items,
        format=form,
        start=min(first for parts in spans.values() for first, _ in parts),
        end=max(last for parts in spans.values() for _, last in parts),
        spans=tuple(
            (numbered.get(who, who if isinstance(who, int) else 0), first, last)
            for who, parts in spans.items()
            for first, last in parts
        ),
    )


def sync(
    root: Path,
    usual: FetchRequest,
    settings: Settings,
    *,
    progress: Progress | None = None,
    clock: Callable[[], dt.datetime] | None = None,
    **which: Any,
) -> tuple[list[RunReport], SyncPlan]:
    """Bring a store up to date; one at a time in a data directory.

    Parameters
    ----------
    root : Path
        The data directory.
    usual : FetchRequest
        Says how requests are made, and whether at all (``dry_run``).
    settings : Settings
    progress : Progress, optional
    clock : callable, optional
        Gives the present moment, with zone; by default the system's clock.
    **which
        ``stations``, ``scopes``, ``since``, ``recheck_days``: see :func:`lacking`.

    Returns
    -------
    list of RunReport
        One for each request of the plan.
    SyncPlan

    Raises
    ------
    StoreError
        When another sync holds the data directory, or it cannot be used.
    RunStopped
        When the user interrupts it.
    """
    now = clock() if clock is not None else dt.datetime.now(dt.UTC)
    with locked(root, "sync", timeout_s=0, doing="another sync of this data directory is running"):
        with Catalog(root) as catalog:
            plan = lacking(catalog, usual, network_day(now), **which)
        reports = [
            fetch(root, request, settings, progress=progress, clock=lambda: now)
            for request in plan.requests
        ]
    return reports, plan
