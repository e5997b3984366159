"""Answers as pandas frames: days and times as datetime64, flags as categories, units beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cimis.queries.export.heads import units_of
from cimis.queries.labelled.facts import needed

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["pandas_frame"]


def pandas_frame(table: pa.Table, facts: Mapping[str, str]) -> Any:
    """Return a table as a :class:`pandas.DataFrame`.

    Parameters
    ----------
    table : pyarrow.Table
        Columns ending in ``_qc`` are flags.
    facts : mapping of str to str
        Go into the frame's ``attrs``.

    Returns
    -------
    pandas.DataFrame
        In the table's order, rows numbered. Days and times are ``datetime64``, times without a
        zone in Pacific standard time; flags are categories, missing where a value passed; numbers
        are float64 with NaN where missing, whole ones integers where none is missing.
        ``attrs["units"]`` holds the units by column as people write them.

    Raises
    ------
    UsageError
        Where pandas is not installed.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    needed("pandas")
    columns = [
        pc.dictionary_encode(column)
        if field.name.endswith("_qc") and pa.types.is_string(field.type)
        else column
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    plain = pa.table(columns, names=table.schema.names).unify_dictionaries()
    frame = plain.to_pandas(date_as_object=False)
    frame.attrs = {"units": units_of(table.schema), **facts}
    return frame
