"""Records summed up over weeks, months, years and water years: SQL with the right rule per item.

Depths (ETo, rain) are added up, maxima and minima stay extremes, a direction is the mean of its
unit vectors, and everything else is a mean. Beside each figure stands of how many records it is
made. English figures are converted once, after adding up, and have the decimals that the network
writes, means one more; metric sums and extremes keep those stored, means have one more than
the registry names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Rule, Scope, Standard
from cimis.pipeline.field.time import PER_DAY, PERIOD_LENGTHS, PERIOD_STARTS
from cimis.pipeline.field.units import metric_decimals
from cimis.queries.answers.wish import Wish
from cimis.queries.mirror.layout import keys_of, scope_of_table

__all__ = ["PERIODS", "count_sql", "period_heads", "period_sql"]

PERIODS = tuple(PERIOD_STARTS)


def period_heads(items: Sequence[Item], units: Standard) -> dict[str, dict[bytes, bytes]]:
    """Return the field metadata of the figures by column.

    ``unit`` as the service writes it, ``symbol`` as people do, ``of`` which item, ``statistic`` by
    which rule. It is not ``item``: a year's rain is no day's.
    """
    return {
        item.column: {
            b"of": item.code.encode(),
            b"statistic": item.rule.encode(),
            b"unit": item.unit(units).encode(),
            b"symbol": item.symbol(units).encode(),
        }
        for item in items
    }


def period_sql(wish: Wish, every: str, units: Standard) -> str:
    """Return SQL over the views that sums records up per station and period.

    Its columns: ``station`` (or ``target``); ``period``, the period's first day; ``days``
    (``hours`` of hourly records), how many there could be of the days asked for; then per item its
    figure, null where no value is there, and ``NAME_days`` (``NAME_hours``), of how many values it
    is made.

    Parameters
    ----------
    wish : Wish
        Whose records, which items, and of which days; a period that they cut counts the days
        inside.
    every : str
        One of ``PERIODS``; weeks begin on Monday, water years in October.
    units : Standard

    Raises
    ------
    UsageError
        For an unknown period, or days of daily records.
    """
    scope = scope_of_table(wish.table)
    if every not in PERIODS or (every == "day" and scope is Scope.DAILY):
        known = PERIODS if scope is Scope.HOURLY else PERIODS[1:]
        raise UsageError(f"no {scope} period '{every}'", hint=f"one of {', '.join(known)}")
    unit = "hours" if scope is Scope.HOURLY else "days"
    after = f"(any_value({PERIOD_STARTS[every]}) + INTERVAL {PERIOD_LENGTHS[every]})::date"
    first = f"any_value({PERIOD_STARTS[every]})"
    if wish.end is not None:
        after = f"least({after}, DATE '{wish.end + dt.timedelta(days=1)}')"
    if wish.start is not None:
        first = f"greatest({first}, DATE '{wish.start}')"
    who, *_ = keys_of(wish.table)
    columns = [
        who,
        f"{PERIOD_STARTS[every]} AS period",
        f"({after} - {first}) * {PER_DAY[scope]} AS {unit}",
    ]
    for item in wish.items or ():
        columns += [f"{_figure(item, units)} AS {item.column}"]
        columns += [f"count({item.column}) AS {item.column}_{unit}"]
    listed = ",\n    ".join(columns)
    return (
        f"SELECT\n    {listed}\nFROM {wish.table}\nWHERE {wish.where()}\n"
        f"GROUP BY {who}, period\nORDER BY {who}, period"
    )


def count_sql(wish: Wish) -> str:
    """Return SQL that counts the records of which the answer to `period_sql` is made, per site."""
    who, *_ = keys_of(wish.table)
    return f"SELECT {who}, count(*) FROM {wish.table} WHERE {wish.where()} GROUP BY {who}"


def _figure(item: Item, units: Standard) -> str:
    rule, name = item.rule, item.column
    made = {
        Rule.SUM: f"sum({name})",
        Rule.MAX: f"max({name})",
        Rule.MIN: f"min({name})",
        Rule.MEAN: f"avg({name})",
        Rule.DIRECTION: f"(degrees(atan2(avg(sin(radians({name}))), avg(cos(radians({name})))))"
        " + 360) % 360",
    }[rule]
    ratio = item.quantity.ratio if units is Standard.ENGLISH else None
    decimals = item.decimals_metric if ratio is None else item.decimals_english
    if ratio is not None:
        made = ratio.english_sql(made)
    if rule in (Rule.MEAN, Rule.DIRECTION):
        decimals += 1
    elif ratio is None and rule is not Rule.SUM:
        return made
    elif ratio is None:  # nothing but the noise of adding up is rounded
        decimals = metric_decimals(item)
    return f"round({made}, {decimals})"
