"""Keep one object per thread: contexts of zstd are costly to make and must not be shared."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

__all__ = ["per_thread"]

T = TypeVar("T")


def per_thread(make: Callable[[], T]) -> Callable[[], T]:
    """Return a function that makes its object once in each thread and then gives it again."""
    kept = threading.local()

    @wraps(make)
    def get() -> T:
        try:
            found: T = kept.made
        except AttributeError:
            found = kept.made = make()
        return found

    return get
