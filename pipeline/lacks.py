"""What an answer is short of: stations without a row, days that are not there, items nobody holds.

Reckoning alone: what was asked, how many rows of each station came, and what the catalog holds go
in, in whatever way the rows were read; one sentence comes out. Only the standard library is needed,
so that a question of few rows pays nothing for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.field.site import SiteKind
from cimis.pipeline.field.time import PER_DAY

__all__ = ["NOTHING", "Asked", "Held", "IncompleteAnswer", "Lacks", "Short", "Site", "lacks_of"]

Site = int | str
"""A station's number, or the key of a spatial target."""

_NAMED = 5
"""Stations that are named one by one; of more only the first so many."""
_LISTED = 20


class Held(NamedTuple):
    """What one chunk holds: whose rows, of which days (the network's), and the codes of items."""

    site: Site
    first: dt.date
    last: dt.date
    items: frozenset[str]


class Asked(NamedTuple):
    """What was asked for.

    Parameters
    ----------
    scope : Scope
    sites : tuple of int or str, optional
        Stations or targets; None for all that are stored.
    first, last : datetime.date, optional
        Both inclusive. An open end means as far as a station is stored; of two none is reckoned.
    items : tuple of Item
        Those named; empty for all that are stored.
    kind : SiteKind
        Whether the sites are stations or spatial targets.
    """

    scope: Scope
    sites: tuple[Site, ...] | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    items: tuple[Item, ...] = ()
    kind: SiteKind = SiteKind.STATION

    def meets(self, held: Held) -> bool:
        """Tell whether a chunk has rows of the days asked for."""
        early = self.last is not None and held.first > self.last
        return not early and (self.first is None or held.last >= self.first)


class Short(NamedTuple):
    """A station of which some but not all of the days (or hours) asked for are present."""

    site: Site
    present: int
    asked: int


@dataclass(frozen=True, slots=True)
class Lacks:
    """What an answer is short of; true where there is anything.

    Attributes
    ----------
    unit : {"day", "hour"}
        What is counted.
    without_rows : tuple of int or str
        Stations or targets without any row.
    short : tuple of Short
    items : tuple of str
        Columns asked for that nothing stored of what was asked holds.
    items_of : tuple of (int or str, str)
        Stations of which nothing stored holds a column that others have.
    not_over : datetime.date or None
        First day asked for that is not over, where there is one.
    failed : tuple of int or str
        Stations that a run could not get all of; its report says why.
    damaged : tuple of (str, str)
        Damaged chunks whose rows are left out, as paths below the data directory, and the damage.
    """

    unit: str = "day"
    without_rows: tuple[Site, ...] = ()
    short: tuple[Short, ...] = ()
    items: tuple[str, ...] = ()
    items_of: tuple[tuple[Site, str], ...] = ()
    not_over: dt.date | None = None
    kind: SiteKind = SiteKind.STATION
    failed: tuple[Site, ...] = ()
    damaged: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        parts = (
            *(self.failed, self.without_rows, self.short),
            *(self.items, self.items_of, self.damaged),
        )
        return any(map(bool, parts)) or self.not_over is not None

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Return all of it in one line; an empty text where nothing lacks."""
        if not self:
            return ""
        who = self.kind.value
        parts = []
        if self.failed:
            parts.append(f"{who}s that failed: {_listed(self.failed)}")
        if self.without_rows:
            parts.append(f"{who}s with no row: {_listed(self.without_rows)}")
        if len(self.short) == 1:
            site, present, asked = self.short[0]
            parts.append(f"{who} {site} has {present:,} of {asked:,} {self.unit}s")
        elif self.short:
            present = sum(part.present for part in self.short)
            asked = sum(part.asked for part in self.short)
            each = [f"{s.site} has {s.present:,} of {s.asked:,}" for s in self.short]
            parts.append(
                f"{len(self.short)} {who}s have {present:,} of {asked:,} {self.unit}s: "
                + _listed(each, most=_NAMED)
            )
        if self.items:
            parts.append(f"nothing holds {', '.join(self.items)}")
        for item in sorted({name for _, name in self.items_of}):
            lacking = [site for site, name in self.items_of if name == item]
            few = who if len(lacking) == 1 else f"{who}s"
            parts.append(f"nothing of {few} {_listed(lacking)} holds {item}")
        if self.not_over is not None:
            parts.append(f"{self.not_over} is not over")
        if self.damaged:
            few = "chunk is" if len(self.damaged) == 1 else "chunks are"
            named = [f"{path} ({damage})" for path, damage in self.damaged]
            parts.append(
                f"{len(self.damaged):,} damaged {few} left out: {_listed(named, most=_NAMED)}; "
                "'cimis verify --repair' sets them aside"
            )
        return f"less than asked: {'; '.join(parts)}"

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-ready values."""
        who = self.kind.value
        return {
            "text": self.text(),
            "unit": f"{self.unit}s",
            "failed": list(self.failed),
            "without_rows": list(self.without_rows),
            "short": [{who: s.site, "present": s.present, "asked": s.asked} for s in self.short],
            "items": list(self.items),
            "items_of": [{who: site, "item": name} for site, name in self.items_of],
            "damaged": [{"path": path, "damage": damage} for path, damage in self.damaged],
            "not_over": None if self.not_over is None else self.not_over.isoformat(),
        }


NOTHING = Lacks()


class IncompleteAnswer(UserWarning):
    """An answer is less than what was asked; ``lacks`` tells of what."""

    def __init__(self, lacks: Lacks) -> None:
        super().__init__(lacks.text())
        self.lacks = lacks


def lacks_of(
    asked: Asked,
    counts: Mapping[Any, int] | None,
    held: Sequence[Held],
    *,
    today: dt.date,
    resting: frozenset[Site] = frozenset(),
) -> Lacks:
    """Return what an answer is short of.

    Parameters
    ----------
    asked : Asked
    counts : mapping of int or str to int, optional
        Rows of the answer per station or target; None where it was cut short on purpose, so that
        only the catalog can tell who has none.
    held : sequence of Held
        The chunks of the scope, at least those of the stations asked for.
    today : datetime.date
        The network's present day; nothing can be expected of it yet.
    resting : frozenset of int or str
        Stations that did not work in these days: not missed where all were asked for.
    """
    per_day = PER_DAY[asked.scope]
    stored: dict[Site, list[Held]] = {}
    for chunk in held:
        stored.setdefault(chunk.site, []).append(chunk)
    wanted = stored.keys() - resting if asked.sites is None else set(asked.sites)
    met = {site: [c for c in stored.get(site, ()) if asked.meets(c)] for site in wanted}
    there = {s for s in wanted if (counts.get(s, 0) if counts is not None else met[s])}
    items, items_of = _unheld(asked.items, {s: met[s] for s in there})
    short = []
    if counts is not None and (asked.first or asked.last):
        for site in sorted(there, key=_order):
            days = _days(asked, stored.get(site, ()), today)
            if counts[site] < days * per_day:
                short.append(Short(site, counts[site], days * per_day))
    late = asked.last is not None and asked.last >= today
    return Lacks(
        "hour" if asked.scope is Scope.HOURLY else "day",
        tuple(sorted(wanted - there, key=_order)),
        tuple(short),
        items,
        items_of,
        max(today, asked.first or today) if late else None,
        asked.kind,
    )


def _days(asked: Asked, own: Iterable[Held], today: dt.date) -> int:
    """Return how many days of a station are asked for and over."""
    first = asked.first or min((chunk.first for chunk in own), default=None)
    last = asked.last or max((chunk.last for chunk in own), default=None)
    if first is None or last is None:
        return 0
    return max((min(last, today - dt.timedelta(days=1)) - first).days + 1, 0)


def _unheld(
    items: Sequence[Item], met: Mapping[Site, Sequence[Held]]
) -> tuple[tuple[str, ...], tuple[tuple[Site, str], ...]]:
    """Return the columns that no chunk holds, and those that no chunk of some station holds."""
    known = {
        site: frozenset[str]().union(*(c.items for c in own)) for site, own in met.items() if own
    }
    if not known:
        return (), ()
    some = frozenset[str]().union(*known.values())
    nowhere = tuple(item.column for item in items if item.code not in some)
    return nowhere, tuple(
        (site, item.column)
        for item in items
        if item.code in some
        for site in sorted(known, key=_order)
        if item.code not in known[site]
    )


def _order(site: Site) -> tuple[bool, int, str]:
    return (isinstance(site, str), 0 if isinstance(site, str) else site, str(site))


def _listed(parts: Sequence[Any], *, most: int = _LISTED) -> str:
    shown = ", ".join(map(str, parts[:most]))
    return shown if len(parts) <= most else f"{shown} and {len(parts) - most:,} more"
