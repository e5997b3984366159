"""What a mirror's file holds: its tables, their columns, and what it knows of its chunks.

One file per scope, a DuckDB database. In its schema ``main`` lie the rows as users see them, one
table of stations and, for daily records, one of spatial targets: keys, then for every item of the
scope its value (null where nothing is stored) and its flag. In ``facts`` lie the chunks that the
rows came from, known by checksum, and what was found of their columns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cimis.pipeline.field.items import Item, Scope, scope_items
from cimis.pipeline.field.site import SiteKind
from cimis.queries.quality import FlagPolicy, severe_flags

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "FACTS",
    "LAYOUT",
    "TABLES",
    "Listed",
    "arrow_schema",
    "columns_of",
    "create",
    "derived",
    "items_in",
    "keys_of",
    "kind_of_table",
    "ruled",
    "scope_of_table",
    "selected",
    "stored_columns",
    "table_of",
]

LAYOUT = 1
"""Counts changes of this module's tables; a mirror of another layout is made anew."""

TABLES: dict[Scope, tuple[str, ...]] = {
    Scope.DAILY: ("daily", "spatial_daily"),
    Scope.HOURLY: ("hourly",),
}
"""The tables of rows in a scope's mirror: that of stations first."""

_KEYS = {
    "daily": {"station": "USMALLINT", "date": "DATE"},
    "spatial_daily": {"target": "VARCHAR", "date": "DATE"},
    "hourly": {
        "station": "USMALLINT",
        "time": "TIMESTAMP_S",
        "date": "DATE",
        "hour": "UTINYINT",
    },
}
_CHOICE = ("asce_eto", "eto")
"""Which reference ET counts first; both daily and hourly records have the two."""

FACTS = """
create schema facts;
create table facts.held (
    path varchar, station usmallint, target varchar, year integer, checksum varchar, read varchar,
    rows bigint, damage varchar, bytes bigint, changed_ns bigint
);
create table facts.stored (tab varchar, code varchar, decimals integer, unit varchar);
create table facts.shape (tab varchar, code varchar);
create table facts.meta (key varchar, value bigint);
"""
"""``held``: every chunk that the catalog named, with the checksum that it named and that of the
bytes that were read; of a damaged one the damage, and how its file stood then. ``stored``: per
table the columns that some chunk has. ``shape``: the items whose columns take room, in each table.
``meta``: numbers of the whole file."""


class Listed(NamedTuple):
    """A chunk as the catalog names it."""

    path: str
    station: int | None
    target: str | None
    year: int
    rows: int
    checksum: str
    items: str
    open: bool

    @property
    def kind(self) -> SiteKind:
        """Whether it is a station's or a target's."""
        return SiteKind.TARGET if self.station is None else SiteKind.STATION


def scope_of_table(table: str) -> Scope:
    """Return the scope in whose mirror a table lies."""
    return next(scope for scope, names in TABLES.items() if table in names)


def kind_of_table(table: str) -> SiteKind:
    """Return whether a table's rows are of stations or of spatial targets."""
    return SiteKind(next(iter(_KEYS[table])))


def table_of(scope: Scope, kind: SiteKind) -> str:
    """Return the table that has the rows of chunks of a scope and kind."""
    return "spatial_daily" if kind is SiteKind.TARGET else TABLES[scope][0]


def keys_of(table: str) -> tuple[str, ...]:
    """Return the names of a table's key columns."""
    return tuple(_KEYS[table])


def columns_of(table: str) -> list[str]:
    """Return the names of the columns of rows, without those that follow from others."""
    names = list(_KEYS[table])
    for item in scope_items(scope_of_table(table)):
        names += [item.column, item.flag_column]
    return names


def arrow_schema(
    table: str, items: Iterable[Item], stored: Mapping[str, tuple[int, str]] | None = None
) -> pa.Schema:
    """Return the Arrow schema of a table's keys and of items with their flags, which are strings.

    ``stored`` has by code the decimals and unit of what is stored; by default the registry's count.
    """
    known = stored or {}
    return _schema(table, tuple((item, known.get(item.code)) for item in items))


@lru_cache(256)
def _schema(table: str, items: tuple[tuple[Item, tuple[int, str] | None], ...]) -> pa.Schema:
    """Return the schema of items, each with decimals and unit, or None for the registry's."""
    import pyarrow as pa

    from cimis.pipeline.rows.schema import TARGET_FIELD, physical_schema

    known = {item.code: facts for item, facts in items if facts is not None}
    made = physical_schema(
        scope_of_table(table),
        tuple(item for item, _ in items),
        decimals={code: decimals for code, (decimals, _) in known.items()},
        units={code: unit for code, (_, unit) in known.items()},
    )
    fields = [f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in made]
    if kind_of_table(table) is SiteKind.TARGET:
        fields[0] = TARGET_FIELD
    return pa.schema(fields, metadata=made.metadata)


def create(table: str, codes: Collection[str], *, schema: str = "") -> str:
    """Return the statement that makes a table of rows, empty.

    Parameters
    ----------
    table : str
    codes : collection of str
        Items that its chunks have. The columns of the others are null, and take no room, nor does
        what is computed from others.
    schema : str
        Where to make it, with the dot.
    """
    columns = [f"{name} {kind}" for name, kind in _KEYS[table].items()]
    for item in scope_items(scope_of_table(table)):
        for name, kind in ((item.column, "DOUBLE"), (item.flag_column, "VARCHAR")):
            nothing = "" if item.code in codes else f" GENERATED ALWAYS AS (NULL::{kind}) VIRTUAL"
            columns.append(f"{name} {kind}{nothing}")
    for name, (kind, made) in derived().items():
        columns.append(f"{name} {kind} GENERATED ALWAYS AS ({made}) VIRTUAL")
    return f"CREATE TABLE {schema}{table} ({', '.join(columns)})"


def items_in(table: str, chunks: Iterable[Listed]) -> set[str]:
    """Return the codes of the items that chunks of a table have, as the catalog says."""
    kind = kind_of_table(table)
    texts = {chunk.items for chunk in chunks if chunk.kind is kind}
    return {code for text in texts for code in text.split(",") if code}


def stored_columns(table: str, codes: Collection[str]) -> list[str]:
    """Return the names of the columns that take room: keys, values and flags of some items."""
    names = list(_KEYS[table])
    for item in scope_items(scope_of_table(table)):
        names += [item.column, item.flag_column] if item.code in codes else []
    return names


def derived(values: Mapping[str, str] | None = None) -> dict[str, tuple[str, str]]:
    """Return what follows from other columns, as type and SQL by name: the reference ET there is.

    ``values`` has by column the SQL that stands for it; by default its name.
    """
    chosen = {name: (values or {}).get(name, name) for name in _CHOICE}
    whens = " ".join(f"WHEN {value} IS NOT NULL THEN '{name}'" for name, value in chosen.items())
    return {
        "reference_eto": ("DOUBLE", f"coalesce({', '.join(chosen.values())})"),
        "reference_eto_source": ("VARCHAR", f"CASE {whens} END"),
    }


def ruled(item: Item, policy: FlagPolicy) -> str:
    """Return an item's value as a flag policy lets it through, as SQL."""
    if policy is FlagPolicy.KEEP:
        return item.column
    if policy is FlagPolicy.STRICT:
        return f"CASE WHEN {item.flag_column} IS NULL THEN {item.column} END"
    letters = ", ".join(f"'{letter}'" for letter in sorted(severe_flags()))
    fine = f"{item.flag_column} IS NULL OR {item.flag_column} NOT IN ({letters})"
    return f"CASE WHEN {fine} THEN {item.column} END"


def selected(table: str, items: Iterable[Item], policy: FlagPolicy) -> str:
    """Return a list of keys and items for a SELECT, under a flag policy."""
    names = list(_KEYS[table])
    for item in items:
        value = ruled(item, policy)
        names.append(value if value == item.column else f"{value} AS {item.column}")
        names.append(item.flag_column)
    return ", ".join(names)
