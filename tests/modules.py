"""The package's modules, each once: where they stand, not where they are linked."""

from __future__ import annotations

from pathlib import Path

__all__ = ["MODULES", "ROOT"]

ROOT = Path(__file__).resolve().parents[1]
_ROOMS = ("agronomy", "pipeline", "queries")


def _modules() -> list[Path]:
    links = [ROOT / "cimis" / room for room in _ROOMS]  # folders of their own where it was packed
    found = [path for room in (*_ROOMS, "cimis") for path in (ROOT / room).rglob("*.py")]
    return sorted(p for p in found if not any(p.is_relative_to(link) for link in links))


MODULES = _modules()
