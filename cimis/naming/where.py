"""Where stations lie that are meant: in a county, around a point."""

from __future__ import annotations

from dataclasses import dataclass

from cimis.pipeline.errors import UsageError

__all__ = ["Where"]


@dataclass(frozen=True, slots=True)
class Where:
    """Where stations lie; true where anything is said.

    Parameters
    ----------
    county : str, optional
        A part of its name, or several by commas.
    near : str, optional
        A point, as ``38.54,-121.78``.
    within_km : float, optional
        How far from it; without that the one nearest station.

    Raises
    ------
    UsageError
        For a distance without the point that it is measured from.
    """

    county: str | None = None
    near: str | None = None
    within_km: float | None = None

    def __post_init__(self) -> None:
        if self.within_km is not None and self.near is None:
            raise UsageError("--within says how far, but not from where", hint="add --near LAT,LON")

    def __bool__(self) -> bool:
        return self.county is not None or self.near is not None
