"""Which columns of an answer are an item's own, unchanged: read out of the question's own tree.

Only what is certain is said: of a column that passes subqueries and joins as it is. What is
computed, a question of a form that is not known here, or one that makes its own text, has none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cimis.pipeline.field.items import Item, Standard, scope_items
from cimis.pipeline.field.units import english_decimals
from cimis.queries.engines.catalogued import CATALOGUED
from cimis.queries.mirror.layout import TABLES, columns_of, derived, scope_of_table
from cimis.queries.native import native

__all__ = ["Heads", "Origin", "item_heads", "origins"]

Heads = Mapping[str, Mapping[bytes, bytes]]
"""Metadata of columns by name, such as their units."""


class Origin(NamedTuple):
    """Whose values a column has: an item's of a table, or such as are ``chosen`` from several."""

    table: str
    item: Item
    chosen: bool = False


Columns = list[tuple[str, Origin | None]]
"""Names and origins of columns, in order; None where it is no item's, or that is unknown."""

_MOST_DEEP = 40


class _UnknownError(Exception):
    """The question is of a form of which nothing is said."""


def origins(connection: Any, text: str) -> list[Origin | None]:
    """Return the origin of each column of a question's answer; an empty list where none is known.

    Parameters
    ----------
    connection : duckdb connection
        Parses; it reads nothing.
    text : str
        One statement.
    """
    try:
        ((told,),) = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()
        (statement,) = json.loads(told).get("statements", ())
        found = [origin for _, origin in _of_node(statement["node"], {}, 0)]
    except (_UnknownError, KeyError, ValueError, TypeError, RecursionError, native().Error):
        return []
    return found if any(found) else []


def item_heads(
    columns: Sequence[Origin | None],
    stored: Mapping[str, Mapping[str, tuple[int, str]]],
    units: Standard,
) -> list[dict[bytes, bytes]]:
    """Return the metadata of columns: unit, symbol and usual decimals of those that are an item's.

    Parameters
    ----------
    columns : sequence of Origin or None
    stored : mapping
        Decimals and unit of what is stored, by table and item's code.
    units : Standard
    """
    made = []
    for origin in columns:
        if origin is None:
            made.append(dict[bytes, bytes]())
            continue
        table, item, chosen = origin
        decimals = stored.get(table, {}).get(item.code, (item.decimals_metric, ""))[0]
        if units is Standard.ENGLISH and item.quantity.ratio is not None:
            decimals = english_decimals(item, decimals)
        made.append(
            ({} if chosen else {b"item": item.code.encode()})
            | {
                b"decimals": b"%d" % decimals,
                b"unit": item.unit(units).encode(),
                b"symbol": item.symbol(units).encode(),
            }
        )
    return made


def _of_table(name: str) -> Columns:
    """Return the columns of a view; the reference ET is of the items of which it is chosen."""
    if name in CATALOGUED:
        return [(column, None) for column in CATALOGUED[name]]
    if not any(name in names for names in TABLES.values()):
        raise _UnknownError
    items = {item.column: item for item in scope_items(scope_of_table(name))}
    known = {column: Origin(name, item) for column, item in items.items()}
    known["reference_eto"] = Origin(name, items["asce_eto"], chosen=True)
    return [(column, known.get(column)) for column in (*columns_of(name), *derived())]


def _of_node(node: Mapping[str, Any], known: Mapping[str, Columns], depth: int) -> Columns:
    """Return the columns of a SELECT, or of several set together."""
    if depth > _MOST_DEEP:
        raise _UnknownError
    named = dict(known)
    for entry in node["cte_map"]["map"]:
        if entry["value"]["aliases"]:
            raise _UnknownError
        named[entry["key"].lower()] = _of_node(entry["value"]["query_node"], named, depth + 1)
    if node["type"] == "SET_OPERATION_NODE":
        sides = _sides(node, named, depth)
        return [
            (first[0], first[1] if all(c[1] == first[1] for c in rest) else None)
            for first, *rest in zip(*sides, strict=True)
        ]
    if node["type"] != "SELECT_NODE":
        raise _UnknownError
    sources, merged = _sources(node["from_table"], named, depth)
    found: Columns = []
    for entry in node["select_list"]:
        found += _of_entry(entry, sources, merged)
    return found


def _sides(node: Mapping[str, Any], known: Mapping[str, Columns], depth: int) -> list[Columns]:
    """Return the columns of each question that a UNION, EXCEPT or INTERSECT sets together."""
    if node.get("setop_by_name") or str(node.get("setop_type", "")).endswith("BY_NAME"):
        raise _UnknownError
    parts = node["children"] if "children" in node else [node["left"], node["right"]]
    return [_of_node(part, known, depth + 1) for part in parts]


Sources = list[tuple[str, Columns]]


def _sources(
    part: Mapping[str, Any], known: Mapping[str, Columns], depth: int
) -> tuple[Sources, set[str]]:
    """Return what a FROM clause names, and the columns that USING makes one of both sides."""
    kind = part["type"]
    if kind == "EMPTY":
        return [], set()
    if part.get("column_name_alias") or depth > _MOST_DEEP:
        raise _UnknownError
    if kind == "BASE_TABLE":
        name = part["table_name"].lower()
        if part["schema_name"] or part["catalog_name"] or part.get("at_clause"):
            raise _UnknownError
        columns = known[name] if name in known else _of_table(name)
        return [((part["alias"] or name).lower(), columns)], set()
    if kind == "SUBQUERY":
        return [
            (part["alias"].lower(), _of_node(part["subquery"]["node"], known, depth + 1))
        ], set()
    if kind == "JOIN" and part["ref_type"] in ("REGULAR", "CROSS", "ASOF"):
        if part["join_type"] not in ("INNER", "LEFT", "RIGHT", "OUTER"):
            raise _UnknownError
        left, before = _sources(part["left"], known, depth + 1)
        right, after = _sources(part["right"], known, depth + 1)
        return left + right, before | after | {name.lower() for name in part["using_columns"]}
    raise _UnknownError


def _of_entry(entry: Mapping[str, Any], sources: Sources, merged: set[str]) -> Columns:
    """Return the columns that one entry of a SELECT list gives."""
    if entry["class"] == "STAR":
        return _of_star(entry, sources, merged)
    if entry["class"] != "COLUMN_REF":
        if entry["class"] == "FUNCTION" and entry.get("function_name") in ("unnest", "columns"):
            raise _UnknownError  # it may give several columns
        return [(entry["alias"], None)]
    *of, name = (part.lower() for part in entry["column_names"])
    places = [columns for alias, columns in sources if not of or [alias] == of]
    origin = next((o for columns in places for n, o in columns if n.lower() == name), None)
    return [(entry["alias"] or entry["column_names"][-1], origin)]


def _of_star(entry: Mapping[str, Any], sources: Sources, merged: set[str]) -> Columns:
    """Return the columns of ``*`` or ``table.*``, of which some may be left out or replaced."""
    odd = ("columns", "expr", "rename_list", "qualified_exclude_list")
    if any(entry.get(name) for name in odd):
        raise _UnknownError
    of = entry["relation_name"].lower()
    left_out = {str(name).lower() for name in entry["exclude_list"]}
    replaced = {str(each["key"]).lower() for each in entry["replace_list"]}
    found: Columns = []
    given: set[str] = set()
    for alias, columns in sources:
        if of not in ("", alias):
            continue
        for name, origin in columns:
            low = name.lower()
            if low in left_out or (not of and low in merged and low in given):
                continue
            given.add(low)
            found.append((name, None if low in replaced else origin))
    return found
