"""What is stored cut into splits, without the chunks that a filter rules out.

That is reckoned by Arrow itself, from what the catalog knows of each chunk: its station, its days,
and the least and greatest value of each column that has no gap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import reduce
from itertools import repeat
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.chunks.statistics import bounds_of
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope, by_code, scope_items
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.locations import anywhere
from cimis.queries.quality import FlagPolicy
from cimis.queries.splits.split import Part, Split, engine_schema, names_in

if TYPE_CHECKING:
    from cimis.pipeline.catalog.rows import ChunkRow

__all__ = ["splits_of"]


def splits_of(
    root: Path,
    scope: Scope,
    chunks: Iterable[ChunkRow],
    *,
    filter: pc.Expression | None = None,  # noqa: A002
    qc: FlagPolicy = FlagPolicy.KEEP,
    target_rows: int = 100_000,
) -> list[Split]:
    """Return splits of about so many rows each that together hold what a filter lets through.

    Parameters
    ----------
    root : Path
    scope : Scope
    chunks : iterable of ChunkRow
        Of one scope and kind, by station (or target) and year.
    filter : pyarrow.compute.Expression, optional
        Over the columns of :func:`engine_schema`; chunks without a row that can meet it are left
        out. Under a policy for flags values are judged after it.
    qc : FlagPolicy
    target_rows : int
        A split gets chunks until it has as many; each has at least one.

    Raises
    ------
    UsageError
        For a filter over columns that there are not, or of other types.
    """
    if target_rows < 1:
        raise UsageError(f"splits of {target_rows} rows cannot be", hint="ask for at least 1")
    listed = list(chunks)
    if not listed:
        return []
    if filter is not None:
        schema = engine_schema(scope, listed[0].kind)
        listed = _pruned(listed, schema, filter, bounded=qc is FlagPolicy.KEEP)
    root = anywhere(root)
    places = storage_of(root).whereabouts(root, [row.path for row in listed])
    groups: list[list[Part]] = []
    held = target_rows
    for row, lies in zip(listed, places or repeat(None), strict=places is not None):
        if held >= target_rows:
            groups.append([])
            held = 0
        groups[-1].append(
            Part(
                *(row.path, row.station, row.target, row.year, row.rows),
                row.file_bytes,
                row.checksum,
                lies,
            )
        )
        held += row.rows
    return [Split(str(root), scope, qc, filter, tuple(parts)) for parts in groups]


def _pruned(
    chunks: list[ChunkRow], schema: pa.Schema, meets: pc.Expression, *, bounded: bool
) -> list[ChunkRow]:
    """Return the chunks that may have rows that meet a filter, as Arrow reckons it.

    Bounds of values tell also that none is missing, so they hold only where no policy makes some.
    """
    import pyarrow.dataset as ds
    import pyarrow.fs as fs

    try:
        schema.empty_table().filter(meets)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise UsageError(
            f"the filter cannot be asked of these rows: {error}",
            hint=f"columns are {', '.join(schema.names[:4])}, ... each item and its flag (_qc)",
        ) from None
    mentioned = names_in(meets)

    def kept(known: list[pc.Expression]) -> set[int]:
        """Return the places of what is known that does not rule the filter out."""
        form, disk = ds.ParquetFileFormat(), fs.LocalFileSystem()
        # fragments are never opened: only what is known of them is held against the filter
        fragments = [
            form.make_fragment(str(place), filesystem=disk, partition_expression=one)
            for place, one in enumerate(known)
        ]
        held = ds.FileSystemDataset(fragments, schema, form, disk)
        return {int(found.path) for found in held.get_fragments(filter=meets)}

    # whole stations and whole years first: there are far fewer of them than chunks
    sites = list(dict.fromkeys(row.site for row in chunks))
    some = {sites[place] for place in kept(list(map(_is_site, sites)))}
    years = list(dict.fromkeys(row.year for row in chunks))
    when = {years[place] for place in kept(list(map(_in_year, years)))}
    chunks = [row for row in chunks if row.site in some and row.year in when]
    places = kept([_known_of(row, mentioned, bounded) for row in chunks])
    return [row for place, row in enumerate(chunks) if place in places]


def _is_site(site: int | str) -> pc.Expression:
    return pc.field("target" if isinstance(site, str) else "station") == site


def _in_year(year: int) -> pc.Expression:
    date = pc.field("date")
    return (date >= dt.date(year, 1, 1)) & (date <= dt.date(year, 12, 31))


def _known_of(row: ChunkRow, mentioned: set[str], bounded: bool) -> pc.Expression:
    """Return what holds for every row of a chunk."""
    field = pc.field
    known = [_is_site(row.site), field("date") >= row.first_day, field("date") <= row.last_day]
    stored = {item.column for code in row.items if (item := by_code(code)) is not None}
    for item in scope_items(row.scope):
        if item.column in mentioned and item.column not in stored:
            known.append(field(item.column).is_null())
        if item.flag_column in mentioned and item.column not in stored:
            known.append(field(item.flag_column).is_null())
    wanted = stored & mentioned
    if wanted and bounded:
        for code, (least, most) in bounds_of(row.statistics, row.items).items():
            item = by_code(code)
            if item is not None and item.column in wanted:
                known += [field(item.column) >= least, field(item.column) <= most]
    return reduce(and_, known)
