"""Many V1 files decoded together: their records are one array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from cimis.pipeline.chunks.bulk.physical import Form, Together, key_arrays, value_array
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.v1 import codec as v1
from cimis.pipeline.chunks.v1.records import EPOCH, Records, unpack
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import times_of_year
from cimis.pipeline.rows.arrays import flag_array
from cimis.pipeline.rows.numbers import Ints

__all__ = ["decode_records"]


def decode_records(
    datas: Sequence[bytes], keys: Sequence[ChunkKey], files: Ints, form: Form, batch_rows: int
) -> Iterator[Together]:
    """Yield the rows of those V1 files that are sound and of their keys.

    Parameters
    ----------
    datas, keys : sequences of bytes and ChunkKey
        Of one scope and kind.
    files : int64 array
        Places of those that are V1 files.
    form : Form
    batch_rows : int
        Rows of a table, or one file more.
    """
    found: list[tuple[int, Records]] = []
    held = 0
    for file in files.tolist():
        key = keys[file]
        try:
            records = unpack(datas[file], key.scope)
        except ChunkError:
            continue
        if _is_of(records, key):
            found.append((file, records))
            held += records.size
        if held >= batch_rows:
            yield _table(found, keys, form)
            found, held = [], 0
    if found:
        yield _table(found, keys, form)


def _is_of(records: Records, key: ChunkKey) -> bool:
    """Tell whether records are of a key's station and year."""
    if key.station is None or not bool((records["station"] == key.station).all()):
        return False
    first, last = times_of_year(key.scope, key.year)
    times = _times(records, key.scope)
    return times.size == 0 or bool(first <= times.min() <= times.max() <= last)


def _times(records: Records, scope: Scope) -> Ints:
    """Return records' times in days, or ends of hours, since 1970."""
    return records["time"].astype(np.int64) + EPOCH[scope]


def _table(found: Sequence[tuple[int, Records]], keys: Sequence[ChunkKey], form: Form) -> Together:
    """Return the rows of some files."""
    numbers = np.array([file for file, _ in found], np.int64)
    rows = np.array([records.size for _, records in found], np.int64)
    records = np.concatenate([each for _, each in found])
    scope = keys[0].scope
    times = _times(records, scope)
    given = key_arrays([keys[file] for file in numbers.tolist()], rows, times)
    arrays = dict(zip(form.schema.names, given, strict=False))
    letters = pa.array([v1.FLAG], pa.string())
    for one in v1.measured(records, scope):
        arrays[one.item.column] = value_array(one.numbers / 10.0**one.decimals, one.missing)
        arrays[one.item.flag_column] = flag_array(one.flagged.astype(np.uint8), letters)
    columns = [v1.columns_of(scope)] * len(found)
    return Together(numbers, rows, columns, form.table(arrays, records.size))
