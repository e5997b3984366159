"""The commands that make a report's figures again, each as it can be typed."""

from __future__ import annotations

from cimis.pages.page import Commands, Section, Text
from cimis.pages.station.cold import Cold, winter_of
from cimis.pages.station.heat import Heat
from cimis.pages.station.subject import Subject
from cimis.pipeline.field.items import Standard

__all__ = ["recipes"]


def recipes(
    subject: Subject, heat: Heat | None, cold: Cold | None, asked: str, key: str, heading: str
) -> Section:
    """Return the section of commands.

    Parameters
    ----------
    subject, heat, cold
        What the report holds.
    asked : str
        The command line that makes the whole page.
    """
    whose = f"--station {subject.station}"
    days = f"--start {subject.first} --end {subject.last}"
    english = " --units english" if subject.standard is Standard.ENGLISH else ""
    sums = [item.column for item in (subject.eto, subject.item("precip")) if item is not None]
    lines = [(asked, "This page")]
    lines.append((f"cimis query {whose} {days}{english} -o days.csv", "The table of days, as CSV"))
    if sums:
        items = ",".join(sums)
        lines.append(
            (
                f"cimis query {whose} {days} --items {items} --every month{english}",
                "Reference ET and rain, by month",
            )
        )
    bands = [
        item.column
        for item in (subject.eto, subject.item("air_tmp_max"), subject.item("air_tmp_min"))
        if item is not None
    ]
    if bands:
        lines.append(
            (
                f"cimis normals {whose} --items {','.join(bands)}{english} --allow-empty",
                "The percentiles behind the grey bands",
            )
        )
    if heat is not None:
        high = f" --high {heat.high}" if heat.high else ""
        lines.append(
            (f"cimis degree-days {whose} {days} --low {heat.low}{high}{english}", "Degree days")
        )
    winter = winter_of(*subject.span)
    if cold is not None:
        lines.append((f"cimis chill {whose} --winter {winter}", "Chill of the winter"))
    else:
        hours = f"--hourly --start {winter - 1}-09-01 --end {winter}-02-28"
        lines.append((f"cimis fetch {whose} {hours}", "Fetch the hours for chill"))
    lines += [
        (f"cimis qc {whose} {days}", "The checks of the sensors"),
        (f"cimis gaps {whose} {days}", "How complete the items are"),
        (f"cimis sync {whose} --since {subject.first}", "Fetch what is new or revised"),
    ]
    return Section(key, heading, [Text([_WHERE]), Commands(lines)])


_WHERE = (
    "Run them where the data directory is 'data', or name it with --data-dir or CIMIS_DATA_DIR. "
    "The same stored records give the same figures."
)
