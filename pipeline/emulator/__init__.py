"""An embedded CIMIS server for demonstrations and tests."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cimis.pipeline.emulator.replay import ReplaySource
    from cimis.pipeline.emulator.server import Emulator
    from cimis.pipeline.emulator.source import ItemTexts, RecordSet, Source
    from cimis.pipeline.emulator.troubles.troubles import Troubles
    from cimis.pipeline.emulator.unfolding import UnfoldingSource
    from cimis.pipeline.emulator.weather.generator import GeneratedSource

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
    "GeneratedSource": "weather.generator",
    "ReplaySource": "replay",
    "Troubles": "troubles.troubles",
    "UnfoldingSource": "unfolding",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS.get(name, 'source')}"), name)
