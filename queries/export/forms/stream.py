"""What the forms of rows have in common: a stream that counts, and what a writer does."""

from __future__ import annotations

from contextlib import ExitStack
from typing import IO, NamedTuple, Protocol

import pyarrow as pa

from cimis.queries.export.about import About

__all__ = ["Counted", "Heading", "Writer"]


class Heading(NamedTuple):
    """What a form says beside the rows.

    Parameters
    ----------
    units : bool
        Whether the head of a text format says units; forms for people say them always.
    about : About
        What the rows are an answer to, for forms that explain themselves.
    """

    units: bool = False
    about: About = About()


class Writer(Protocol):
    """Writes rows in one form."""

    def batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""
        ...

    def close(self) -> None:
        """Write what ends the form."""
        ...


class Counted:
    """A stream that counts the bytes written to it and leaves closing to its owner.

    Once ``abandoned`` it takes no more: pyarrow ends a Parquet file when its writer is collected,
    which would make an answer that broke off look whole. What a form holds besides, such as
    temporary files, is ``held``, and let go by whoever made the stream.
    """

    closed = False
    abandoned = False

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.size = 0
        self.held = ExitStack()

    def write(self, data: bytes) -> int:
        """Write bytes, and count them."""
        if self.abandoned:
            return len(data)
        self._stream.write(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self.size

    def flush(self) -> None:
        """Hand over what is buffered."""
        if not self.abandoned:
            self._stream.flush()

    def close(self) -> None:
        """Hand over what is buffered; the owner closes."""
        self._stream.flush()

    def readable(self) -> bool:
        """Tell that it is not for reading."""
        return False

    def writable(self) -> bool:
        """Tell that it is for writing."""
        return True

    def seekable(self) -> bool:
        """Tell that it has no places."""
        return False
