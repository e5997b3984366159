"""An open data directory: its catalog, its read cache and the engine of its questions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.pipeline.errors import CimisError, StoreError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.locations import url_of

if TYPE_CHECKING:
    from cimis.pipeline.catalog.database import Catalog
    from cimis.queries.engines.engine import Engine
    from cimis.queries.mirror.build import Refreshed
    from cimis.queries.mirror.mirrors import Keeping, Mirrors, Told

__all__ = ["Opened", "caught_up"]


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
        from cimis.queries.engines.forks import check_owner

        check_owner(self._process)
        if self._closed:
            raise StoreError(f"the store at '{url_of(self.root)}' is closed", hint="open it again")
        if self._opened is None:
            from cimis.pipeline.catalog.database import Catalog
            from cimis.queries.engines.engine import Engine
            from cimis.queries.mirror.mirrors import Mirrors

            catalog = Catalog(self.root)
            mirrors = Mirrors(self.root, catalog, self._keeping, told=self.told)
            self._opened = catalog, mirrors, Engine(self.root, catalog, mirrors)
        return self._opened

    @property
    def engine(self) -> Engine:
        """What answers SQL over what is stored now."""
        return self._parts[2]

    @property
    def mirrors(self) -> Mirrors:
        """The read cache of each scope."""
        return self._parts[1]

    def refresh(self) -> list[Refreshed]:
        """Bring the read cache up to date now, as ``cimis compact`` does.

        That happens by itself after a fetch or an import, and when a question finds it out of
        date; nothing is done where it is not.
        """
        return [self.mirrors.refreshed(scope) for scope in Scope]

    def cache_facts(self) -> dict[str, Any]:
        """Return where the read cache lies, its bound, and per scope what it holds now."""
        return self.mirrors.facts()

    def clear_cache(self) -> int:
        """Delete the read cache; return the bytes freed. The next question makes it again."""
        place = self.mirrors.place
        freed = 0 if place is None else place.clear()
        return freed + storage_of(self.root).forget(self.root)


def caught_up(opened: Opened) -> str | None:
    """Bring the read cache of what is stored up to date, so that no question waits for it.

    Returns
    -------
    str or None
        What hindered that, which hinders nothing else: a question makes it, or does without.
    """
    from cimis.pipeline.catalog.database import Catalog

    failure: Exception | None
    try:
        with Catalog(opened.root) as catalog:
            scopes = [scope for scope in Scope if catalog.listed(scope)[1]]
        for scope in scopes:
            opened.mirrors.made(scope)
        failure = opened.mirrors.failure
    except CimisError as error:
        failure = error
    return None if failure is None else str(failure)
