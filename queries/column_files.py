"""One file per column while a column cache is being written, widened as its values need."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from queries.columns import SEGMENT_ROWS
from queries.values import Scaled, missing_mark, rescaled

__all__ = ["ColumnFile", "ValueFile"]

_KINDS = ("<i2", "<i4", "<i8")


class ColumnFile:
    """One column being written."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self.kind = kind
        self._stream: IO[bytes] = path.open("wb")

    def append(self, values: Any) -> None:
        """Append numbers in the file's type."""
        self._stream.write(np.ascontiguousarray(values, self.kind).data)

    def abandon(self) -> None:
        """Close the file as it is, also where the disk takes no more."""
        with suppress(OSError):
            self._stream.close()

    def close(self) -> list[int]:
        """Bring the file to disk; return a CRC-32 per segment."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        data = np.fromfile(self.path, self.kind)
        return [
            zlib.crc32(data[at : at + SEGMENT_ROWS].data)
            for at in range(0, len(data), SEGMENT_ROWS)
        ]


class ValueFile(ColumnFile):
    """A value column being written: rewritten when a value needs a wider type or more decimals."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _KINDS[0])
        self.decimals = 0
        self._low = self._high = 0

    def put(self, column: Scaled) -> None:
        """Append values of any width and decimals."""
        decimals = max(self.decimals, column.decimals)
        factor = 10 ** (decimals - self.decimals)
        values = rescaled(column, decimals)
        seen = values[values != missing_mark(np.dtype(np.int64))]
        low = min(self._low * factor, int(seen.min(initial=0)))
        high = max(self._high * factor, int(seen.max(initial=0)))
        kind = next(
            k for k in _KINDS if low > missing_mark(np.dtype(k)) and high <= np.iinfo(k).max
        )
        if kind != self.kind or factor != 1:
            self._rewrite(kind, decimals)
        self._low, self._high = low, high
        self.append(_narrowed(values, kind))

    def _rewrite(self, kind: str, decimals: int) -> None:
        self._stream.close()
        old = Scaled(np.fromfile(self.path, self.kind), self.decimals)
        self.kind, values = kind, rescaled(old, decimals)
        self.decimals = decimals
        self._stream = self.path.open("wb")
        self.append(_narrowed(values, kind))


def _narrowed(values: Any, kind: str) -> Any:
    """Return int64 values in a narrower type, missing marks in its own form."""
    if kind == "<i8":
        return values
    made = values.astype(kind)
    made[values == missing_mark(np.dtype(np.int64))] = missing_mark(np.dtype(kind))
    return made
