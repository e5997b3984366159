"""How a store warns of what an answer is short of, at the line of the user's that asked for it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cimis.pipeline.errors import UsageError
from cimis.pipeline.lacks import IncompleteAnswer, Lacks

if TYPE_CHECKING:
    from cimis.queries.answers.rows import Rows

__all__ = ["FRAMES", "warn", "warn_of", "warn_of_damage", "warned"]

FRAMES = {"polars": "pl", "pandas": "df", "xarray": "xr"}
"""Whose data frames rows can be given as, and the method of rows that gives it."""

_PACKAGE = __name__.partition(".")[0]


def warn(warning: str | Warning) -> None:
    """Warn at the line that called into this package, however many calls lie between."""
    frame, level = sys._getframe(1), 2  # as warnings counts
    while _is_own(frame.f_globals) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(warning, stacklevel=level)


def _is_own(names: dict[str, object]) -> bool:
    return str(names.get("__name__")).partition(".")[0] == _PACKAGE


def warn_of(lacks: Lacks) -> None:
    """Warn of what an answer is short of, if anything."""
    if lacks:
        warn(IncompleteAnswer(lacks))


def warn_of_damage(damaged: Sequence[tuple[str, str]]) -> None:
    """Warn of damaged chunks whose rows an answer lacks, if there are any."""
    warn_of(Lacks(damaged=tuple(damaged)))


def warned(rows: Rows, to: str) -> Any:
    """Return rows as one of `FRAMES`, and warn of what they are short of."""
    if to not in FRAMES:
        raise UsageError(f"no data frame of {to!r}", hint=f"choose one of {', '.join(FRAMES)}")
    frame = getattr(rows, FRAMES[to])()
    warn_of(rows.lacks)
    return frame


def stop_at_damage(damaged: Sequence[tuple[str, str]]) -> None:
    """Raise the error that tells of damaged chunks whose rows are left out; none where none is."""
    if damaged:
        from cimis.queries.engines.damage import error_of

        raise error_of(damaged)
