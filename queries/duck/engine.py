"""The engine: an in-memory DuckDB that sees the store's views and nothing else."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow.dataset as ds

from queries.dataset import ChunkDataset
from queries.duck.sandbox import SETTINGS, allowed
from queries.duck.source import register
from queries.timing import QueryTimings

__all__ = ["Engine", "Parameters", "Seat"]

Parameters = Sequence[Any] | Mapping[str, Any]

_MOST_FREE = 4
_MOST_PARSED = 128


class Engine:
    """An in-memory DuckDB that sees the given datasets as views, and nothing else.

    Parameters
    ----------
    views : mapping of str to function
        For each view's name, what makes its dataset; called for each connection.
    unsafe : bool
        Lift the sandbox: files, network, extensions, configuration and writing statements.
    direct : bool
        Whether chunks may be handed over by :mod:`queries.duck.source`; else as public datasets.

    Notes
    -----
    Sandboxed, a question cannot read or write a file, reach the network, load an extension, see the
    caller's Python variables or change the configuration: DuckDB's external access is off and its
    configuration locked before the first question. ``temp_directory`` stays unset, so a question
    that outgrows memory fails instead of spilling to disk.
    """

    def __init__(
        self,
        views: Mapping[str, Callable[[], ds.Dataset]],
        *,
        unsafe: bool = False,
        direct: bool = True,
    ) -> None:
        self._views = views
        self._direct = direct
        self._free: list[Seat] = []
        self._parsed: dict[str, list[Any]] = {}
        self._lock = threading.Lock()
        self.unsafe = unsafe
        self._root = duckdb.connect(":memory:")
        # an open connection at exit makes the binding print leaks to standard error
        self._closing = weakref.finalize(self, self._root.close)
        self._root.execute("SET temp_directory = ''")
        if not unsafe:
            for setting in SETTINGS:
                self._root.execute(setting)

    def statements(self, seat: Seat, text: str) -> list[Any]:
        """Return the statements of a text, all allowed; those asked before are parsed already.

        Raises
        ------
        UsageError
            Where one is not allowed, or there is none.
        """
        with self._lock:
            known = self._parsed.get(text)
        if known is None:
            known = allowed(seat.connection, text, unsafe=self.unsafe)
            with self._lock:
                self._parsed[text] = known
                if len(self._parsed) > _MOST_PARSED:
                    self._parsed.pop(next(iter(self._parsed)))
        return known

    def close(self) -> None:
        """Close the database; safe to call twice."""
        self._closing()

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return a new connection with the views; the caller closes it."""
        return self._connected().connection

    def _connected(self) -> Seat:
        seat = Seat(self._root.cursor(), [make() for make in self._views.values()])
        for name, source in zip(self._views, seat.sources, strict=True):
            register(seat.connection, name, source, direct=self._direct)
        return seat

    def take(self, timings: QueryTimings) -> Seat:
        """Return a connection that no question uses: a former one, or a new one."""
        with self._lock:
            seat = self._free.pop() if self._free else None
        if seat is not None and not all(d.is_current() for d in seat.datasets()):
            seat.connection.close()
            seat = None
        seat = seat or self._connected()
        for dataset in seat.datasets():
            dataset.use(timings)
        return seat

    def give_back(self, seat: Seat) -> None:
        """Take back a connection whose question has been answered to the end."""
        with self._lock:
            if not self.unsafe and len(self._free) < _MOST_FREE:
                self._free.append(seat)
                return
        seat.connection.close()


@dataclass(frozen=True, slots=True)
class Seat:
    """A connection and the datasets that are its views."""

    connection: duckdb.DuckDBPyConnection
    sources: list[ds.Dataset]

    def datasets(self) -> list[ChunkDataset]:
        """Return those that are chunks."""
        return [source for source in self.sources if isinstance(source, ChunkDataset)]
