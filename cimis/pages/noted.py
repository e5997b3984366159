"""What an answer lacks and how it was reckoned, as notes at the top of a page."""

from __future__ import annotations

from collections.abc import Sequence

from cimis.pages.page import Block, Note
from cimis.pipeline.lacks import Lacks

__all__ = ["noted"]


def noted(lacks: Lacks, notes: Sequence[str]) -> list[Block]:
    """Return a warning of what lacks, and a note of all else that a reader must know."""
    blocks: list[Block] = []
    if lacks:
        blocks.append(Note([_sentence(lacks.text())], "warning"))
    if notes:
        blocks.append(Note([_sentence(note) for note in notes]))
    return blocks


def _sentence(text: str) -> str:
    """Return a text as a sentence; a name of an item stays as it is written."""
    first = text.partition(" ")[0]
    begin = text if "_" in first else text[:1].upper() + text[1:]
    return begin if begin.endswith(".") else f"{begin}."
