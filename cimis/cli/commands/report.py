"""``cimis report``: a page of stations, as one file that can be mailed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cimis.cli.options import (
    data_dir,
    declare,
    option,
    place_options,
    printing,
    span_options,
    stations_option,
    units_option,
)
from cimis.cli.reckoning import completing
from cimis.cli.showing.output import Output
from cimis.parsing import Days, today
from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    from cimis.naming.where import Where

__all__ = ["command"]


@declare(
    "report",
    examples=[
        "cimis report --station 80 --year 2024 -o report.html",
        "cimis report --station 80 --water-year 2024 --units english -o report.html",
        "cimis report --stations 2,80 --month 2024-07 -o july.html",
        "cimis report --near 38.78,-120.70 --year 2024 --low 50F --high 77F -o nearest.html",
        "cimis report --overview --year 2024 -o network.html",
        "cimis report --overview --county Fresno --month 2024-07 -o county.html",
    ],
)
@option(
    "--overview",
    is_flag=True,
    help="One page of many stations: of a county with --county, of those named, or of all.",
)
@stations_option()
@place_options
@span_options
@option(
    "--low",
    metavar="T",
    help="Lower threshold with its unit, as 50F or 10C, of degree days; else 10C, or 50F with "
    "--units english.",
)
@option("--high", metavar="T", help="Upper threshold with its unit; else 30C, or 86F.")
@units_option
@option("-o", "--output", metavar="FILE", help="Save to a file, whose name ends in .html.")
@option(
    "--made-at",
    metavar="TEXT",
    help="When the page says it was made; else now. All else follows from the store.",
)
@data_dir
@printing(talks=True)
def command(
    *,
    overview: bool,
    stations: str | None,
    where: Where,
    days: Days,
    low: str | None,
    high: str | None,
    units: str,
    output: str | None,
    made_at: str | None,
    data_dir: str | None,
    out: Output,
) -> None:
    """Save what the days of stations amounted to as one page, which opens without a network.

    Each station's place, its season beside its normals, reference ET and rain added up, degree
    days, chill, checks of its sensors, gaps, flags, a table that sorts and copies, where the
    figures come from, and the commands that make them again. The page is below 1.5 MB.

    With --overview many stations share one page: maps by reference ET, its anomaly, sensors and
    freshness, the course by month or day, a ranking, the worst gaps and sensors.
    """
    from cimis.cli.session import opened
    from cimis.cli.showing.placed import stations_asked
    from cimis.pages.saving import check_name

    if output is None:
        raise UsageError("no file is named", hint="save the page with -o report.html")
    check_name(Path(output))
    if overview and (low or high):
        raise UsageError(
            "a page of the network has no degree days", hint="leave out --low and --high"
        )
    first, last = days.closed(today())
    with opened(data_dir, None, told=out.note) as store:
        chosen = stations_asked(store.root, stations, where, (first, last), out)
        if overview:
            report = store.network_report(
                first,
                last,
                stations=chosen if stations or where.near else None,
                county=where.county,
                units=units,
                made_at=made_at,
            )
        elif chosen is None:
            raise UsageError(
                "no station is named", hint="give --station 80, --near LAT,LON, or --overview"
            )
        else:
            report = store.report(
                chosen, first, last, units=units, low=low, high=high, made_at=made_at
            )
    with completing(report.lacks, out, report.notes):
        size = report.save(output)
        facts = {"path": output, "bytes": size, "stations": list(report.stations)}
        if out.as_json:
            out.json(facts | {"lacks": report.lacks.as_dict()} if report.lacks else facts)
        else:
            out.note(f"wrote {size:,} bytes to {output}")
