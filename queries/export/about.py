"""What a saved answer says of itself: question, columns, stations, flags, time base, version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.field.items import QC_FLAGS

if TYPE_CHECKING:
    from cimis.queries.export.forms.stream import Heading

__all__ = ["About", "Section", "Seen", "sections"]

_FLAG = "_qc"
_SITES = ("station", "target")
_KEYS = {
    "station": "Number of the station",
    "target": "Spatial target: a zip code, address or coordinate",
    "date": "The network's day",
    "time": "End of the hour",
    "hour": "Hour of the day by its end, 1 to 24",
}
_TIME_BASE = (
    "Pacific standard time (PST, UTC-8) all year; an hour is named by its end, and hour 24 of a "
    "date is 00:00 of the next"
)


class About(NamedTuple):
    """What the maker of a file knows of its rows.

    Parameters
    ----------
    title : str
        What was asked, in a line.
    facts : callable
        Gives what else is to be said, as (name, text), once all rows have been written.
    names : callable
        Gives the names of stations by number; asked then as well.
    """

    title: str = "CIMIS weather data"
    facts: Callable[[], Sequence[tuple[str, str]]] = tuple
    names: Callable[[], Mapping[int, str]] = dict


class Section(NamedTuple):
    """A part of what is said: its heading, the heads of its columns, its rows."""

    heading: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


class Seen:
    """Rows that went by: how many, of which stations, with which flags."""

    def __init__(self, schema: pa.Schema) -> None:
        names = schema.names
        self.schema = schema
        self.rows = 0
        self.sites: set[int | str] = set()
        self.flags: set[str] = set()
        self._site = next((n for n in _SITES if n in names), None)
        self._flags = [n for n in names if n.endswith(_FLAG) and n.removesuffix(_FLAG) in names]

    def take(self, batch: pa.RecordBatch) -> None:
        """Look at some rows."""
        self.rows += batch.num_rows
        if self._site is not None:
            self.sites |= set(_known(batch[self._site]))
        for name in self._flags:
            self.flags |= set(map(str, _known(batch[name])))


def _known(column: pa.Array) -> list[int | str]:
    return [one for one in pc.unique(column).to_pylist() if isinstance(one, int | str)]


def sections(seen: Seen, heading: Heading, more: Sequence[tuple[str, str]] = ()) -> list[Section]:
    """Return what is to be said of rows that have all been written.

    Parameters
    ----------
    seen : Seen
    heading : Heading
    more : sequence of (str, str)
        What the form itself has to say, as of values that it cannot hold.
    """
    about = heading.about
    timed = {"date", "time", "hour"} & set(seen.schema.names)
    facts = [
        ("Answer", about.title),
        *about.facts(),
        ("Rows", f"{seen.rows:,}"),
        *([("Time", _TIME_BASE)] if timed else []),
        *more,
    ]
    found = [
        Section("About", ("what", "told"), facts),
        Section("Columns", ("column", "unit", "meaning"), [_column(f) for f in seen.schema]),
    ]
    if seen.sites:
        names = about.names()
        sites = sorted(seen.sites, key=lambda site: (isinstance(site, str), site))
        rows = [(str(site), names.get(site, "") if isinstance(site, int) else "") for site in sites]
        found.append(Section("Stations", ("station", "name"), rows))
    if seen.flags:
        meanings = {flag.letter: flag.meaning for flag in QC_FLAGS}
        letters = [(f, meanings.get(f, "not of the network's list")) for f in sorted(seen.flags)]
        found.append(Section("Flags that occur", ("flag", "meaning"), letters))
    return found


def _column(field: pa.Field) -> tuple[str, str, str]:
    from cimis.pipeline.rows.schema import item_of
    from cimis.queries.export.heads import unit_symbol

    item = item_of(field)
    if item is not None:
        meaning = item.description
    elif field.name.endswith(_FLAG):
        meaning = f"Flag of {field.name.removesuffix(_FLAG)}; none where it passed every check"
    else:
        meaning = _KEYS.get(field.name, "")
    return field.name, unit_symbol(field), meaning
