"""What is stored, written for engines: only the years whose chunks have changed since last time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.answers.scans import strangers
from cimis.answers.splits import stored_chunks
from cimis.arguments import path_of, scope_of
from cimis.lacking import warn_of_damage
from cimis.naming.sites import Stations, sites_of
from cimis.opened import Opened
from cimis.pipeline.errors import ChunkError, NoDataError, UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.naming.sites import Sites
    from cimis.pipeline.catalog.rows import ChunkRow
    from cimis.queries.quality import FlagPolicy

__all__ = ["Exported", "export"]


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote; years by name, as ``daily/year=2024``.

    Attributes
    ----------
    folder : Path
    format : str
    written, kept, removed : tuple of str
        Years that were written, that stood as they were, and that are stored no more.
    rows : int
        Written.
    lacks : Lacks
        Whom it has nothing of, and damaged chunks, whose years were left as they were.
    """

    folder: Path
    format: str
    written: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rows: int = 0
    lacks: Lacks = field(default_factory=Lacks)


def export(
    opened: Opened,
    folder: str | Path,
    *,
    format: str = "parquet",  # noqa: A002
    scope: str | Scope | None = None,
    stations: Stations | None = None,
    qc: str = "keep",
    dry_run: bool = False,
    on_year: Callable[[str], None] | None = None,
) -> Exported:
    """Write what is stored as files or tables that any engine reads, parted by year.

    Again into the same folder, only the years are written whose chunks have changed, and years
    that are stored no more are removed. What a reader of the folder sees of a year is the old one
    or the new one, whole.

    Parameters
    ----------
    folder : path
        A new or empty one, or that of an export before this of the same form and the same rows.
    format : {"parquet", "duckdb", "delta", "iceberg"}
        Delta and Iceberg through their own packages, extras of those names.
    scope : {"daily", "hourly"}, optional
        Both by default.
    stations : int, str, Target or iterable of them, optional
        As of :meth:`daily`; by default all, and all spatial targets.
    qc : {"keep", "drop-severe", "strict"}
    dry_run : bool
        Tell what would be written, and write nothing.
    on_year : callable, optional
        Hears the name of each year before it is written.

    Returns
    -------
    Exported

    Raises
    ------
    UsageError
        For a form that there is not, a package that is not installed, a folder with other things.
    NoDataError
        Where nothing of what is asked is stored.
    StoreError
        When the disk fails; years written before that stand.
    """
    from cimis.exports.forms import FORMS
    from cimis.exports.plan import STATE_FILE, State, Year, digest_of, parted
    from cimis.queries.export.replacing import replacing
    from cimis.queries.quality import policy

    if format not in FORMS:
        raise UsageError(f"no export is written as '{format}'", hint=f"one of {', '.join(FORMS)}")
    chosen, place = policy(qc), path_of(folder)
    scopes = tuple(Scope) if scope is None else (scope_of(scope),)
    sites = None if stations is None else sites_of(stations, opened.root)
    years = parted(row for scope in scopes for row in stored_chunks(opened, scope, sites))
    if not years:
        raise NoDataError("nothing of that is stored", hint="see 'cimis stats'")
    asked = _in_words(scopes, sites, chosen)
    before = State.read(place, format, asked)
    due = before.due(years)
    told = Exported(
        place,
        format,
        tuple(year.name for year in due.changed),
        tuple(year.name for year in due.kept),
        tuple(year.name for year in due.gone),
        sum(row.rows for year in due.changed for row in years[year]),
        Lacks() if sites is None else strangers(opened, sites, scopes),
    )
    if dry_run or not (due.changed or due.gone):
        return told
    digests = dict(before.digests)
    written, damaged, rows = list[Year](), list[tuple[str, str]](), 0
    form = FORMS[format](place)
    try:
        for year in due.gone:
            form.remove(year)
            digests.pop(year.name, None)
        for year in due.changed:
            if on_year is not None:
                on_year(year.name)
            source = _Rows(opened.root, years[year], chosen)
            try:
                form.put(year, source.reader())
            except Exception:
                if source.damage is None:
                    raise
                damaged.append(source.damage)
                continue
            written.append(year)
            digests[year.name] = digest_of(years[year])
            rows += sum(row.rows for row in years[year])
        form.stations(_stations(opened))
    finally:
        form.close()
        with replacing(place / STATE_FILE) as stream:
            stream.write(State(format, asked, digests).to_json())
    warn_of_damage(damaged)
    names = tuple(year.name for year in written)
    return replace(
        told, written=names, rows=rows, lacks=replace(told.lacks, damaged=tuple(damaged))
    )


class _Rows:
    """The rows of a year's chunks as a stream; ``damage`` is what ended it too early."""

    def __init__(self, root: Path, chunks: Sequence[ChunkRow], policy: FlagPolicy) -> None:
        from cimis.queries.splits.cutting import splits_of

        self._splits = splits_of(root, chunks[0].scope, chunks, qc=policy)
        self._root = root
        self.damage: tuple[str, str] | None = None

    def reader(self) -> pa.RecordBatchReader:
        """Return them for whoever takes Arrow's streams, which carry no errors of ours."""
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(self._splits[0].schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for split in self._splits:
                yield from split.batches()
        except ChunkError as error:
            where = Path(error.path or "").relative_to(self._root)
            self.damage = where.as_posix(), error.reason
            raise


def _in_words(scopes: Sequence[Scope], sites: Sites | None, policy: FlagPolicy) -> str:
    """Return what is asked for, so that two exports can be told from one another."""
    whom = "all" if sites is None else "every one" if sites.named is None else sites.named
    return f"{' and '.join(scopes)} records of {whom}, flags {policy}"


def _stations(opened: Opened) -> pa.Table:
    """Return the network's list of stations, in types that every engine has."""
    import pyarrow as pa

    from cimis.answers.sql import sql

    found = sql(opened, "SELECT * FROM stations ORDER BY 1").table()
    plain = [
        f.with_type(pa.int32()) if pa.types.is_unsigned_integer(f.type) else f for f in found.schema
    ]
    return found.cast(pa.schema(plain))
