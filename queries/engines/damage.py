"""Damaged chunks: which answers lack their rows, and whether they are still damaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.storage import storage_of
from cimis.queries.engines.instance import Damaged, Instance
from cimis.queries.engines.inventory import Named
from cimis.queries.mirror.layout import Listed, scope_of_table

__all__ = ["LeftOut", "damage_stands", "error_of", "left_out"]


class LeftOut(NamedTuple):
    """A damaged chunk, whose rows an answer lacks."""

    path: str
    damage: str


def left_out(
    instance: Instance, tables: Sequence[str], named: Named | None = None
) -> list[LeftOut]:
    """Return the damaged chunks of some tables, whose rows an answer may lack."""
    found = []
    for scope in dict.fromkeys(map(scope_of_table, tables)):
        for each in instance.damaged(scope) if instance.sees(scope) else ():
            table = "spatial_daily" if each.station is None else str(scope)
            if table in tables and (named is None or named.holds(_chunk(each))):
                found.append(LeftOut(each.path, each.damage))
    return found


def error_of(damaged: Sequence[tuple[str, str]]) -> ChunkError:
    """Return what an answer without the rows of damaged chunks ends with, as an error."""
    path, damage = damaged[0]
    more = len(damaged) - 1
    others = "" if not more else f", and {more:,} other {'chunk' if more == 1 else 'chunks'}"
    return ChunkError(
        f"{damage}; its rows{others} are left out of the answer",
        path=path,
        hint="'cimis verify' names all that is damaged; with --repair it sets them aside",
    )


def damage_stands(root: Path, instance: Instance, scopes: Sequence[Scope]) -> bool:
    """Tell whether the chunks that were found damaged are still so, as far as one can see."""
    return all(
        _stands(root, each)
        for scope in scopes
        if scope in instance.mirrors
        for each in instance.damaged(scope)
    )


def _chunk(damaged: Damaged) -> Listed:
    return Listed(*damaged[:4], 0, "", "", False)


def _stands(root: Path, damaged: Damaged) -> bool:
    """Tell whether a damaged chunk's file is still as it was when it was read."""
    try:
        standing = storage_of(root).standing(root / damaged.path)
    except OSError:
        return damaged.bytes == 0
    return standing == (damaged.bytes, damaged.changed_ns)
