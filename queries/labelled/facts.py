"""What is known of a whole answer: time base, flags, source, version, and what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cimis.pipeline.errors import CimisError
from cimis.pipeline.extras import needing
from cimis.pipeline.field.cf import SOURCE
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Places", "facts_of", "needed", "places_of"]

Places: TypeAlias = Callable[[], Iterable[Mapping[str, Any]]]
"""Gives the stations that the catalog knows: ``number``, ``name``, ``latitude`` and the rest."""

_TIME_ZONE = "Pacific standard time (UTC-8) all year; an hour is named by its end"


def facts_of(
    schema: pa.Schema,
    *,
    qc: str | None = None,
    lacks: Lacks | None = None,
    notes: Sequence[str] = (),
) -> dict[str, str]:
    """Return what is known of an answer as texts by name.

    Parameters
    ----------
    schema : pyarrow.Schema
    qc : str, optional
        The policy for flags, where the schema's metadata do not say it.
    lacks : Lacks, optional
    notes : sequence of str, optional
    """
    said = {key.decode(): text.decode() for key, text in (schema.metadata or {}).items()}
    policy = qc or said.get("qc")
    facts = {
        "time_zone": _TIME_ZONE,
        "scope": said.get("scope"),
        "qc": policy,
        "lacks": lacks.text() if lacks else None,
        "notes": "; ".join(notes),
        "source": SOURCE,
        "cimis_version": _version(),
    }
    return {name: text for name, text in facts.items() if text}


def needed(name: str) -> Any:
    """Return a library of one of the extras; `UsageError` where it is not installed."""
    with needing(name, f"{name} is not installed, which this form of an answer takes"):
        return import_module(name)


def places_of(root: Path) -> Places:
    """Return what gives the stations of a data directory; none where its catalog cannot be read."""

    def places() -> list[dict[str, Any]]:
        from cimis.pipeline.catalog.database import Catalog

        try:
            with Catalog(root) as catalog:
                return catalog.stations()
        except CimisError:
            return []

    return places


def _version() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("cimis")
    except PackageNotFoundError:
        return None
