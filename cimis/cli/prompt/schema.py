"""What the views are and hold, for the prompt's lists and its completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cimis.queries.conversion import standard
from cimis.queries.mirror.layout import TABLES, scope_of_table

if TYPE_CHECKING:
    from cimis.store import Store

__all__ = ["VIEWS", "columns_of_view", "kinds_of"]

VIEWS = {
    "daily": "records of stations, one a day",
    "hourly": "records of stations, one an hour",
    "spatial_daily": "records of zip codes, coordinates and addresses, one a day",
    "stations": "the network's stations, as the service lists them",
    "chunks": "the files in which the records are stored",
}
"""Names and what they hold."""


def kinds_of(store: Store, view: str) -> list[tuple[str, str]]:
    """Return names and types of a view's columns."""
    found = store.sql(f"SELECT column_name, column_type FROM (DESCRIBE {view})").fetchall()
    return [(str(name), str(kind)) for name, kind in found]


def columns_of_view(
    view: str, kinds: list[tuple[str, str]], units: str
) -> list[tuple[str, str, str, str]]:
    """Return name, type, unit and meaning of each column; what is no item has neither of these."""
    from cimis.pipeline.field.items import scope_items

    known = any(view in names for names in TABLES.values())
    items = {i.column: i for i in scope_items(scope_of_table(view))} if known else {}
    system = standard(units)
    rows = []
    for name, kind in kinds:
        item = items.get(name)
        unit, told = "", ""
        if item is not None:
            unit, told = item.symbol(system), item.description
        elif name == "reference_eto":
            unit, told = items["asce_eto"].symbol(system), "asce_eto, else eto"
        elif name.removesuffix("_qc") in items:
            told = f"flag of {name.removesuffix('_qc')}"
        rows.append((name, kind.lower(), unit, told))
    return rows
