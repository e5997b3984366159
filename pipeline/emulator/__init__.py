"""An embedded CIMIS server for demonstrations and tests."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.emulator.generator import GeneratedSource
    from pipeline.emulator.replay import ReplaySource
    from pipeline.emulator.server import Emulator
    from pipeline.emulator.source import ItemTexts, RecordSet, Source
    from pipeline.emulator.troubles import Troubles
    from pipeline.emulator.unfolding import UnfoldingSource

__all__ = [
    "Emulator",
    "GeneratedSource",
    "ItemTexts",
    "RecordSet",
    "ReplaySource",
    "Source",
    "Troubles",
    "UnfoldingSource",
]

_ROOMS = {
    "Emulator": "server",
    "GeneratedSource": "generator",
    "ReplaySource": "replay",
    "Troubles": "troubles",
    "UnfoldingSource": "unfolding",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS.get(name, 'source')}"), name)
