"""On which days a station of the network's list worked, so that it can have data of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

__all__ = ["served"]


def served(facts: Mapping[str, Any], first: dt.date | None, last: dt.date | None) -> bool:
    """Tell whether a station worked on some day of a span, of which either end may be open.

    ``connected`` and ``disconnected`` are days as text; where one is not listed it hinders nothing.
    """
    begun, ended = facts.get("connected"), facts.get("disconnected")
    late = last is not None and begun and begun > last.isoformat()
    early = first is not None and ended and ended < first.isoformat()
    return not late and not early
