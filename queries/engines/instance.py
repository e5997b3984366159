"""One DuckDB in memory that sees mirrors and tables, and nothing else once it is closed off."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cimis.pipeline.field.items import Scope, Standard
from cimis.queries.engines.origins import Origin, origins
from cimis.queries.engines.sandbox import SETTINGS, allowed
from cimis.queries.mirror.layout import TABLES, Listed, scope_of_table
from cimis.queries.mirror.shape import begin_facts, begin_rows
from cimis.queries.mirror.sight import Sight
from cimis.queries.native import opened

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MOST_KNOWN", "Damaged", "Instance"]

_MOST_FREE = 4
T = TypeVar("T")

MOST_KNOWN = 128
"""Questions of which is kept what was found of them."""


class Damaged(NamedTuple):
    """A damaged chunk: what it was to hold, what is wrong, and how its file stood then."""

    path: str
    station: int | None
    target: str | None
    year: int
    damage: str
    bytes: int
    changed_ns: int


class Instance:
    """An in-memory DuckDB with the mirrors of some scopes attached, for reading.

    Parameters
    ----------
    mirrors : mapping of Scope to Path
    unsafe : bool
        Leave files, network, extensions, configuration and writing statements open to questions.
    memory : str, optional
        The most memory that it may use; DuckDB's own bound by default.

    Notes
    -----
    Rows lie in the attached files' own schemas, found by the search path: a view before them would
    cost a question of one week as much again as its answer. What was read from chunks for one
    question lies in ``memory.loose``, stations and chunks in ``memory.main``, views under a flag
    policy or in other units in a schema for each sight.
    """

    def __init__(
        self, mirrors: Mapping[Scope, Path], *, unsafe: bool, memory: str | None = None
    ) -> None:
        self.mirrors = dict(mirrors)
        self.unsafe = unsafe
        self._free: dict[Sight, list[Any]] = {}
        self._parsed: dict[str, list[Any]] = {}
        self._origins: dict[str, list[Origin | None]] = {}
        self._lock = threading.RLock()
        self._seen: set[Sight] = set()
        self._loose: list[str] = []
        self._damaged: dict[Scope, list[Damaged]] = {}
        self._held: dict[Scope, tuple[int, int]] = {}
        self._stored: dict[str, dict[str, tuple[int, str]]] = {}
        self.listed: dict[str, int] = {}
        self.schemas: dict[tuple[str, Standard], tuple[pa.Schema, pa.Schema]] = {}
        self.root = opened()
        # an open connection at exit makes the binding print leaks to standard error
        self.closing = weakref.finalize(self, self.root.close)
        try:
            if memory is not None:
                self.root.execute(f"SET memory_limit = '{memory}'")
            for scope, path in self.mirrors.items():
                quoted = str(path).replace("'", "''")
                self.root.execute(f"ATTACH '{quoted}' AS stored_{scope} (READ_ONLY)")
                self.held(scope)  # an unreadable one is found now, while another can be made
                self.damaged(scope)
        except BaseException:
            self.closing()
            raise

    def close_off(self) -> None:
        """Shut the sandbox: nothing more can be opened, nor any setting changed."""
        for setting in () if self.unsafe else SETTINGS:
            self.root.execute(setting)

    def tables(self) -> list[str]:
        """Return the names of the tables of rows that it sees."""
        return [name for scope in self.mirrors for name in TABLES[scope]] + self._loose

    def sees(self, scope: Scope) -> bool:
        """Tell whether it has a scope's rows."""
        return scope in self.mirrors or TABLES[scope][0] in self._loose

    def facts(self, scope: Scope) -> str:
        """Return the name of the schema that says what is held of a scope."""
        return f"stored_{scope}.facts" if scope in self.mirrors else "memory.facts"

    def source(self, table: str) -> str:
        """Return the whole name of a table of rows."""
        scope = scope_of_table(table)
        return f"stored_{scope}.main.{table}" if scope in self.mirrors else f"memory.loose.{table}"

    def held(self, scope: Scope) -> tuple[int, int]:
        """Return how many chunks and rows of a scope it holds."""
        if scope not in self._held:
            found = self.root.cursor().execute(
                "SELECT count(*), coalesce(sum(rows), 0)::BIGINT "
                f"FROM {self.facts(scope)}.held WHERE damage IS NULL"
            )
            self._held[scope] = found.fetchall()[0]
        return self._held[scope]

    def damaged(self, scope: Scope) -> list[Damaged]:
        """Return the chunks of a scope that are damaged, of which it holds nothing."""
        if scope not in self._damaged:
            rows = self.root.cursor().execute(
                "SELECT path, station, target, year, damage, bytes, changed_ns "
                f"FROM {self.facts(scope)}.held WHERE damage IS NOT NULL ORDER BY path"
            )
            self._damaged[scope] = [Damaged(*row) for row in rows.fetchall()]
        return self._damaged[scope]

    def stored(self, table: str) -> dict[str, tuple[int, str]]:
        """Return the decimals and unit of each item that a table has, by its code."""
        if table not in self._stored:
            rows = self.root.cursor().execute(
                f"SELECT code, decimals, unit FROM {self.facts(scope_of_table(table))}.stored "
                "WHERE tab = ?",
                [table],
            )
            self._stored[table] = {c: (decimals, unit) for c, decimals, unit in rows.fetchall()}
        return self._stored[table]

    def add_loose(self, scope: Scope, chunks: Sequence[Listed]) -> None:
        """Make a scope's tables of rows in memory, empty, with room for what chunks have."""
        if not self._loose:
            self.root.execute("CREATE SCHEMA memory.loose")
            begin_facts(self.root)
        begin_rows(self.root, scope, chunks, schema="memory.loose.")
        self._loose += TABLES[scope]

    def statements(self, connection: Any, text: str) -> list[Any]:
        """Return the statements of a text, all allowed; those asked before are parsed already."""
        return self._known(
            self._parsed, text, lambda: allowed(connection, text, unsafe=self.unsafe)
        )

    def origins(self, text: str) -> list[Origin | None]:
        """Return the origins of a question's columns; see `cimis.queries.engines.origins`."""
        return self._known(self._origins, text, lambda: origins(self.root.cursor(), text))

    def _known(self, kept: dict[str, T], text: str, found: Callable[[], T]) -> T:
        """Return what was found of a text before, else find it and keep it for the next time."""
        with self._lock:
            known = kept.get(text)
        if known is None:
            known = found()
            with self._lock:
                kept[text] = known
                if len(kept) > MOST_KNOWN:
                    kept.pop(next(iter(kept)))
        return known

    def take(self, sight: Sight) -> Any:
        """Return a connection that no question uses, which sees rows in one way."""
        with self._lock:
            free = self._free.setdefault(sight, [])
            if free:
                return free.pop()
            self._make_views(sight)
        connection = self.root.cursor()
        attached = [f"stored_{scope}.main" for scope in self.mirrors]
        first = [] if sight.schema is None else [f"memory.{sight.schema}"]
        loose = ["memory.loose"] if self._loose else []
        path = ",".join([*first, *attached, *loose, "memory.main"])
        connection.execute(f"SET search_path = '{path}'")
        return connection

    def give_back(self, sight: Sight, connection: Any) -> None:
        """Take back a connection whose question has been answered to the end."""
        with self._lock:
            free = self._free.setdefault(sight, [])
            if not self.unsafe and len(free) < _MOST_FREE:
                free.append(connection)
                return
        connection.close()

    def _make_views(self, sight: Sight) -> None:
        """Make the views of a sight, once."""
        if sight.schema is None or sight in self._seen:
            return
        self.root.execute(f"CREATE SCHEMA memory.{sight.schema}")
        for table in self.tables():
            text = sight.view(table, self.source(table))
            self.root.execute(f"CREATE VIEW memory.{sight.schema}.{table} AS {text}")
        self._seen.add(sight)

    def name_views(self, sight: Sight) -> None:
        """Make the rows views of ``memory.main``, so that a cursor of a cursor sees them too."""
        for table in self.tables():
            text = sight.view(table, self.source(table))
            self.root.execute(f"CREATE VIEW memory.main.{table} AS {text}")
