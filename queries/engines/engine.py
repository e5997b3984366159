"""The engine of a store: a DuckDB that sees what is stored now, for one question after another."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.errors import CimisError
from cimis.pipeline.field.items import Scope
from cimis.queries.engines.catalogued import CATALOGUED, put
from cimis.queries.engines.damage import LeftOut, damage_stands, left_out
from cimis.queries.engines.instance import Instance
from cimis.queries.engines.inventory import Inventory, Named
from cimis.queries.engines.seat import Seat
from cimis.queries.engines.words import has_word, scopes_in
from cimis.queries.mirror.layout import scope_of_table
from cimis.queries.mirror.mirrors import Mirrors, unwritable
from cimis.queries.mirror.sight import Sight
from cimis.queries.native import native
from cimis.queries.timing import QueryTimings

__all__ = ["Engine"]

_MEMORY = "700MB"
"""What questions use at first: a scan of everything needs no more, and leaves room to others."""

_FEW_ROWS = 1_000_000
_FEW = 0.1
"""Rows, and share of all, up to which a question reads chunks rather than wait for a mirror."""

_QUICK_ROWS = 400_000
"""Rows up to which a mirror is made in a moment, so that no question goes without it."""


class Engine:
    """Answers of a data directory come from connections of an in-memory DuckDB.

    A question sees what the catalog holds when it is asked. It reads the mirrors of the scopes
    that it names, which are made first where they are not there; a question that names few chunks
    does not wait for a long one but reads those chunks, and so does each where no mirror is kept.

    Parameters
    ----------
    root : Path
    catalog : Catalog
    mirrors : Mirrors
    """

    def __init__(self, root: Path, catalog: Catalog, mirrors: Mirrors) -> None:
        self.root = root
        self._catalog = catalog
        self._mirrors = mirrors
        self._current: dict[bool, Instance] = {}  # by whether it is roomy
        self._loose: tuple[object, weakref.ref[Instance]] | None = None
        self._inventories: dict[Scope, Inventory] = {}
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close all connections; safe to call twice."""
        with self._lock:
            for instance in self._current.values():
                instance.closing()
            self._current.clear()

    def seat(
        self,
        text: str,
        *,
        sight: Sight,
        timings: QueryTimings,
        unsafe: bool = False,
        named: Named | None = None,
        roomy: bool = False,
    ) -> Seat:
        """Return a connection that sees the tables that a question's text names.

        Parameters
        ----------
        text : str
        sight : Sight
        timings : QueryTimings
        unsafe : bool
        named : Named, optional
            The chunks that it is known to name.
        roomy : bool
            Leave DuckDB the memory that it takes by itself.
        """
        scopes = scopes_in(text)
        listings = [name for name in CATALOGUED if has_word(name, text)]
        instance = self._instance(scopes, unsafe=unsafe, named=named, roomy=roomy, timings=timings)
        self._list(instance, listings)
        return Seat(instance, instance.take(sight), sight)

    def connection(self, sight: Sight, *, unsafe: bool) -> Any:
        """Return a connection of its own with all views, which also its cursors see.

        It answers from what was stored when it was made.
        """
        timings = QueryTimings()
        paths = self._paths(list(Scope), None, timings)
        loose = [scope for scope in Scope if scope not in paths]
        instance = self._made(paths, None, unsafe=unsafe, roomy=True, timings=timings, loose=loose)
        self._list(instance, list(CATALOGUED))
        instance.name_views(sight)
        instance.closing.detach()
        return instance.root

    def distrust(self, seat: Seat) -> None:
        """Forget mirrors that turned out to be unreadable: the next question makes others."""
        with self._lock:
            for key, instance in list(self._current.items()):
                if instance is seat.instance:
                    del self._current[key]
        for path in seat.instance.mirrors.values():
            self._mirrors.distrust(path)

    def damage(self, table: str) -> list[LeftOut]:
        """Return the damaged chunks of a table."""
        _, instance = self.stored(table, Named(), QueryTimings())
        return left_out(instance, [table])

    def _instance(
        self,
        scopes: Sequence[Scope],
        *,
        unsafe: bool,
        named: Named | None,
        roomy: bool,
        timings: QueryTimings,
    ) -> Instance:
        found = self._found(scopes, unsafe=unsafe, named=named, roomy=roomy, timings=timings)
        held = [found.held(scope) for scope in scopes if scope in found.mirrors]
        timings.served_by(chunks=sum(c for c, _ in held), rows=sum(r for _, r in held))
        return found

    def _found(
        self,
        scopes: Sequence[Scope],
        *,
        unsafe: bool,
        named: Named | None,
        roomy: bool,
        timings: QueryTimings,
    ) -> Instance:
        known = None if unsafe else self._current.get(roomy)
        if known is not None and self._serves(known, scopes):
            return known
        with timings.phase("refresh"):
            paths = self._paths(scopes, named, timings)
        loose = [scope for scope in scopes if scope not in paths]
        key = (unsafe, named, tuple((s, self.inventory(s).generation) for s in loose))
        with self._lock:
            if loose:
                kept = self._loose[1]() if self._loose and self._loose[0] == key else None
                if kept is not None:
                    return kept
                made = self._made(paths, named, unsafe=unsafe, timings=timings, loose=loose)
                self._loose = (key, weakref.ref(made))
                return made
            known = None if unsafe else self._current.get(roomy)
            if known is not None and not damage_stands(self.root, known, scopes):
                known = None
                for scope in scopes:
                    self._mirrors.refresh(scope, timings, again=True)
            if known is not None and all(known.mirrors.get(s) == p for s, p in paths.items()):
                return known
            for scope in known.mirrors.keys() - paths.keys() if known is not None else ():
                path = self._mirrors.ready(scope)  # what was open stays open
                if path is not None:
                    paths[scope] = path
            made = self._made(paths, named, unsafe=unsafe, roomy=roomy, timings=timings)
            if not unsafe:
                self._current[roomy] = made
            return made

    def _serves(self, known: Instance, scopes: Sequence[Scope]) -> bool:
        """Tell whether an instance sees some scopes as they are stored now."""
        return all(
            scope in known.mirrors
            and known.mirrors[scope] == self._mirrors.due(scope)
            and not known.damaged(scope)
            for scope in scopes
        )

    def _made(
        self,
        paths: Mapping[Scope, Path],
        named: Named | None,
        *,
        unsafe: bool,
        timings: QueryTimings,
        roomy: bool = False,
        loose: Sequence[Scope] = (),
    ) -> Instance:
        """Return a new instance; a mirror that cannot be opened is made again, once."""
        chosen = dict(paths)
        for last in (False, True):
            try:
                memory = None if roomy or loose else _MEMORY
                made = Instance(chosen, unsafe=unsafe, memory=memory)
                break
            except native().Error:
                if last:
                    raise
                # gone meanwhile, as a newer one came, or damaged
                for scope, path in chosen.items():
                    if self._mirrors.ready(scope) == path:
                        self._mirrors.distrust(path)
                chosen = {s: p for s in chosen if (p := self._mirrors.made(s, timings))}
        for scope in [*loose, *(paths.keys() - chosen.keys())]:
            self._read(made, scope, named, timings)
        made.close_off()
        return made

    def _read(
        self, instance: Instance, scope: Scope, named: Named | None, timings: QueryTimings
    ) -> None:
        """Read the chunks that a question names into memory."""
        from cimis.queries.mirror.fill import fill, in_order
        from cimis.queries.native import with_arrow

        with_arrow()
        listed = self.inventory(scope).chunks
        wanted = self.inventory(scope).named(named)
        instance.add_loose(scope, wanted)
        with timings.phase("decode"):
            fill(
                instance.root,
                self.root,
                scope,
                in_order(listed, wanted),
                schema="memory.loose.",
                items=None if named is None else named.items,
            )
        timings.count(
            chunks_considered=len(listed),
            chunks_read=len(wanted),
            chunks_skipped=len(listed) - len(wanted),
            files_opened=len(wanted),
        )

    def _paths(
        self, scopes: Sequence[Scope], named: Named | None, timings: QueryTimings
    ) -> dict[Scope, Path]:
        """Return the mirrors to read, by scope; chunks are to be read of the others."""
        paths = {}
        for scope in scopes:
            path = self._mirrors.ready(scope)
            if path is None and not (named is not None and self._are_few(scope, named)):
                path = self._mirrors.made(scope, timings)
            if path is not None:
                paths[scope] = path
        return paths

    def _are_few(self, scope: Scope, named: Named) -> bool:
        """Tell whether reading the named chunks is quicker than making a mirror."""
        inventory = self.inventory(scope)
        few = sum(chunk.rows for chunk in inventory.named(named))
        return inventory.rows > _QUICK_ROWS and few <= min(_FEW * inventory.rows, _FEW_ROWS)

    def inventory(self, scope: Scope) -> Inventory:
        """Return which chunks of a scope there are now."""
        known = self._inventories.get(scope)
        if known is None or known.generation != self._catalog.generation(scope):
            known = self._inventories[scope] = Inventory(self._catalog, scope)
        return known

    def stored(
        self, table: str, named: Named, timings: QueryTimings
    ) -> tuple[dict[str, tuple[int, str]], Instance]:
        """Return the decimals and unit of each item that a table holds, and where it was seen.

        As long as that is kept, what was read from chunks for it serves the question as well.
        """
        instance = self._instance(
            [scope_of_table(table)], unsafe=False, named=named, roomy=False, timings=timings
        )
        return instance.stored(table), instance

    def _list(self, instance: Instance, names: Sequence[str]) -> None:
        """Bring the tables of what the catalog lists up to date."""
        version = self._catalog.data_version() if names else 0
        with self._lock:
            for name in names:
                if instance.listed.get(name) != version:
                    put(instance.root, self._catalog, name)
                    instance.listed[name] = version

    def failure(self) -> CimisError | None:
        """Return why no mirror could be written, if that is so."""
        error = self._mirrors.failure
        return None if error is None else unwritable(error)
