"""Making a mirror: from the chunks' files, or from the mirror before it and what has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.pipeline.field.items import Scope
from cimis.pipeline.storage.system import put_in_place, sync_file, sync_folder
from cimis.queries.mirror.fill import fill, in_order, open_year
from cimis.queries.mirror.layout import TABLES, Listed, kind_of_table
from cimis.queries.mirror.place import Place
from cimis.queries.mirror.rewrite import write_anew
from cimis.queries.mirror.shape import begin, held, held_in, outgrown
from cimis.queries.mirror.wear import Wear, scattered, worn_by
from cimis.queries.native import is_full, opened, with_arrow

if TYPE_CHECKING:
    import duckdb

    from cimis.pipeline.catalog.database import Catalog

__all__ = ["Refreshed", "refresh"]

_MEMORY = "500MB"
"""What DuckDB may use besides what decoding takes."""

_MEMORY_ANEW = "300MB"
"""The same from nothing: more would only keep what is written already."""

_ANEW = 0.5
"""Share of rows changed at once from which making it from nothing is not slower."""


@dataclass(slots=True)
class Refreshed:
    """What making a mirror took.

    ``chunks`` and ``rows`` are what it holds; ``decoded`` chunks were read for it, ``removed``
    are gone; of ``damaged`` ones it holds nothing; ``anew``: made from nothing, or written anew.
    """

    scope: Scope
    generation: int
    anew: bool = False
    chunks: int = 0
    rows: int = 0
    decoded: int = 0
    removed: int = 0
    damaged: int = 0
    bytes: int = 0
    seconds: float = 0.0
    path: Path = field(default_factory=Path)


def refresh(
    root: Path,
    scope: Scope,
    place: Place,
    catalog: Catalog,
    *,
    told: Callable[[str], None],
    again: bool = False,
) -> Refreshed:
    """Make the mirror of the catalog's present generation, unless it is there; return its facts.

    Under a lock over all processes. A copy of an older mirror is brought up to date; where there is
    none to read, or little of it would stay, one is made from nothing.

    Parameters
    ----------
    root : Path
        The data directory.
    scope : Scope
    place : Place
    catalog : Catalog
    told : function
        Is told in words what is being done, before it begins.
    again : bool
        Also where it is there: damaged chunks are tried again.

    Raises
    ------
    OSError, duckdb.Error
        When it cannot be written; what was begun is gone then.
    """
    begin = time.perf_counter()
    with place.lock(scope):
        generation, rows = catalog.listed(scope)
        done = Refreshed(scope, generation, path=place.path(scope, generation))
        there = None if again else held_in(done.path)
        if there is not None:
            done.chunks, done.rows, done.damaged = there
            done.bytes = done.path.stat().st_size
            return done
        listed = [Listed(*row) for row in rows]
        draft = place.draft(scope)
        place.sweep(scope, keep=next((path for _, path in place.found(scope)), done.path))
        try:
            _draw(root, scope, place, listed, done, draft, told)
            sync_file(draft)
            put_in_place(draft, done.path)
            sync_folder(place.folder)
        except BaseException:
            place.clear_draft(scope)
            raise
        place.sweep(scope, keep=done.path)
        done.bytes = done.path.stat().st_size
    done.seconds = time.perf_counter() - begin
    return done


def _draw(
    root: Path,
    scope: Scope,
    place: Place,
    listed: list[Listed],
    done: Refreshed,
    draft: Path,
    told: Callable[[str], None],
) -> None:
    """Fill the draft: from the newest mirror, or from nothing."""
    import duckdb

    base = next((path for _, path in place.found(scope)), None)
    if base is not None:
        try:
            due = _due(base, scope, listed)
            if due is not None:
                _renewed(root, scope, listed, done, base, draft, due, told)
                return
        except duckdb.Error as error:
            if isinstance(error, duckdb.OutOfMemoryException) or is_full(error):
                raise
            # unreadable: what is derived is derived again
        draft.unlink(missing_ok=True)
    done.anew = True
    told(f"building the read cache of {scope} records from {_chunks(len(listed))}, once")
    with _Draft(draft, _MEMORY_ANEW) as connection:
        begin(connection, scope, listed)
        _finished(connection, root, scope, listed, listed, done, Wear())


@dataclass(frozen=True, slots=True)
class _Due:
    """What a mirror is to take in: changed chunks, those of them that it knows, and paths gone.

    ``worn``: it is to be written anew for that; ``wear`` is what it has otherwise then.
    """

    changed: list[Listed]
    stale: list[Listed]
    gone: set[str]
    wear: Wear
    worn: bool


def _due(base: Path, scope: Scope, listed: list[Listed]) -> _Due | None:
    """Return what a mirror lacks; None where so much that making one from nothing is as good."""
    import duckdb

    with duckdb.connect(str(base), read_only=True) as connection:
        rows = connection.execute("SELECT path, checksum, damage FROM facts.held").fetchall()
        held = {path: checksum for path, checksum, damage in rows if damage is None}
        known = {path for path, _, _ in rows}
        changed = [chunk for chunk in listed if held.get(chunk.path) != chunk.checksum]
        stale = [chunk for chunk in changed if chunk.path in known]
        whole = max(sum(chunk.rows for chunk in listed), 1)
        if sum(chunk.rows for chunk in changed) > _ANEW * whole or scattered(listed, stale, whole):
            return None
        wear = worn_by(connection, base, listed, stale)
        worn = wear.enough(base, whole) or outgrown(connection, scope, listed)
    gone = known - {chunk.path for chunk in listed}
    return _Due(changed, stale, gone, Wear() if worn else wear, worn)


def _renewed(
    root: Path,
    scope: Scope,
    listed: list[Listed],
    done: Refreshed,
    base: Path,
    draft: Path,
    due: _Due,
    told: Callable[[str], None],
) -> None:
    """Fill the draft with a mirror's rows, as they lie or sorted, and take in what it lacks."""
    import shutil

    if not due.worn:
        shutil.copyfile(base, draft)
    with _Draft(draft, _MEMORY) as connection:
        if due.worn:
            told(f"writing the read cache of {scope} records anew, sorted")
            begin(connection, scope, listed)
            write_anew(connection, base, scope, listed)
            done.anew = True
        else:
            if count := len(due.changed) + len(due.gone):
                told(f"bringing the read cache of {scope} records up to date: {_chunks(count)}")
        _delete(connection, scope, [chunk.path for chunk in due.stale] + sorted(due.gone))
        done.removed = len(due.gone)
        _finished(connection, root, scope, listed, due.changed, done, due.wear)


def _chunks(count: int) -> str:
    return f"{count:,} chunk{'' if count == 1 else 's'}"


class _Draft:
    """An open draft; closed and checkpointed at the end of the block."""

    def __init__(self, path: Path, memory: str) -> None:
        with_arrow()
        self._path = path
        self._memory = memory
        self._connection = opened(str(path))

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        self._connection.execute(f"SET memory_limit = '{self._memory}'")
        spill = str(self._path.with_name(self._path.name + ".spill")).replace("'", "''")
        self._connection.execute(f"SET temp_directory = '{spill}'")
        self._connection.execute("SET checkpoint_threshold = '1TB'")
        self._connection.execute("SET python_enable_replacements = false")
        made: duckdb.DuckDBPyConnection = self._connection
        return made

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        try:
            if kind is None:
                self._connection.execute("CHECKPOINT")
        finally:
            self._connection.close()


def _delete(connection: duckdb.DuckDBPyConnection, scope: Scope, paths: list[str]) -> None:
    """Delete the rows of chunks, and what is known of them."""
    import pyarrow as pa

    if not paths:
        return
    connection.register("dropped", pa.table({"path": pa.array(paths, pa.string())}))
    connection.execute(
        "CREATE TEMP TABLE old AS SELECT station, target, make_date(year, 1, 1) AS first, "
        "make_date(year, 12, 31) AS last FROM facts.held JOIN dropped USING (path)"
    )
    for table in TABLES[scope]:
        who = kind_of_table(table)
        first = connection.execute(f"SELECT min(first) FROM old WHERE {who} IS NOT NULL").fetchone()
        if first is not None and first[0] is not None:
            connection.execute(
                f"DELETE FROM {table} USING old WHERE {table}.{who} = old.{who} "
                f"AND {table}.date BETWEEN old.first AND old.last "
                f"AND {table}.date >= DATE '{first[0]}'"
            )
    connection.execute("DELETE FROM facts.held WHERE path IN (SELECT path FROM dropped)")
    connection.execute("DROP TABLE old")
    connection.unregister("dropped")


def _finished(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    scope: Scope,
    listed: list[Listed],
    changed: list[Listed],
    done: Refreshed,
    wear: Wear,
) -> None:
    """Read the changed chunks in, and write down what the mirror now holds."""
    fill(connection, root, scope, in_order(listed, changed))
    done.decoded = len(changed)
    connection.execute("DELETE FROM facts.meta")
    numbers = {
        "generation": done.generation,
        "replaced": wear.rows,
        "fresh_bytes": wear.fresh_bytes,
        "open_year": open_year(listed),
    }
    for name, number in numbers.items():
        connection.execute("INSERT INTO facts.meta VALUES (?, ?)", [name, number])
    done.chunks, done.rows, done.damaged = held(connection)
