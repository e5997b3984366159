"""The catalog of a data directory: stations, chunks with their statistics, and runs, in SQLite.

The chunk files are the truth; the catalog is what can be known of them without opening one. It
needs the standard library alone, so a point query can read it without paying for Arrow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from cimis.pipeline.catalog.file import CATALOG_FILE, REBUILD, CatalogFile
from cimis.pipeline.catalog.rows import ChunkRow
from cimis.pipeline.errors import StoreError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.site import SiteKind

__all__ = ["CATALOG_FILE", "Catalog", "ChunkRow"]

_COLUMNS = (
    "path, scope, station, target, year, format, rows, first_s, last_s, bytes, checksum, items, "
    "provisional_from_s, fetched_at, source, statistics"
)


class Catalog(CatalogFile):
    """One open catalog; a context manager. Safe with other processes: WAL and short transactions.

    Parameters
    ----------
    root : Path
        The data directory.
    create : bool
        Make the catalog where there is none; otherwise that is an error.

    Raises
    ------
    StoreError
        When there is no catalog, it is damaged, or a newer version made it.
    """

    def generation(self, scope: Scope | None = None) -> int:
        """Return a number that grows with every change of a chunk's row, from a random start.

        Of one scope it grows with changes of that scope's chunks alone.
        """
        keys = ("generation", "generation" if scope is None else f"generation_{scope}")
        # a catalog that nobody has written to since has only the one of all
        query = "select value from meta where key in (?, ?) order by key desc limit 1"
        with self._errors():
            found = self._connection.execute(query, keys).fetchone()
        if found is not None:
            return int(found[0])
        raise StoreError(f"catalog {self.path} has no generation", hint=REBUILD)

    def data_version(self) -> int:
        """Return a number that differs once another connection has changed anything."""
        with self._errors():
            return int(self._connection.execute("pragma data_version").fetchone()[0])

    def listed(self, scope: Scope) -> tuple[int, list[tuple[Any, ...]]]:
        """Return a scope's generation and its chunks, both of one moment.

        Each chunk as path, station, target, year, rows, checksum, items, and whether some of it
        may still change; by station, target and year.
        """
        columns = "path, station, target, year, rows, checksum, items, provisional_from_s not null"
        query = f"select {columns} from chunks where scope = ? order by station, target, year"
        with self._errors():
            self._connection.execute("begin")
            try:
                generation = self.generation(scope)
                return generation, self._connection.execute(query, [scope.value]).fetchall()
            finally:
                self._connection.execute("rollback")

    def put_chunks(self, rows: Iterable[ChunkRow]) -> None:
        """Enter chunks, replacing what was said of the same paths."""
        values = [
            (
                *(row.path, row.scope.value, row.station, row.target, row.year, row.format),
                *(row.rows, row.first_s, row.last_s, row.file_bytes, row.checksum),
                *(",".join(row.items), row.provisional_from_s, row.fetched_at, row.source),
                row.statistics,
            )
            for row in rows
        ]
        places = ", ".join("?" * 16)
        with self._errors(), self._transaction():
            run = self._connection
            run.executemany(f"insert or replace into chunks ({_COLUMNS}) values ({places})", values)
            self._changed({scope for _, scope, *_ in values})

    def remove_chunks(self, paths: Iterable[str]) -> None:
        """Forget chunks by path, and that their days were asked for."""
        values, run = [(path,) for path in paths], self._connection
        listed = json.dumps([path for (path,) in values])
        of_paths = (
            "select distinct scope from chunks where path in (select value from json_each(?))"
        )
        with self._errors(), self._transaction():
            scopes = {scope for (scope,) in run.execute(of_paths, [listed])}
            run.executemany("delete from chunks where path = ?", values)
            run.executemany("delete from asked where path = ?", values)
            self._changed(scopes)

    def _changed(self, scopes: Iterable[str]) -> None:
        """Count a change of chunks of some scopes; inside a transaction."""
        run = self._connection.execute
        run("update meta set value = value + 1 where key = 'generation'")
        for scope in scopes:
            run("update meta set value = value + 1 where key = ?", [f"generation_{scope}"])

    def chunks(
        self,
        *,
        scope: Scope | None = None,
        stations: Sequence[int] | None = None,
        first_year: int | None = None,
        last_year: int | None = None,
        path: str | None = None,
        paths: Sequence[str] | None = None,
    ) -> list[ChunkRow]:
        """Return the chunks that match all conditions, by scope, station, target and year."""
        where, values = ["1"], list[Any]()
        conditions = (("scope = ?", scope), ("year >= ?", first_year), ("year <= ?", last_year))
        for condition, value in (*conditions, ("path = ?", path)):
            if value is not None:
                where.append(condition)
                values.append(value.value if isinstance(value, Scope) else value)
        if paths is not None:
            where.append("path in (select value from json_each(?))")
            values.append(json.dumps(list(paths)))
        if stations is not None:
            where.append("station in (select value from json_each(?))")
            values.append(json.dumps(sorted(stations)))
        query = f"select {_COLUMNS} from chunks where {' and '.join(where)} "
        query += "order by scope, station, target, year"
        with self._errors():
            found = self._connection.execute(query, values).fetchall()
        return [_row(values) for values in found]

    def put_asked(self, path: str, items: str, spans: Iterable[tuple[str, str]]) -> None:
        """Enter the spans of days, now final, that the service was asked for; replaces the old."""
        with self._errors(), self._transaction():
            run = self._connection
            run.execute("delete from asked where path = ? and items = ?", [path, items])
            values = [(path, items, *span) for span in spans]
            run.executemany("insert into asked values (?, ?, ?, ?)", values)

    def asked(self, paths: Iterable[str]) -> list[tuple[str, str, str, str]]:
        """Return path, items, first and last day of what was asked for, by path and day."""
        query = "select * from asked where path in (select value from json_each(?)) order by 1, 3"
        with self._errors():
            return self._connection.execute(query, [json.dumps(list(paths))]).fetchall()

    def holdings(
        self,
        scope: Scope,
        sites: Sequence[int | str] | None = None,
        *,
        kind: SiteKind = SiteKind.STATION,
    ) -> list[tuple[Any, int, int, str]]:
        """Return station (or target), first and last second, and items of each chunk, as tuples."""
        query = f"select {kind}, first_s, last_s, items from chunks where scope = ? and {kind} "
        values: list[Any] = [scope.value]
        if sites is None:
            query += "is not null"
        else:  # alone, as beside "is not null" SQLite looks through the whole scope
            query += "in (select value from json_each(?))"
            values.append(json.dumps(list(sites)))
        with self._errors():
            return self._connection.execute(query, values).fetchall()

    def count(self, scope: Scope) -> int:
        """Return the number of chunks of a scope."""
        with self._errors():
            query = "select count(*) from chunks where scope = ? and station is not null"
            return int(self._connection.execute(query, [scope.value]).fetchone()[0])

    def item_codes(self, scope: Scope, *, kind: SiteKind = SiteKind.STATION) -> set[str]:
        """Return the codes of all items that some chunk of a scope holds."""
        query = f"select distinct items from chunks where scope = ? and {kind} is not null"
        with self._errors():
            found = self._connection.execute(query, [scope.value]).fetchall()
        return {code for (items,) in found for code in items.split(",") if code}

    def put_stations(self, stations: Iterable[tuple[int, str, dict[str, Any]]]) -> None:
        """Enter stations as number, name and JSON-ready facts."""
        values = [(number, name, json.dumps(facts)) for number, name, facts in stations]
        with self._errors(), self._transaction():
            self._connection.executemany("insert or replace into stations values (?, ?, ?)", values)

    def stations(self) -> list[dict[str, Any]]:
        """Return the facts of every known station, by number."""
        with self._errors():
            found = self._connection.execute("select facts from stations order by number")
            return [json.loads(facts) for (facts,) in found.fetchall()]

    def put_change(self, path: str, at: str, counts: tuple[int, int, int]) -> None:
        """Enter that a chunk's rows were added to, revised or filled, at a time in ISO 8601."""
        with self._errors(), self._transaction():
            self._connection.execute(
                "insert into changes values (?, ?, ?, ?, ?)", [path, at, *counts]
            )

    def changes(self) -> list[tuple[str, str, int, int, int]]:
        """Return path, time, and rows added, revised and filled, of every write that found some."""
        if not self._has("changes"):
            return []
        with self._errors():
            return self._connection.execute("select * from changes order by at, path").fetchall()

    def put_targets(self, texts: Iterable[tuple[str, str]]) -> None:
        """Keep the texts by which the service is asked for spatial targets, by their keys."""
        with self._errors(), self._transaction():
            self._connection.executemany("insert or replace into targets values (?, ?)", texts)

    def targets(self) -> dict[str, str]:
        """Return the texts by which the service is asked for spatial targets, by their keys."""
        if not self._has("targets"):
            return {}
        with self._errors():
            return dict(self._connection.execute("select key, sent from targets").fetchall())

    def pulled(self) -> dict[str, str]:
        """Return the checksums of chunks as they came from a published store, by path."""
        if not self._has("pulled"):
            return {}
        with self._errors():
            return dict(self._connection.execute("select path, checksum from pulled").fetchall())

    def put_pulled(self, checksums: Iterable[tuple[str, str]]) -> None:
        """Keep as what chunks came from a published store."""
        with self._errors(), self._transaction():
            self._connection.executemany("insert or replace into pulled values (?, ?)", checksums)

    def take_facts(self, other: Catalog, paths: Iterable[str]) -> None:
        """Take from another catalog its stations and targets, and what of chunks was asked for."""
        known = [(facts["number"], facts["name"], facts) for facts in other.stations()]
        self.put_stations(known)
        self.put_targets(other.targets().items())
        asked = other.asked(paths)
        with self._errors(), self._transaction():
            self._connection.executemany("insert or replace into asked values (?, ?, ?, ?)", asked)

    def _has(self, table: str) -> bool:
        """Tell whether a catalog, which may be older, has a table."""
        with self._errors():
            query = "select 1 from sqlite_master where name = ?"
            return self._connection.execute(query, [table]).fetchone() is not None

    def put_run(
        self,
        command: str,
        started_at: str,
        finished_at: str,
        exit_code: int,
        report: dict[str, Any],
    ) -> None:
        """Enter the report of a run; times are ISO 8601 with zone."""
        values = (command, started_at, finished_at, exit_code, json.dumps(report))
        with self._errors(), self._transaction():
            self._connection.execute(
                "insert into runs (command, started_at, finished_at, exit_code, report) "
                "values (?, ?, ?, ?, ?)",
                values,
            )

    def runs(self, *, last: int = 10) -> list[dict[str, Any]]:
        """Return the newest runs' command, times, exit code and report, newest first."""
        names = ("command", "started_at", "finished_at", "exit_code", "report")
        query = f"select {', '.join(names)} from runs order by id desc limit ?"
        with self._errors():
            found = self._connection.execute(query, [last]).fetchall()
        runs = [dict(zip(names, values, strict=True)) for values in found]
        return [run | {"report": json.loads(run["report"])} for run in runs]


def _row(values: Sequence[Any]) -> ChunkRow:
    facts = list(values)
    facts[1] = Scope(facts[1])
    facts[11] = tuple(facts[11].split(",")) if facts[11] else ()
    return ChunkRow(*facts)
