"""DELTA2: how far a difference is from the one before it."""

from __future__ import annotations

from typing import ClassVar

from cimis.pipeline.chunks.encodings.delta import Delta

__all__ = ["Delta2"]


class Delta2(Delta):
    """``base + Σ over j ≤ i of Σ unzigzag(r[0..j])``."""

    number: ClassVar[int] = 2
    name: ClassVar[str] = "DELTA2"
    times: ClassVar[int] = 2
