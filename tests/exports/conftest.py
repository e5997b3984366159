"""The small network that questions are asked of, here too."""

from __future__ import annotations

from tests.queries.conftest import network

__all__ = ["network"]
