"""What a network page tells: every station's season, gaps, sensors and last day, joined."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cimis.answers.completeness import gaps
from cimis.answers.sql import sql
from cimis.arguments import Years
from cimis.naming.lists import known_stations
from cimis.naming.sites import Stations
from cimis.opened import Opened
from cimis.pipeline.lacks import Lacks
from cimis.season.network import NetworkSpan, network_span
from cimis.soundness.quality import qc as judged

if TYPE_CHECKING:
    import polars as pl

    from cimis.answers.completeness import Gaps
    from cimis.soundness.judging import Quality
    from cimis.soundness.sensors import Finding

__all__ = ["FRESHNESS", "VERDICTS", "NetworkFacts", "network_facts"]

VERDICTS = ("sound", "suspect", "bad", "no evidence")
"""Verdicts in their order, by `cimis.agronomy.evidence.Verdict`."""

FRESHNESS = (
    "newest day",
    "a week behind",
    "a month behind",
    "a year behind",
    "longer behind",
    "closed",
)
"""How far a station's last stored day lies behind the newest of the report, at most."""

_BEHIND = (0, 7, 31, 366)


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What is known of a network's span.

    Attributes
    ----------
    span : NetworkSpan
    stations : polars.DataFrame
        Its stations with ``name``, ``county``, ``latitude``, ``longitude`` (null where the list of
        stations has none), ``eto_rank`` and ``percent_rank`` (1 is highest; null where days lack),
        ``complete`` (share of days with ETo, per cent), ``longest`` (days of the longest gap),
        ``verdict`` and ``why`` (of its worst finding), ``last_day`` and ``freshness``.
    gaps : polars.DataFrame
        Every run of days without ETo, the longest first: ``station``, ``name``, ``county``,
        ``kind``, ``first``, ``last``, ``length``.
    findings : polars.DataFrame
        Suspect and bad findings, the worst first, with ``name``: see :meth:`Quality.table`.
    newest : datetime.date
        The newest day that is stored of these stations.
    sources : polars.DataFrame
        From where the chunks of these days came: ``source``, ``chunks``, ``rows``, ``first`` and
        ``last`` (when they were stored).
    lacks : Lacks
        What the span is short of, and every damaged chunk that was left out.
    """

    span: NetworkSpan
    stations: pl.DataFrame
    gaps: pl.DataFrame
    findings: pl.DataFrame
    newest: dt.date
    sources: pl.DataFrame
    lacks: Lacks


def network_facts(
    opened: Opened,
    first: dt.date,
    last: dt.date,
    *,
    stations: Stations | None = None,
    reference: str | None = None,
    period: Years | None = None,
    units: str = "metric",
    qc: str = "drop-severe",
) -> NetworkFacts:
    """Return what a network page tells; arguments and errors are of `network_span`."""
    span = network_span(
        opened,
        first,
        last,
        stations=stations,
        reference=reference,
        period=period,
        units=units,
        qc=qc,
    )
    held = span.stations["station"].to_list()
    known = _known(opened)
    lacking = gaps(opened, held, first, last, [span.reference.column])
    quality = judged(opened, "daily", stations=held, start=first, end=last)
    fresh, newest = _freshness(opened, held, known)
    frame = (
        _named(span.stations.join(known, on="station", how="left", maintain_order="left"))
        .join(_completeness(lacking), on="station", how="left", maintain_order="left")
        .join(_verdicts(quality), on="station", how="left", maintain_order="left")
        .join(fresh, on="station", how="left", maintain_order="left")
    )
    names = frame.select("station", "name", "county")
    damaged = dict.fromkeys((*span.lacks.damaged, *lacking.lacks.damaged, *quality.lacks.damaged))
    return NetworkFacts(
        span,
        _ranked(frame),
        _runs(lacking).join(names, on="station", how="left", maintain_order="left"),
        _findings(quality).join(names, on="station", how="left", maintain_order="left"),
        newest,
        _sources(opened, held, first, last),
        replace(span.lacks, damaged=tuple(damaged)),
    )


def _known(opened: Opened) -> pl.DataFrame:
    """Return the list of stations, as far as a page tells of it."""
    import polars as pl

    schema = {
        "station": pl.UInt16,
        "name": pl.String,
        "county": pl.String,
        "latitude": pl.Float64,
        "longitude": pl.Float64,
        "active": pl.Boolean,
    }
    rows = [
        (one["number"], *(one.get(name) for name in list(schema)[1:]))
        for one in known_stations(opened.root)
    ]
    return pl.DataFrame(rows, schema, orient="row")


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    """Return stations with a name each, though the list of stations may know none."""
    import polars as pl

    return frame.with_columns(pl.col("name").fill_null(pl.format("station {}", "station")))


def _completeness(lacking: Gaps) -> pl.DataFrame:
    import polars as pl

    rows = [
        (one.station, one.share * 100, max((run.length for run in one.runs), default=0))
        for one in lacking
    ]
    schema = {"station": pl.UInt16, "complete": pl.Float64, "longest": pl.Int64}
    return pl.DataFrame(rows, schema, orient="row")


def _verdicts(quality: Quality) -> pl.DataFrame:
    import polars as pl

    rows = [(station, one.verdict.value, _why(one)) for station, one in quality.worst().items()]
    schema = {"station": pl.UInt16, "verdict": pl.String, "why": pl.String}
    return pl.DataFrame(rows, schema, orient="row")


def _why(finding: Finding) -> str:
    """Return which check of which item says so; nothing where all is sound or unknown."""
    wrong = finding.verdict.value in ("suspect", "bad")
    return f"{finding.check} of {finding.item}" if wrong else ""


def _freshness(
    opened: Opened, held: list[int], known: pl.DataFrame
) -> tuple[pl.DataFrame, dt.date]:
    """Return each station's last stored day, and the newest of them."""
    import polars as pl

    from cimis.queries.frames import whole

    text = "SELECT station, max(date) AS last_day FROM daily GROUP BY station"
    last = whole(sql(opened, text).table()).filter(pl.col("station").is_in(held))
    newest = last["last_day"].max()
    assert isinstance(newest, dt.date)
    behind = (pl.lit(newest) - pl.col("last_day")).dt.total_days()
    closed = pl.col("active").eq(False) & (behind > _BEHIND[-1])
    word: pl.Expr = pl.lit(FRESHNESS[-2])
    for most, name in reversed(list(zip(_BEHIND, FRESHNESS, strict=False))):
        word = pl.when(behind <= most).then(pl.lit(name)).otherwise(word)
    word = pl.when(closed).then(pl.lit(FRESHNESS[-1])).otherwise(word)
    fresh = (
        last.join(known.select("station", "active"), on="station", how="left")
        .with_columns(freshness=word)
        .drop("active")
    )
    return fresh, newest


def _ranked(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the stations with their ranks; those that lack too many days have none."""
    import polars as pl

    def rank(name: str) -> pl.Expr:
        return pl.when("enough").then(pl.col(name)).rank("min", descending=True).cast(pl.Int64)

    return frame.with_columns(
        eto_rank=rank("eto"),
        percent_rank=rank("percent"),
        eto_mapped=pl.when("enough").then(pl.col("eto")),
    )


def _runs(lacking: Gaps) -> pl.DataFrame:
    import polars as pl

    return (
        lacking.pl()
        .with_columns(pl.col("station").cast(pl.UInt16))
        .sort("length", "station", "first", descending=[True, False, False])
    )


def _findings(quality: Quality) -> pl.DataFrame:
    import polars as pl

    order = pl.col("verdict").eq("bad")
    share = pl.col("marked") / pl.col("judged")
    return (
        quality.pl()
        .filter(pl.col("verdict").is_in(["suspect", "bad"]))
        .sort(order, share, "station", descending=[True, True, False], maintain_order=True)
    )


def _sources(opened: Opened, held: list[int], first: dt.date, last: dt.date) -> pl.DataFrame:
    import polars as pl

    from cimis.queries.frames import whole

    text = (
        "SELECT source, station, rows, fetched_at FROM chunks WHERE scope = 'daily' "
        "AND year BETWEEN ? AND ? AND station IS NOT NULL"
    )
    chunks = whole(sql(opened, text, [first.year, last.year]).table())
    return (
        chunks.filter(pl.col("station").is_in(held))
        .group_by("source")
        .agg(
            chunks=pl.len().cast(pl.Int64),
            rows=pl.col("rows").sum(),
            first=pl.col("fetched_at").min(),
            last=pl.col("fetched_at").max(),
        )
        .sort("source")
    )
