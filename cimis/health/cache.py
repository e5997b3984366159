"""The read cache: where it lies, how much it takes, and whether it holds what is stored now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.health.finding import Finding, Mark
from cimis.health.store import room_line
from cimis.pipeline.field.items import Scope
from cimis.pipeline.markup import sized

if TYPE_CHECKING:
    from cimis.queries.mirror.mirrors import Keeping

__all__ = ["cache_lines"]

_TOPIC = "cache"


def cache_lines(root: Path, keeping: Keeping) -> Iterator[Finding]:
    """Tell of the read cache of a data directory."""
    from cimis.pipeline.catalog.database import CATALOG_FILE, Catalog
    from cimis.queries.mirror.mirrors import Mirrors

    if keeping.limit_bytes == 0:
        told, do = (
            "none is kept, as its bound is 0",
            "set CIMIS_CACHE, as 2GB, for faster questions",
        )
        yield Finding(_TOPIC, "place", Mark.WARNING, told, do, {"limit_bytes": 0})
        return
    if not (root / CATALOG_FILE).is_file():
        told = "none without a data directory"
        yield Finding(_TOPIC, "place", Mark.SKIPPED, told)
        return
    with Catalog(root) as catalog:
        mirrors = Mirrors(root, catalog, keeping)
        facts = mirrors.facts()
        stored = {scope: bool(catalog.listed(scope)[1]) for scope in Scope}
        fits = {scope: mirrors.fits(scope) for scope in Scope}
    if mirrors.place is None:
        told = "there is nowhere to write it: each question reads the chunks"
        do = "name a folder in CIMIS_CACHE_DIR"
        yield Finding(_TOPIC, "place", Mark.WARNING, told, do, facts)
        return
    yield from _place(mirrors.place.folder, facts)
    for scope in Scope:
        if stored[scope]:
            yield _state(scope, bool(facts[f"{scope}_current"]), fits=fits[scope])


def _place(folder: Path, facts: dict[str, object]) -> Iterator[Finding]:
    import os

    near = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    bound = facts["limit_bytes"]
    size = sized(int(str(facts["bytes"])))
    told = f"'{folder}' holds {size}" + (f" of at most {sized(int(str(bound)))}" if bound else "")
    if os.access(near, os.W_OK | os.X_OK):
        yield Finding(_TOPIC, "place", Mark.OK, told, facts=facts)
        yield room_line(_TOPIC, near)
        return
    do = "name a folder in CIMIS_CACHE_DIR that you may write to"
    yield Finding(_TOPIC, "place", Mark.WARNING, f"{told}, and may not be written", do, facts)


def _state(scope: Scope, current: bool, *, fits: bool) -> Finding:
    facts = {"current": current, "fits": fits}
    if current:
        return Finding(_TOPIC, scope.value, Mark.OK, f"{scope} rows: up to date", facts=facts)
    if not fits:
        told = f"{scope} rows: larger than the bound, so each question reads the chunks"
        return Finding(_TOPIC, scope.value, Mark.WARNING, told, "raise CIMIS_CACHE", facts)
    told = f"{scope} rows: to be made by the next question over all"
    return Finding(_TOPIC, scope.value, Mark.OK, told, "'cimis compact' makes it now", facts)
