"""How a store keeps count of what an answer is short of, and warns of it."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.field.site import SiteKind
from pipeline.items import Item, Scope
from pipeline.lacks import Asked, IncompleteAnswer, Lacks, Site

if TYPE_CHECKING:
    import polars as pl

    from queries.rows import Rows
    from queries.tally import Tally

__all__ = ["tally_of", "warn_of", "warn_of_damage", "warned"]


def tally_of(
    root: Path,
    scope: Scope,
    sites: Sequence[Site] | None,
    first: dt.date | None = None,
    last: dt.date | None = None,
    items: Sequence[Item] | None = None,
    *,
    spatial: bool = False,
    limit: int | None = None,
    count: Callable[[], Mapping[Site, int]] | None = None,
) -> Tally:
    """Return what counts an answer's rows and knows what was asked; see :class:`Asked`."""
    from queries.tally import Tally

    named = None if sites is None else tuple(sites)
    kind = SiteKind.TARGET if spatial else SiteKind.STATION
    asked = Asked(scope, named, first, last, tuple(items or ()), kind)
    return Tally(root, asked, limit=limit, count=count)


def warn_of(lacks: Lacks, *, above: int = 1) -> None:
    """Warn of what an answer is short of, at the line that called the method of the store.

    ``above`` is how many calls lie between that line and this one.
    """
    if lacks:
        warnings.warn(IncompleteAnswer(lacks), stacklevel=above + 2)


def warn_of_damage(damaged: Sequence[tuple[str, str]], *, above: int = 1) -> None:
    """Warn of damaged chunks whose rows an answer lacks; see :func:`warn_of`."""
    if damaged:
        warn_of(Lacks(damaged=tuple(damaged)), above=above + 1)


def warned(rows: Rows) -> pl.DataFrame:
    """Return rows as a data frame, and warn the caller's caller of what they are short of."""
    frame = rows.pl()
    warn_of(rows.lacks, above=2)
    return frame
