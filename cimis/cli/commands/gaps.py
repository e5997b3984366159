"""``cimis gaps``: which days and values are not there."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cimis.cli.options import (
    data_dir,
    declare,
    option,
    place_options,
    printing,
    scope_option,
    span_options,
    stations_option,
)
from cimis.cli.showing.lists import show_list
from cimis.cli.showing.output import Output
from cimis.cli.showing.wanted import Form, listing
from cimis.lacking import stop_at_damage
from cimis.parsing import Days, today
from cimis.pipeline.errors import CheckFailed, NoDataError, UsageError
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    from cimis.naming.where import Where
    from cimis.queries.answers.gaps import Completeness, StationGaps

__all__ = ["command"]

_SIGNS = " ░▒▓█"
_RUNS = ("station", "item", "kind", "first", "last", "length")
_SUMMARY = (
    *("station", "item", "expected", "absent", "missing", "percent"),
    *("longest", "longest_first", "longest_last"),
)
_LEGEND = "█ all values   ▓ ▒ ░ some   · no record"


@declare(
    "gaps",
    examples=[
        "cimis gaps --stations 2,80 --year 2024",
        "cimis gaps --station 80 --year 2024 --items asce_eto --runs",
        "cimis gaps --station 80 --year 2024 --calendar",
    ],
)
@stations_option(names=True)
@place_options
@span_options
@option(
    "--items",
    listed=True,
    metavar="LIST",
    help="Items, as air_tmp_avg,asce_eto; else all that are stored.",
)
@scope_option
@option("--runs", is_flag=True, help="List every run of days or hours that lacks a value.")
@option("--calendar", is_flag=True, help="Draw each year, a sign for every day.")
@option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit 8 where an item of a station is less complete.",
)
@listing(empty=True)
@data_dir
@printing(talks=True)
def command(
    *,
    stations: str | None,
    where: Where,
    days: Days,
    items: str | None,
    scope: str,
    runs: bool,
    calendar: bool,
    fail_under: float | None,
    form: Form,
    data_dir: str | None,
    out: Output,
) -> None:
    """Tell per station and item how many days (or hours) have no record or no value.

    Without a span of days each station is looked at from its first stored day to its last.

    Absent ones have no record at all; of missing ones the value is. The service itself lacks some:
    a sensor was out, or the station worked only a part of the time.
    """
    from cimis.answers.completeness import Gaps
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked

    cut = form.limit is not None and not out.as_json
    if calendar and (form.format not in (None, "table") or form.to_file or cut):
        raise UsageError(
            "a calendar is drawn on a terminal, whole", hint="leave out --format, -o and --limit"
        )
    first, last = days.open(today())
    with opened(data_dir, None, told=out.note) as store:
        numbers = stations_asked(store.root, stations, where, (first, last), out)
        try:
            found = store.gaps(numbers, first, last, items, scope=scope)
        except NoDataError as error:
            found = error.report or Gaps((), Lacks())
            if not form.allow_empty:
                out.lacks(replace(found.lacks, damaged=()))
                raise
    out.lacks(replace(found.lacks, damaged=()))
    lists = list(found)
    if calendar and not out.as_json:
        _draw(found.stations, out)
    else:
        show_list(
            _RUNS if runs else _SUMMARY,
            _runs(lists) if runs else _summary(lists),
            form=form,
            out=out,
            records=found.as_dicts(),
            days=("first", "last", "longest_first", "longest_last"),
            lacking=found.lacks.text(),
        )
    stop_at_damage(found.lacks.damaged)
    _judge(lists, fail_under)


def _runs(lists: list[Completeness]) -> list[tuple[Any, ...]]:
    return [
        (item.station, item.item, run.kind, run.first, run.last, run.length)
        for item in lists
        for run in item.runs
    ]


def _summary(lists: list[Completeness]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for item in lists:
        longest = max(item.runs, key=lambda run: run.length, default=None)
        gap = (None,) * 3 if longest is None else (longest.length, longest.first, longest.last)
        percent = round(math.floor(item.share * 10_000) / 100, 2)
        rows.append(
            (item.station, item.item, item.expected, item.absent, item.missing, percent, *gap)
        )
    return rows


def _draw(found: Sequence[StationGaps], out: Output) -> None:
    """Print a line per month, a sign per day: how many of its values are there."""
    names: Mapping[Any, str] = {}
    if out.names is not None:
        from cimis.naming.labels import names_of

        names = names_of(out.names)
    for station in found:
        signs: dict[tuple[int, int], list[str]] = {}
        for number, share in enumerate(station.shares.tolist()):
            day = station.first + dt.timedelta(days=number)
            month = signs.setdefault((day.year, day.month), [" "] * 31)
            month[day.day - 1] = _sign(share)
        name = names.get(station.station)
        out.line(f"station {station.station}" + (f" {name}" if name else ""))
        for (year, month_number), days in signs.items():
            out.line(f"  {year}-{month_number:02d} {''.join(days).rstrip()}")
    out.note(_LEGEND)


def _sign(share: float) -> str:
    if math.isnan(share):
        return "·"
    return _SIGNS[4] if share >= 1 else _SIGNS[1 + min(int(share * 3), 2)]


def _judge(lists: list[Completeness], fail_under: float | None) -> None:
    if fail_under is None:
        return
    poor = [item for item in lists if item.share * 100 < fail_under]
    if poor:
        worst = min(poor, key=lambda item: item.share)
        raise CheckFailed(
            f"{len(poor)} of {len(lists)} items are less than {fail_under:g} % complete; "
            f"{worst.item} of station {worst.station} has {worst.share:.1%}",
            hint="--runs lists the gaps; fetch what the service has with 'cimis fetch'",
        )
