"""A connection for one question, and what may stand in the places of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cimis.queries.engines.instance import Instance
from cimis.queries.mirror.sight import Sight

__all__ = ["Parameters", "Seat"]

Parameters = Sequence[Any] | Mapping[str, Any]


@dataclass(slots=True)
class Seat:
    """A connection for one question, and what it sees."""

    instance: Instance
    connection: Any
    sight: Sight

    def give_back(self) -> None:
        """Let another question have the connection."""
        self.instance.give_back(self.sight, self.connection)
