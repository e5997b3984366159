"""The flag policies: which flagged values count as missing in an answer."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import QC_FLAGS

__all__ = ["FlagPolicy", "policy", "rejected", "severe_flags"]

_SEVERE = frozenset(flag.letter for flag in QC_FLAGS if flag.severe)


class FlagPolicy(StrEnum):
    """What a QC flag does to its value; the flag itself always stays.

    ``keep`` changes nothing. ``drop-severe`` makes a value missing where its flag is one that the
    network calls severe (I, M, S and, before 1995, N/A). ``strict`` keeps a value only where its
    flag is blank: it passed every check. A flag that the registry does not know is not severe.
    """

    KEEP = "keep"
    DROP_SEVERE = "drop-severe"
    STRICT = "strict"


def policy(name: str | FlagPolicy) -> FlagPolicy:
    """Return the policy of a name.

    Raises
    ------
    UsageError
        For a name that is none of the three.
    """
    try:
        return FlagPolicy(str(name).strip().lower().replace("_", "-"))
    except ValueError:
        raise UsageError(
            f"unknown flag policy '{name}'", hint="choose keep, drop-severe or strict"
        ) from None


def severe_flags() -> frozenset[str]:
    """Return the letters of the flags that the network calls severe."""
    return _SEVERE


def rejected(chosen: FlagPolicy, flags: Iterable[str]) -> frozenset[str]:
    """Return those of ``flags`` whose values the policy makes missing."""
    if chosen is FlagPolicy.KEEP:
        return frozenset()
    if chosen is FlagPolicy.DROP_SEVERE:
        return _SEVERE.intersection(flags)
    return frozenset(flags)
