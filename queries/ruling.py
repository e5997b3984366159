"""A flag policy applied to decoded columns: values that it rejects become missing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.items import Scope, scope_items
from pipeline.schema import item_of
from queries.quality import FlagPolicy, rejected
from queries.timing import QueryTimings
from queries.values import Doubles, Flags, Keys, Part, Scaled, missing_mark

__all__ = ["FLAG_OF", "REMOVED", "counted", "flags_needed", "ruled"]

REMOVED = "removed by the policy"

FLAG_OF = {item.column: item.flag_column for scope in Scope for item in scope_items(scope)}


def flags_needed(schema: pa.Schema, policy: FlagPolicy) -> list[str]:
    """Return the flag columns that a policy has to read for a schema's value columns."""
    if policy is FlagPolicy.KEEP:
        return []
    return [item.flag_column for field in schema if (item := item_of(field)) is not None]


def ruled(part: Part, policy: FlagPolicy) -> Part:
    """Return a part in which values that the policy rejects are missing; flags stay.

    The column `REMOVED` counts per row the values that were there before.
    """
    if policy is FlagPolicy.KEEP:
        return part
    columns = dict(part.columns)
    removed = np.zeros(part.rows, np.uint8)
    for name, column in part.columns.items():
        flags = part.columns.get(FLAG_OF.get(name, ""))
        if isinstance(column, Scaled | Doubles) and isinstance(flags, Flags):
            columns[name] = _masked(column, flags, policy, removed)
    columns[REMOVED] = Keys(removed)
    return Part(part.rows, columns)


def _masked(
    values: Scaled | Doubles, flags: Flags, policy: FlagPolicy, removed: npt.NDArray[np.uint8]
) -> Scaled | Doubles:
    """Return values of which those that the policy rejects are missing; ``removed`` counts them."""
    bad = rejected(policy, flags.letters)
    if not bad or not flags.codes.any():
        return values
    table = np.array([False, *(letter in bad for letter in flags.letters)])
    gone = table[flags.codes]
    if isinstance(values, Doubles):
        removed += gone & values.present
        return Doubles(values.values, values.present & ~gone)
    mark = values.values.dtype.type(missing_mark(values.values.dtype))
    removed += gone & (values.values != mark)
    return Scaled(np.where(gone, mark, values.values), values.decimals)


def counted(part: Part, timings: QueryTimings) -> Part:
    """Return a part without the counts that `ruled` left in it, which go to the timings."""
    column = part.columns.get(REMOVED)
    if not isinstance(column, Keys):
        return part
    timings.count(values_removed=int(column.values.sum()))
    rest = {name: column for name, column in part.columns.items() if name != REMOVED}
    return Part(part.rows, rest)
