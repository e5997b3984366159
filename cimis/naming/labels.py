"""Station names as a column beside the numbers of an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.naming.choice import listed
from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["COLUMN", "named_batches", "named_frame", "names_of"]

COLUMN = "station_name"
_NUMBER = "station"


def names_of(root: Path) -> dict[int, str]:
    """Return the name of each station of a data directory's list.

    Raises
    ------
    NoDataError
        When the catalog has no list.
    """
    return {int(facts["number"]): str(facts.get("name") or "") for facts in listed(root)}


def named_batches(
    names: Mapping[int, str], batches: Iterable[pa.RecordBatch], schema: pa.Schema
) -> tuple[Iterator[pa.RecordBatch], pa.Schema]:
    """Return rows and their schema with the names behind the numbers.

    A number that the list does not have has no name.

    Raises
    ------
    UsageError
        Where the rows have no column of station numbers.
    """
    import pyarrow as pa

    place = _place(schema)
    field = pa.field(COLUMN, pa.string())

    def widened() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            columns = [*batch.columns]
            columns.insert(place, _looked_up(names, batch.column(_NUMBER)))
            yield pa.RecordBatch.from_arrays(columns, schema=whole)

    whole = schema.insert(place, field)
    return widened(), whole


def named_frame(root: Path, frame: Any) -> Any:
    """Return a frame with the names behind the numbers; see :func:`named_batches`.

    Of Polars or pandas; a data set of xarray has them as a coordinate already.
    """
    if hasattr(frame, "data_vars"):
        return frame
    if _NUMBER not in frame.columns:
        raise UsageError("there is no column of stations to name", hint="leave out names")
    place = list(frame.columns).index(_NUMBER) + 1
    if hasattr(frame, "insert_column"):
        import polars as pl

        names = _looked_up(names_of(root), frame[_NUMBER].to_arrow())
        return frame.insert_column(place, pl.Series(COLUMN, names, pl.String))
    import pyarrow as pa

    frame.insert(place, COLUMN, _looked_up(names_of(root), pa.array(frame[_NUMBER])).to_pandas())
    return frame


def _place(schema: pa.Schema) -> int:
    """Return where the names stand: behind the numbers, which must be there."""
    import pyarrow as pa

    number: int = schema.get_field_index(_NUMBER)
    if number < 0 or not pa.types.is_integer(schema.field(number).type):
        raise UsageError(
            "the answer has no column 'station' of numbers to name",
            hint="leave out --names, or select the column",
        )
    if COLUMN in schema.names:
        raise UsageError(f"the answer has a column '{COLUMN}' already", hint="leave out --names")
    return number + 1


def _looked_up(names: Mapping[int, str], numbers: Any) -> Any:
    """Return the name of each number, null for one that the list does not have."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pa.array(names.keys(), pa.int64())
    texts = pa.array(names.values(), pa.string())
    return texts.take(pc.index_in(numbers.cast(pa.int64()), value_set=known))
