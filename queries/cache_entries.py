"""A chunk's column as the bytes of a cache entry, and back."""

from __future__ import annotations

import json

import numpy as np

from queries.values import Column, Doubles, Flags, Keys, Scaled

__all__ = ["Kept", "packed", "unpacked"]

Kept = tuple[int, Column | None]
"""A chunk's number of rows and one of its columns; None for a column that it lacks."""


def packed(rows: int, column: Column | None) -> bytes:
    """Return a column as bytes: a line of JSON that says what it is, then its numbers."""
    facts: dict[str, object] = {"rows": rows}
    pieces: list[bytes] = []
    match column:
        case Scaled(values, decimals):
            facts |= {"kind": "scaled", "type": values.dtype.str, "decimals": decimals}
            pieces = [values.tobytes()]
        case Doubles(values, present):
            facts |= {"kind": "doubles"}
            pieces = [values.tobytes(), present.tobytes()]
        case Flags(codes, letters):
            facts |= {"kind": "flags", "letters": letters}
            pieces = [codes.tobytes()] if codes.any() else []
        case Keys(values):
            facts |= {"kind": "keys", "type": values.dtype.str}
            pieces = [values.tobytes()]
    return b"".join([json.dumps(facts).encode(), b"\n", *pieces])


def unpacked(data: bytes) -> Kept:
    """Return what `packed` made bytes of."""
    head, _, rest = data.partition(b"\n")
    facts = json.loads(head)
    rows = int(facts["rows"])
    match facts.get("kind"):
        case "scaled":
            return rows, Scaled(np.frombuffer(rest, facts["type"]), facts["decimals"])
        case "doubles":
            return rows, Doubles(
                np.frombuffer(rest, np.float64, count=rows),
                np.frombuffer(rest, np.bool_, offset=rows * 8),
            )
        case "flags":
            codes = np.frombuffer(rest, np.uint8) if rest else np.zeros(rows, np.uint8)
            return rows, Flags(codes, tuple(facts["letters"]))
        case "keys":
            return rows, Keys(np.frombuffer(rest, facts["type"]))
    return rows, None
