"""Single stages for users: decode a body, read and write a chunk, in the units that people use."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cimis.arguments import Items, items_of, path_of, scope_of
from cimis.lacking import warn_of
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope, Standard
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.pipeline.chunks import ChunkInfo
    from cimis.pipeline.decode.records import KeyKind

__all__ = ["decode", "read_chunk", "write_chunk"]


def decode(
    pieces: bytes | Iterable[bytes],
    *,
    scope: Scope | str,
    items: Items | None = None,
    standard: Standard | str = Standard.METRIC,
    key: KeyKind = "station",
    scaled: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Decode a body of the API, given in pieces of any size, to RecordBatches.

    Parameters
    ----------
    pieces : iterable of bytes, or bytes
        The body's JSON, already decompressed.
    scope : {"daily", "hourly"}
    items : str or iterable of str, optional
        The columns; None takes the items found in the body.
    standard : {"metric", "english"}
        The system of units that the records must be in.
    key : {"station", "target"}
        ``"target"`` for spatial data: a text column ``target`` takes the place of ``station``.
    scaled : bool
        Values as the pipeline has them: integers, each the decimal text without its point, of the
        width and decimals that the batch needs; the field's metadata tell the ``decimals``.

    Yields
    ------
    pyarrow.RecordBatch
        Up to 16,384 records each, in the body's order, with the columns of `read_chunk`. Batches
        come before the body is proven whole.

    Raises
    ------
    DecodeError
        When the body is not what the API sends; the message says where and what.

    Examples
    --------
    >>> import cimis
    >>> body = b'{"Data":{"Providers":[{"Name":"cimis","Type":"station","Records":[]}]}}'
    >>> list(cimis.decode([body], scope="daily"))
    []
    """
    from cimis.pipeline import decode as decoding
    from cimis.queries.conversion import standard as units_of

    if isinstance(pieces, bytes):
        pieces = [pieces]
    if key not in ("station", "target"):
        raise UsageError(f"unknown key '{key}'", hint="choose station or target")
    kind = scope_of(scope)
    named = items_of(items, kind)
    batches = decoding.decode(pieces, scope=kind, items=named, standard=units_of(standard), key=key)
    return batches if scaled else map(_physical, batches)


def _physical(batch: pa.RecordBatch) -> pa.RecordBatch:
    import pyarrow as pa

    from cimis.pipeline.rows.values import to_physical

    (whole,) = to_physical(pa.Table.from_batches([batch])).to_batches() or [None]
    return batch if whole is None else whole


def read_chunk(
    path: str | os.PathLike[str],
    *,
    columns: str | Iterable[str] | None = None,
    scaled: bool = False,
) -> pa.Table:
    """Return the rows of one chunk file, V1 or V2.

    Parameters
    ----------
    path : path
    columns : sequence of str, optional
        Names of columns, flags (``NAME_qc``) too; by default all.
    scaled : bool
        Values as they are stored: integers, with the ``decimals`` in the field's metadata.

    Returns
    -------
    pyarrow.Table
        Keys, and per item its value (float64, missing is null) and its flag (passed is null).

    Raises
    ------
    UsageError
        For a name that no column has.
    ChunkError
        For a damaged chunk; the message says where and what.

    Warns
    -----
    IncompleteAnswer
        When the chunk does not hold a column that is named.
    """
    from cimis.pipeline import chunks

    read = chunks.read_scaled if scaled else chunks.read_chunk
    names = None if columns is None else _columns(columns)
    table = read(path_of(path), columns=names)
    absent = tuple(name for name in names or () if name not in table.schema.names)
    warn_of(Lacks(items=absent))
    return table


def _columns(columns: str | Iterable[str]) -> list[str]:
    from cimis.pipeline.field.items import scope_items
    from cimis.pipeline.rows.schema import KEY_FIELDS, TARGET_FIELD

    try:
        names = columns.split(",") if isinstance(columns, str) else list(columns)
    except TypeError:
        raise UsageError(f"{columns!r} names no columns", hint="give a list of names") from None
    known = {TARGET_FIELD.name, *(f.name for fields in KEY_FIELDS.values() for f in fields)}
    for item in (item for scope in Scope for item in scope_items(scope)):
        known |= {item.column, item.flag_column}
    wrong = next((name for name in names if name not in known), None)
    if wrong is not None:
        raise UsageError(f"no column is named {wrong!r}", hint="see 'cimis items'")
    return names


def write_chunk(path: str | os.PathLike[str], table: Any, *, format: str = "v2") -> ChunkInfo:  # noqa: A002 -- the option's name everywhere
    """Write one station's year of one scope; see :func:`cimis.pipeline.chunks.write_chunk`."""
    from cimis.pipeline import chunks

    return chunks.write_chunk(path_of(path), table, format=format)
