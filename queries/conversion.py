"""What users may give for a system of units."""

from __future__ import annotations

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Standard

__all__ = ["standard"]


def standard(name: str | Standard) -> Standard:
    """Return the system of units of a name.

    Raises
    ------
    UsageError
        For a name that is neither metric nor english.
    """
    try:
        return Standard(str(name).strip().lower())
    except ValueError:
        raise UsageError(f"unknown units '{name}'", hint="choose metric or english") from None
