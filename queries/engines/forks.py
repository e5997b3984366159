"""Forked processes: what a child may not use, because its threads stayed in the parent.

Polars and DuckDB work with threads, and a fork copies none of them: a child that goes on with what
the parent had opened waits for them for ever. So such a use is refused, before it hangs.
"""

from __future__ import annotations

import os
import sys

from cimis.pipeline.errors import StoreError

__all__ = ["check_owner", "check_polars"]

_HINT = (
    "open the store in the child, or start children with multiprocessing's 'spawn' or 'forkserver'"
)
_started_in_parent: list[bool] = []


def _in_child() -> None:
    if "polars" in sys.modules:
        _started_in_parent.append(True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def check_owner(process: int) -> None:
    """Raise where a store that one process opened is used by a child that was forked from it."""
    if os.getpid() != process:
        raise StoreError("this store was opened before the process was forked", hint=_HINT)


def check_polars() -> None:
    """Raise where Polars had been loaded before the process was forked: it would hang."""
    if _started_in_parent:
        raise StoreError(
            "Polars cannot work in a process that was forked after it was loaded",
            hint="start children with multiprocessing's 'spawn' or 'forkserver'; SQL works here",
        )
