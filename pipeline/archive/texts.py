"""The cells of an archive's CSV without its header, as texts."""

from __future__ import annotations

import pyarrow as pa
from pyarrow import csv

__all__ = ["cells_of"]


def cells_of(data: bytes, width: int) -> list[pa.Array]:
    """Return a CSV's columns as strings, an empty cell as "".

    Parameters
    ----------
    data : bytes
        Rows in Latin-1, without a header.
    width : int
        The columns of every row.

    Raises
    ------
    pyarrow.ArrowInvalid
        Where a row has another number of columns.
    """
    names = [f"f{number}" for number in range(width)]
    table = csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(column_names=names, encoding="latin1"),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    ).combine_chunks()
    return [column.chunk(0) for column in table.columns]
