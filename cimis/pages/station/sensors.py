"""Whether a station's sensors are sound: radiation against a clear sky, and all other checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cimis.agronomy.evidence import Verdict
from cimis.answers.rows import query
from cimis.charts.clear_sky import clear_sky
from cimis.charts.words import item_word
from cimis.pages.page import Block, Column, Figure, Note, Section, Table
from cimis.pages.station.subject import Subject
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Item, Scope, scope_items
from cimis.season.normal import converted
from cimis.soundness.grids import place_of
from cimis.soundness.quality import qc

if TYPE_CHECKING:
    import polars as pl

    from cimis.agronomy.drift import Periods
    from cimis.soundness.judging import Quality

__all__ = ["judge", "sensors", "worst_of"]

_ORDER = (Verdict.BAD, Verdict.SUSPECT, Verdict.SOUND, Verdict.NO_EVIDENCE)
_NEEDED = ("sol_rad_avg", "vap_pres_avg")
_CHECKS = {
    "range": "Possible values",
    "outlier": "Outliers of the month",
    "consistency": "Consistency",
    "drift": "Radiation against a clear sky",
    "ceiling": "Humidity reaches 100 %",
    "neighbours": "Foretold by neighbours",
    "stuck": "Stuck sensor",
    "step": "Sudden step",
}


def judge(subject: Subject) -> list[Quality]:
    """Return what the checks of daily and of hourly records say; of those that are stored."""
    found = []
    for scope in Scope:
        try:
            found.append(
                qc(
                    subject.opened,
                    scope,
                    stations=subject.station,
                    start=subject.first,
                    end=subject.last,
                )
            )
        except NoDataError:
            continue
    return found


def worst_of(found: list[Quality]) -> tuple[Verdict, int]:
    """Return the worst verdict, and how many checks of a series say so."""
    every = [one.verdict for quality in found for one in quality.findings]
    worst = next((verdict for verdict in _ORDER if verdict in every), Verdict.NO_EVIDENCE)
    return worst, every.count(worst)


def sensors(subject: Subject, found: list[Quality], key: str, heading: str) -> Section:
    """Return the section of the checks of sensors."""
    blocks: list[Block] = list(_radiation(subject, found))
    blocks += map(_table, found)
    if not found:
        blocks.append(Note(["Too little is stored of these days to judge any sensor."]))
    return Section(key, heading, blocks)


def _table(quality: Quality) -> Table:
    """Return the findings, the worst first; those that cannot judge come last."""
    import polars as pl

    items = [*scope_items(Scope.HOURLY), *scope_items(quality.scope)]
    words = {item.column: item_word(item) for item in items}
    order = {verdict.value: place for place, verdict in enumerate(_ORDER)}
    text = "%Y-%m-%d" if quality.scope is Scope.DAILY else "%Y-%m-%d %H:%M"
    rows = (
        quality.pl()
        .with_columns(
            pl.col("check").replace(_CHECKS).alias("check"),
            pl.col("item").replace(words).alias("item"),
            pl.col("worst_at").dt.strftime(text),
            pl.col("worst").round_sig_figs(4),
            pl.col("verdict").replace_strict(order, return_dtype=pl.Int8).alias("order"),
        )
        .sort("order", maintain_order=True)
        .drop("order")
    )
    noted = [Column("note", "Note")] if rows["note"].count() else []
    return Table(
        f"What the checks of {quality.scope.value} records say",
        rows,
        (
            Column("check", "Check"),
            Column("verdict", "Verdict"),
            Column("item", "Item"),
            Column("rule", "Rule"),
            Column("judged", "Judged"),
            Column("marked", "Marked"),
            Column("worst", "Worst figure"),
            Column("worst_at", "On"),
            *noted,
        ),
        key=f"checks-{quality.scope.value}",
        tall=rows.height > 20,
    )


def _radiation(subject: Subject, found: list[Quality]) -> list[Block]:
    """Return the chart of radiation against a clear sky, and the factors of its periods."""
    solar = subject.item("sol_rad_avg")
    if solar is None or not subject.count(solar):
        return [Note(["No solar radiation is stored of these days."])]
    known = _clear(subject, solar)
    if isinstance(known, str):
        return [Note([known])]
    rows, periods = known
    said = [
        one.verdict.value
        for quality in found
        for one in quality.findings
        if one.check == "drift" and one.evidence.check == "drift"
    ]
    verdict = f"the sensor is {said[0]}" if said and said[0] != "no evidence" else "no evidence"
    chart = clear_sky(rows, subject.symbol(solar), subject.word, subject.span, verdict)
    return [Figure(chart, height=250), _periods(periods)]


def _clear(subject: Subject, solar: Item) -> tuple[pl.DataFrame, Periods] | str:
    """Return measured and clear-sky radiation, and the periods; or why there are none."""
    import numpy as np
    import polars as pl

    from cimis.agronomy.drift import clear_sky_drift
    from cimis.agronomy.solar import clear_sky_w_m2

    place, height = place_of(subject.facts), subject.facts.get("elevation_m")
    if place is None or height is None:
        return (
            "Radiation is not held against a clear sky: the coordinates or the elevation of the "
            "station are not known."
        )
    strict = query(
        subject.opened,
        stations=subject.station,
        start=subject.first,
        end=subject.last,
        items=_NEEDED,
        qc="strict",
    ).pl()
    grid = subject.rows.select("date").join(strict, on="date", how="left", maintain_order="left")
    measured, vapour = (
        grid[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in _NEEDED
    )
    day = grid["date"].dt.ordinal_day().cast(pl.Float64).to_numpy()
    clear: Any = clear_sky_w_m2(day, np.array(place.latitude), np.array(float(height)), vapour)
    periods = clear_sky_drift(grid["date"].to_numpy().astype("datetime64[D]"), measured, clear)
    own = pl.Series("clear", converted(clear, solar, subject.standard)).fill_nan(None)
    return subject.long(solar).drop("alone").with_columns(own), periods


def _periods(periods: Periods) -> Table:
    import polars as pl

    rows = pl.DataFrame(
        {
            "first": periods.start,
            "last": periods.end,
            "days": periods.days,
            "factor": periods.factor,
            "verdict": periods.verdict.tolist(),
        }
    ).with_columns(pl.col("factor").fill_nan(None))
    return Table(
        "Clear-sky over measured radiation on the clearest days of each 60 (0.97 to 1.03 is sound)",
        rows,
        (
            Column("first", "From"),
            Column("last", "To"),
            Column("days", "Days judged"),
            Column("factor", "Factor", "", 3),
            Column("verdict", "Verdict"),
        ),
        key="clear-sky",
    )
