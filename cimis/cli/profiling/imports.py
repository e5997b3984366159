"""How long the imports of a command take, by package."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["ImportClock", "timed_imports"]


class ImportClock:
    """Seconds of what was imported while it runs, each module's own without those it imports.

    Attributes
    ----------
    modules : int
        How many were imported.
    by_package : dict
        Seconds by top-level package; their sum is the time of all imports.
    """

    def __init__(self) -> None:
        self.modules = 0
        self.by_package: dict[str, float] = defaultdict(float)
        self._inner: list[float] = []

    @property
    def seconds(self) -> float:
        """Of all imports."""
        return sum(self.by_package.values())

    def run(self, loader: Any, module: ModuleType) -> None:
        """Execute a module, and add its own time to its package's."""
        self._inner.append(0.0)
        began = time.perf_counter()
        try:
            loader.exec_module(module)
        finally:
            whole = time.perf_counter() - began
            own = whole - self._inner.pop()
            if self._inner:
                self._inner[-1] += whole
            self.modules += 1
            self.by_package[module.__name__.partition(".")[0]] += own


class _Timed(Loader):
    """A module's loader with a clock, which leaves nothing of itself in the module."""

    def __init__(self, loader: Any, clock: ImportClock) -> None:
        self._loader = loader
        self._clock = clock

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        spec.loader = self._loader
        made: ModuleType | None = self._loader.create_module(spec)
        spec.loader = self
        return made

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._clock.run(self._loader, module)


class _Finder(MetaPathFinder):
    """Asks the other finders, and puts a clock around the loader of what they find."""

    def __init__(self, clock: ImportClock) -> None:
        self._clock = clock

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec: ModuleSpec | None = finder.find_spec(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module") and hasattr(spec.loader, "create_module"):
                    spec.loader = _Timed(spec.loader, self._clock)
                return spec
        return None


@contextmanager
def timed_imports() -> Iterator[ImportClock]:
    """Measure the imports of the main thread inside the block."""
    clock = ImportClock()
    finder = _Finder(clock)
    sys.meta_path.insert(0, finder)
    try:
        yield clock
    finally:
        sys.meta_path.remove(finder)
