"""How rows of a mirror are seen: under which flag policy, and in which system of units."""

from __future__ import annotations

from typing import NamedTuple

from cimis.pipeline.field.items import Standard, scope_items
from cimis.queries.conversion import converted_sql
from cimis.queries.mirror.layout import columns_of, derived, ruled, scope_of_table
from cimis.queries.quality import FlagPolicy

__all__ = ["Sight"]


class Sight(NamedTuple):
    """A flag policy and a system of units; by default the rows as they lie there."""

    policy: FlagPolicy = FlagPolicy.KEEP
    units: Standard = Standard.METRIC

    @property
    def schema(self) -> str | None:
        """The name of the schema of its views; None where the rows are seen as they lie there."""
        if self == Sight():
            return None
        return f"{self.policy.value.replace('-', '_')}_{self.units}"

    def view(self, table: str, source: str) -> str:
        """Return a query over a table of rows that looks like it, seen so."""
        items = {item.column: item for item in scope_items(scope_of_table(table))}
        values = {name: ruled(item, self.policy) for name, item in items.items()}
        made = {name: text for name, (_, text) in derived(values).items()}
        if self.units is Standard.ENGLISH:
            values = {name: converted_sql(items[name], value) for name, value in values.items()}
            made["reference_eto"] = converted_sql(items["asce_eto"], made["reference_eto"])
        columns = {name: values.get(name, name) for name in columns_of(table)} | made
        listed = [name if text == name else f"{text} AS {name}" for name, text in columns.items()]
        return f"SELECT {', '.join(listed)} FROM {source}"
