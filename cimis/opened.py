"""An open data directory: its catalog, its read cache and the engine of its questions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import StoreError
from pipeline.items import Scope

if TYPE_CHECKING:
    from pipeline.catalog import Catalog
    from queries.engines.engine import Engine
    from queries.mirror.build import Refreshed
    from queries.mirror.mirrors import Keeping, Mirrors, Told

__all__ = ["Opened"]


class Opened:
    """What a :class:`cimis.Store` holds open.

    The catalog and the engine are opened when they are first needed, and owned here.

    Attributes
    ----------
    root : Path
        The data directory.
    told : function, optional
        Hears in words what a question waits for, where it has to wait; set it before the first
        one. By default standard error says it, where that is a terminal.
    """

    def __init__(self, root: Path, keeping: Keeping) -> None:
        self.root = root
        self._keeping = keeping
        self.told: Told | None = None
        self._process = os.getpid()
        self._opened: tuple[Catalog, Mirrors, Engine] | None = None
        self._closed = False

    def close(self) -> None:
        """Close connections and files; safe to call twice."""
        self._closed = True
        if self._opened is not None:
            catalog, _, engine = self._opened
            engine.close()
            catalog.close()
            self._opened = None

    @property
    def _parts(self) -> tuple[Catalog, Mirrors, Engine]:
        """The catalog, the mirrors and the engine, open."""
        from queries.engines.forks import check_owner

        check_owner(self._process)
        if self._closed:
            raise StoreError(f"the store at '{self.root}' is closed", hint="open it again")
        if self._opened is None:
            from pipeline.catalog import Catalog
            from queries.engines.engine import Engine
            from queries.mirror.mirrors import Mirrors

            catalog = Catalog(self.root)
            mirrors = Mirrors(self.root, catalog, self._keeping, told=self.told)
            self._opened = catalog, mirrors, Engine(self.root, catalog, mirrors)
        return self._opened

    @property
    def _engine(self) -> Engine:
        return self._parts[2]

    def refresh(self) -> list[Refreshed]:
        """Bring the read cache up to date now, as ``cimis compact`` does.

        That happens by itself after a fetch or an import, and when a question finds it out of
        date; nothing is done where it is not.
        """
        return [self._parts[1].refreshed(scope) for scope in Scope]

    def _refreshed(self) -> None:
        """Bring the read cache up to date after something was stored; questions may do without."""
        catalog, mirrors, _ = self._parts
        for scope in Scope:
            if catalog.listed(scope)[1]:
                mirrors.made(scope)

    def cache_facts(self) -> dict[str, Any]:
        """Return where the read cache lies, its bound, and per scope what it holds now."""
        return self._parts[1].facts()

    def clear_cache(self) -> int:
        """Delete the read cache; return the bytes freed. The next question makes it again."""
        place = self._parts[1].place
        return 0 if place is None else place.clear()
