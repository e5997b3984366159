"""Which published store the location of a chunk is of."""

from __future__ import annotations

from pathlib import Path

__all__ = ["below"]

_DEPTHS = {"stations": 3, "spatial": 4}


def below(location: Path) -> tuple[Path, str]:
    """Return the root of a chunk's published store, and its path below it."""
    for folder, depth in _DEPTHS.items():
        if len(location.parts) > depth and location.parts[-depth] == folder:
            root = location.parents[depth - 1]
            return root, location.relative_to(root).as_posix()
    raise FileNotFoundError(f"{location} is not the place of a chunk")
