"""``cimis plot``: a chart of what is stored, in the terminal or as a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cimis.cli.options import (
    data_dir,
    declare,
    option,
    place_options,
    printing,
    qc_option,
    scope_option,
    span_options,
    stations_option,
    units_option,
)
from cimis.cli.showing.output import Output
from cimis.parsing import Days, today, year_span
from cimis.pipeline.errors import NoDataError, UsageError

if TYPE_CHECKING:
    from cimis.charts.chart import Chart
    from cimis.naming.where import Where

__all__ = ["command"]

_KINDS = ("series", "eto-rain", "cumulated", "gaps", "rose", "scatter")
"""Those of :data:`cimis.pictures.plot.KINDS`, which the help does not import."""


@declare(
    "plot",
    examples=[
        "cimis plot --station 80 --year 2024 --items asce_eto,precip",
        "cimis plot eto-rain --station 80 --year 2024 -o season.svg",
        "cimis plot cumulated --station 80 --water-year 2024 -o season.pdf --theme dark",
        "cimis plot gaps --station 80 --year 2024",
        "cimis plot rose --station 80 --month 2024-07 -o wind.png",
        "cimis plot scatter --stations 2,80 --items asce_eto --year 2024",
    ],
)
@click.argument("kind", type=click.Choice(_KINDS), default="series", metavar="[KIND]")
@stations_option()
@place_options
@span_options
@option(
    "--items",
    listed=True,
    metavar="LIST",
    help="Items, as air_tmp_avg,asce_eto; else the usual ones of the kind.",
)
@scope_option
@option(
    "--period",
    metavar="YEARS",
    once="a period is one range: --period 1991-2020",
    help="Years that count as normal, as 1991-2020, by the beginning of their seasons; else all.",
)
@units_option
@qc_option("keep", "are left out: none, severely flagged ones, all flagged.")
@option(
    "-o",
    "--output",
    metavar="FILE",
    help="Save to a file, a picture: .svg, .png, .pdf; or .json, the Vega-Lite specification.",
)
@option(
    "--theme",
    type=click.Choice(["light", "dark"]),
    help="Colours: light by default, in a terminal such as are seen on both.",
)
@option(
    "--width",
    type=click.IntRange(30, 10_000),
    metavar="N",
    help="Pixels of a picture (680), or characters in the terminal.",
)
@option(
    "--height",
    type=click.IntRange(30, 10_000),
    metavar="N",
    help="Pixels of a picture's plot, or of all its panels together.",
)
@data_dir
@printing(talks=True)
def command(
    *,
    kind: str,
    stations: str | None,
    where: Where,
    days: Days,
    items: str | None,
    scope: str,
    period: str | None,
    units: str,
    qc: str,
    output: str | None,
    theme: str | None,
    width: int | None,
    height: int | None,
    data_dir: str | None,
    out: Output,
) -> None:
    """Draw what is stored: in the terminal, or as a picture with -o.

    KIND is one of: series (items over time, the default), eto-rain (reference ET against rain),
    cumulated (a season added up, against the same season of other years), gaps (a calendar of what
    is stored), rose (a wind rose, from hourly records), scatter (an item of two stations).

    Lines are open where values are missing; flagged values have a cross. Pictures need the extra
    plot (pip install 'cimis[plot]'), the terminal nothing. With --json the answer tells of the file
    written, or without one is the Vega-Lite specification.
    """
    from cimis.charts.files import check_drawable
    from cimis.cli.reckoning import completing
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked
    from cimis.pictures.gathered import Wanted
    from cimis.pictures.plot import pictured
    from cimis.pipeline.field.items import Scope

    target = None if output in (None, "-") else Path(str(output)).expanduser()
    if target is not None:
        check_drawable(target)  # before a question takes its time
    first, last = days.open(today())
    if target is None and height is not None and not out.as_json:
        raise UsageError("a height is of a picture", hint="add -o FILE")
    if period is not None:
        year_span(period)
    with opened(data_dir, None, told=out.note) as store:
        chosen = stations_asked(store.root, stations, where, (first, last), out)
        wanted = Wanted(chosen, first, last, items, Scope(scope), units, qc, period)
        try:
            picture = pictured(store, kind, wanted)
        except NoDataError as error:
            if error.report is not None:
                out.lacks(replace(error.report.lacks, damaged=()))
            raise
    with completing(picture.lacks, out, picture.chart.notes):
        if target is None:
            _print(picture.chart, theme, width, height, out)
        else:
            _save(picture.chart, target, theme or "light", width, height, out)


def _print(
    chart: Chart, theme: str | None, width: int | None, height: int | None, out: Output
) -> None:
    """Print a chart as characters, or with --json as its specification."""
    if out.as_json:
        from cimis.charts.spec import vega_lite

        out.json(vega_lite(chart, theme or "light", width=width, height=height))
        return
    from cimis.charts.terminal.canvas import COLORS
    from cimis.charts.terminal.draw import drawn_lines
    from cimis.cli.showing.signs import colored, only_ascii

    palette = COLORS[theme or "any"] if colored(out) else None
    lines = drawn_lines(chart, width=width or out.width, plain=only_ascii(), palette=palette)
    for line in lines:
        out.line(line)


def _save(
    chart: Chart, target: Path, theme: str, width: int | None, height: int | None, out: Output
) -> None:
    path = chart.save(target, theme=theme, width=width, height=height)
    size = path.stat().st_size
    if out.as_json:
        told = {name: getattr(chart, name) for name in ("kind", "title", "subtitle", "description")}
        out.json({"path": str(path), "bytes": size, **told, "notes": list(chart.notes)})
    else:
        out.note(f"wrote {size:,} bytes to {path}")
