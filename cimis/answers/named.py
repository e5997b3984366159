"""Questions that have a name, or a period: the library, and records summed up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cimis.answers.question import Question, question_of
from cimis.answers.sql import answered
from cimis.arguments import Day, Items
from cimis.naming.sites import Sites, Stations, station_numbers
from cimis.opened import Opened
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Scope
from cimis.pipeline.lacks import Site

if TYPE_CHECKING:
    from cimis.queries.engines.answer import Answer
    from cimis.queries.timing import QueryTimings

__all__ = ["every", "named"]


def named(
    opened: Opened,
    name: str,
    *,
    stations: Stations | None = None,
    qc: str = "keep",
    units: str = "metric",
    unsafe: bool = False,
    timings: QueryTimings | None = None,
    parameters: Mapping[str, object] | None = None,
    **more: object,
) -> Answer:
    """Return the answer to a question of the library; ``cimis sql --list`` shows them all.

    Parameters
    ----------
    name : str
        Such as ``"frost-nights"``.
    stations : int, str or iterable of them, optional
        By number or name, as of :meth:`daily`; by default all that are stored.
    qc : {"keep", "drop-severe", "strict"}
    units : {"metric", "english"}
        Of the answer, its parameters and their defaults.
    unsafe : bool
        As of :meth:`sql`.
    timings : QueryTimings, optional
    parameters : mapping, optional
    **more
        Values of the question's own parameters, in the place of its defaults.

    Returns
    -------
    Answer
        Its ``lacks`` tells which stations have no row.

    Raises
    ------
    UsageError
        For an unknown name or parameter, a value that cannot be what is asked for, spatial targets,
        or where nothing stored holds an item that the question is about.
    """
    from cimis.queries.answers.named import named_query
    from cimis.queries.conversion import standard
    from cimis.queries.engines.inventory import Named

    query = named_query(name, standard(units))
    values = query.values(
        {key: str(value) for key, value in {**(parameters or {}), **more}.items()}
    )
    numbers = station_numbers(stations, opened.root, f"'{name}'")
    asked = Question(Scope.HOURLY if query.hourly else Scope.DAILY, Sites(numbers))
    stored = _stored_items(opened, asked)
    absent = [i.column for i in query.items(asked.scope) if stored and i not in stored]
    if absent:
        raise UsageError(
            f"nothing stored holds {', '.join(absent)}, which '{name}' asks for",
            hint="fetch or import it; 'cimis stats' tells what is stored",
        )
    return answered(
        opened,
        query.text(numbers),
        values,
        qc=qc,
        units=units,
        unsafe=unsafe,
        timings=timings,
        tally=None if numbers is None else asked.tally(opened.root),
        named=None if numbers is None else Named(frozenset(numbers)),
    )


def every(
    opened: Opened,
    period: str,
    *,
    scope: str | Scope = Scope.DAILY,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    units: str = "metric",
    qc: str = "keep",
) -> Answer:
    """Return records summed up per station and week, month, year or water year.

    Depths (ETo, rain) are added up, maxima and minima stay extremes, the rest are means; beside
    each figure stands of how many records it is made. See
    :func:`cimis.queries.answers.periods.period_sql`.

    Parameters
    ----------
    period : {"week", "month", "year", "water-year"}
        Of hourly records also ``day``.
    scope : {"daily", "hourly"}
    stations : int, str, Target or iterable of them, optional
        Stations or spatial targets, as of :meth:`daily`.
    start, end : date or str, optional
        First and last day, both inclusive.
    items : str or iterable of str, optional
        By default all that are stored.
    units : {"metric", "english"}
    qc : {"keep", "drop-severe", "strict"}

    Returns
    -------
    Answer
        Its ``lacks`` tells what the periods are short of: stations, days, items.

    Raises
    ------
    UsageError
        For an unknown period, item, unit or policy, and as of :meth:`daily`.
    """
    from cimis.queries.answers.periods import count_sql, period_heads, period_sql
    from cimis.queries.conversion import standard
    from cimis.queries.engines.answer import Answer
    from cimis.queries.quality import policy

    asked = question_of(opened.root, scope, stations, start, end, items)
    chosen = asked.items or _stored_items(opened, asked)
    wish = asked._replace(items=chosen).wish(policy(qc))

    def count() -> dict[Site, int]:
        return dict(Answer(opened.engine, count_sql(wish), named=wish.named()).fetchall())

    return answered(
        opened,
        period_sql(wish, period, standard(units)),
        qc=qc,
        tally=asked.tally(opened.root, count=count),
        heads=period_heads(chosen, standard(units)),
        named=wish.named(),
    )


def _stored_items(opened: Opened, asked: Question) -> tuple[Item, ...]:
    """Return the items that are stored, of stations or of spatial targets."""
    from cimis.pipeline.catalog.database import Catalog
    from cimis.pipeline.field.items import scope_items

    with Catalog(opened.root) as catalog:
        stored = catalog.item_codes(asked.scope, kind=asked.sites.kind)
    return tuple(item for item in scope_items(asked.scope) if item.code in stored)
