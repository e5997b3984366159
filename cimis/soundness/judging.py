"""Every check run over what is stored of stations, and what they say together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cimis.agronomy.evidence import Verdict
from cimis.answers.question import question_of
from cimis.arguments import Day, scope_of
from cimis.lacking import warn_of_damage
from cimis.naming.sites import Stations, sites_of
from cimis.opened import Opened
from cimis.pipeline.field.items import Scope, named_items
from cimis.pipeline.lacks import Lacks
from cimis.pipeline.markup import Card, Sheet, counted
from cimis.queries.labelled.labelled import Labelled, Sense
from cimis.soundness.grids import (
    Grid,
    Seen,
    Span,
    around,
    grid_of,
    known_stations,
    near_of,
    spans_of,
    within,
)
from cimis.soundness.sensors import (
    CHECKS,
    NEIGHBOUR_ITEMS,
    Finding,
    Series,
    chosen_checks,
    finding_of,
)

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

__all__ = ["Quality", "judged"]

Known = Mapping[int, Mapping[str, Any]]

_TOGETHER = {Scope.DAILY: 20, Scope.HOURLY: 1}
"""Stations that are read at once, so that a whole network takes little memory."""

_WINDOW = dt.timedelta(days=30)
"""Days before and after those judged that regressions on neighbours rest on."""


@dataclass(frozen=True, slots=True, repr=False)
class Quality(Labelled):
    """What the checks say of stations.

    Attributes
    ----------
    scope : Scope
        Which records were judged.
    qc : str
        Which flagged values were not looked at: ``strict`` for all flagged ones.
    findings : tuple of Finding
        In order of station, check and item.
    lacks : Lacks
        What was asked for and is not there.
    """

    scope: Scope
    qc: str
    findings: tuple[Finding, ...]
    lacks: Lacks

    def worst(self) -> dict[int, Finding]:
        """Return the worst finding of each station: bad, suspect, sound, no evidence."""
        order = (Verdict.NO_EVIDENCE, Verdict.SOUND, Verdict.SUSPECT, Verdict.BAD)
        found: dict[int, Finding] = {}
        for one in self.findings:
            known = found.setdefault(one.station, one)
            if order.index(one.verdict) > order.index(known.verdict):
                found[one.station] = one
        return found

    def verdicts(self) -> dict[int, Verdict]:
        """Return the worst verdict of each station."""
        return {station: one.verdict for station, one in self.worst().items()}

    def table(self) -> pa.Table:
        """Return one row per station, check and item.

        Returns
        -------
        pyarrow.Table
            ``station``, ``check``, ``item``, ``verdict``, ``worst`` (the figure farthest beyond
            the bounds) and ``worst_at``, ``judged`` and ``marked`` (values, periods of drift, or
            years of the ceiling), ``low`` and ``high`` (bounds of the figure, null where there is
            none), ``first`` and ``last`` (marked ones), ``rule`` (of the check), ``note``.
        """
        import pyarrow as pa

        when = pa.timestamp("s") if self.scope is Scope.HOURLY else pa.date32()
        found, seen = self.findings, [one.evidence for one in self.findings]

        def times(name: str) -> pa.Array:
            values = [getattr(one, name).astype("datetime64[s]") for one in seen]
            return pa.array(np.array(values, "datetime64[s]"), pa.timestamp("s")).cast(when)

        def numbers(name: str) -> pa.Array:
            values = np.array([getattr(one, name) for one in seen], np.float64)
            return pa.array(values, mask=~np.isfinite(values))

        return pa.table(
            {
                "station": pa.array([one.station for one in found], pa.uint16()),
                "check": pa.array([one.check for one in found], pa.string()),
                "item": pa.array([one.item for one in found], pa.string()),
                "verdict": pa.array([one.verdict.value for one in found], pa.string()),
                "worst": numbers("worst"),
                "worst_at": times("worst_at"),
                "judged": pa.array([one.judged for one in seen], pa.int64()),
                "marked": pa.array([one.marked for one in seen], pa.int64()),
                **{name: numbers(name) for name in ("low", "high")},
                **{name: times(name) for name in ("first", "last")},
                "rule": pa.array([one.check for one in seen], pa.string()),
                "note": pa.array([one.note for one in found], pa.string()),
            }
        ).replace_schema_metadata({"qc": self.qc})

    def pl(self) -> pl.DataFrame:
        """Return the same rows as a data frame."""
        from cimis.queries.frames import whole

        return whole(self.table())

    def _sense(self) -> Sense:
        from cimis.queries.labelled.facts import facts_of

        table = self.table()
        return Sense(table, facts_of(table.schema, lacks=self.lacks), whole=False)

    def _card(self) -> Card:
        """Return how many stations have which verdict, and each one's worst finding."""
        worst = self.worst()
        verdicts = [one.verdict for one in worst.values()]
        facts = {kind.value: f"{verdicts.count(kind):,}" for kind in Verdict if kind in verdicts}
        rows = [
            (number, one.verdict.value, one.check, one.item, one.note)
            for number, one in worst.items()
        ]
        heads = ("station", "verdict", "check", "item", "note")
        notes = [self.lacks.text()] if self.lacks else []
        notes.append(f"{counted(len(self.findings), 'finding')} in table(); qc {self.qc}")
        title = f"Sensors of {counted(len(worst), 'station')}, {self.scope} rows"
        sheets = (Sheet.of("Worst finding of each station", heads, rows),)
        return Card("Quality", title, facts, sheets, notes)

    def __repr__(self) -> str:
        return self._card().line()


def judged(
    opened: Opened,
    scope: str | Scope,
    stations: Stations | None,
    start: Day | None,
    end: Day | None,
    checks: str | Sequence[str] | None,
    qc: str,
) -> Quality:
    """Return what the checks say; see `cimis.soundness.quality.qc`."""
    kind = scope_of(scope)
    names = chosen_checks(None if checks is None else _listed(checks), kind)
    sites_of(stations, opened.root).only_stations("qc")
    absent = _other_eto(opened)
    items = [item for name in names for item in CHECKS[name].items if item not in absent]
    asked = question_of(opened.root, kind, stations, start, end, list(dict.fromkeys(items)))
    spans = spans_of(opened, kind, asked.sites.stations)
    met = {number: part for number, span in spans.items() if (part := within(span, asked))}
    known, seen = known_stations(opened), Seen()
    own = [name for name in names if CHECKS[name].finds is not None]
    read = list(dict.fromkeys(item for name in own for item in CHECKS[name].items))
    numbers = list(met)
    findings: list[Finding] = []
    for place in range(0, len(numbers) if own else 0, _TOGETHER[kind]):
        group = numbers[place : place + _TOGETHER[kind]]
        span = around(met[number] for number in group)
        grid = grid_of(opened, kind, group, span, named_items(read, kind), qc=qc)
        findings += _own(grid, own, known, met, seen)
    if "neighbours" in names and numbers:
        findings += _by_neighbours(opened, met, known, qc, items, seen, alone=not own)
    seen.refuse_nothing(kind)
    lacks = seen.lacks(opened, asked)
    warn_of_damage(lacks.damaged)
    told = sorted((f for f in findings if f.station in seen.stations), key=lambda f: f.station)
    return Quality(kind, qc, tuple(told), lacks)


def _listed(checks: str | Sequence[str]) -> str | list[str]:
    return checks if isinstance(checks, str) else [str(one) for one in checks]


def _other_eto(opened: Opened) -> frozenset[str]:
    """Return which of the two reference ETs need not be missed, as only the other is stored."""
    from cimis.pipeline.catalog.database import Catalog

    pair = named_items("asce_eto,eto", Scope.DAILY)
    with Catalog(opened.root) as catalog:
        codes = catalog.item_codes(Scope.DAILY)
    held = [item.column for item in pair if item.code in codes] or [pair[0].column]
    return frozenset(item.column for item in pair if item.column not in held)


def _own(
    grid: Grid, names: Sequence[str], known: Known, met: Mapping[int, Span], seen: Seen
) -> Iterator[Finding]:
    """Yield what each station's own values say, over its own days."""
    # hour 24 is 00:00 of the next day
    late = np.timedelta64(1 if grid.times.dtype == "datetime64[h]" else 0, "h")
    days = (grid.times - late).astype("datetime64[D]")
    for column, station in enumerate(grid.stations):
        first, last = (np.datetime64(day, "D") for day in met[station])
        mine = (days >= first) & (days <= last)
        seen.take(grid, station, mine)
        values = {name: grid.items[name][mine, column] for name in grid.items}
        series = Series(grid.times[mine], values, known.get(station))
        for name in names:
            finds = CHECKS[name].finds
            for item, marks, times, note in finds(series) if finds is not None else ():
                yield finding_of(station, name, item, marks, times, note)


def _by_neighbours(
    opened: Opened,
    met: Mapping[int, Span],
    known: Known,
    qc: str,
    items: Sequence[str],
    seen: Seen,
    *,
    alone: bool,
) -> Iterator[Finding]:
    """Yield what the neighbours of stations say of their days, one item after the other."""
    from cimis.agronomy.neighbours import against_neighbours, regression

    numbers, (first, last) = list(met), around(met.values())
    span = first - _WINDOW, last + _WINDOW
    near = near_of(opened, numbers, span, known)
    reasons = {number: near.lack(near.stations.index(number)) for number in numbers}
    fit = [number for number in numbers if reasons[number] is None]
    if alone and not fit:
        near.column(numbers[0])  # says what it lacks
    for item in (name for name in NEIGHBOUR_ITEMS if name in items):
        wanted = named_items(item, Scope.DAILY)
        grid = grid_of(opened, Scope.DAILY, near.stations, span, wanted, qc=qc)
        values = grid.items[item]
        columns = [near.stations.index(number) for number in fit]
        marks = against_neighbours(values[:, columns], regression(values, near, fit))
        for station in numbers:
            begin, stop = (
                (np.datetime64(d, "D") - grid.times[0]).astype(int) for d in met[station]
            )
            mine = slice(begin, stop + 1)
            seen.take(grid, station, mine)
            if reasons[station] is None:
                place = mine, fit.index(station)
                own = replace(marks, figure=marks.figure[place], marked=marks.marked[place])
            else:
                none = np.full(stop + 1 - begin, np.nan)
                own = replace(marks, figure=none, marked=np.isfinite(none))
            yield finding_of(station, "neighbours", item, own, grid.times[mine], reasons[station])
