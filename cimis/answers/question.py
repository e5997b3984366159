"""What is asked for, checked once: whose records, of which days and items."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cimis.arguments import Day, Items, items_of, open_span_of, scope_of
from cimis.naming.sites import EVERY_STATION, Sites, Stations, sites_of
from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.lacks import Asked, Site

if TYPE_CHECKING:
    from cimis.queries.answers.tally import Tally
    from cimis.queries.answers.wish import Wish
    from cimis.queries.quality import FlagPolicy

__all__ = ["Question", "question_of"]


class Question(NamedTuple):
    """Whose records are asked for, of which days and items.

    Parameters
    ----------
    scope : Scope
    sites : Sites
    first, last : datetime.date, optional
        Both inclusive; None leaves an end open.
    items : tuple of Item, optional
        None for all that are stored.
    """

    scope: Scope
    sites: Sites = EVERY_STATION
    first: dt.date | None = None
    last: dt.date | None = None
    items: tuple[Item, ...] | None = None

    @property
    def table(self) -> str:
        """The table with these records; see :meth:`cimis.naming.sites.Sites.table`."""
        return self.sites.table(self.scope)

    def tally(
        self,
        root: Path,
        *,
        limit: int | None = None,
        count: Callable[[], Mapping[Site, int]] | None = None,
    ) -> Tally:
        """Return what counts an answer's rows and tells what they are short of."""
        from cimis.queries.answers.tally import Tally

        asked = Asked(
            self.scope,
            self.sites.named,
            self.first,
            self.last,
            self.items or (),
            self.sites.kind,
        )
        return Tally(root, asked, limit=limit, count=count)

    def wish(self, policy: FlagPolicy, *, limit: int | None = None) -> Wish:
        """Return the same as rows of a table under a policy for flags, at most so many."""
        from cimis.queries.answers.wish import Wish

        spatial, named = self.sites.spatial, self.sites.named
        return Wish(
            self.table,
            None if spatial else self.sites.stations,
            None if named is None or not spatial else tuple(map(str, named)),
            self.first,
            self.last,
            self.items,
            policy,
            limit,
        )


def question_of(
    root: Path,
    scope: str | Scope,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
) -> Question:
    """Return what a user asks for; `UsageError` for what cannot be meant.

    Parameters
    ----------
    root : pathlib.Path
        The data directory, whose list of stations knows names.
    scope, stations, start, end, items
        As of :meth:`cimis.Store.query`.
    """
    kind = scope_of(scope)
    sites = sites_of(stations, root)
    sites.table(kind)
    return Question(kind, sites, *open_span_of(start, end), items_of(items, kind))
