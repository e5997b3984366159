"""Values of chunks that can hardly be true: those that leave an item's plausible range."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from cimis.pipeline.chunks import ChunkInfo
from cimis.pipeline.chunks.statistics import of_footer
from cimis.pipeline.field.items import Item, by_code

__all__ = ["Extremes"]

_FILES_NAMED = 3


@dataclass(slots=True)
class _Seen:
    """Lowest and highest value of an item in the chunks where it leaves its range."""

    low: float = math.inf
    high: float = -math.inf
    paths: list[str] = field(default_factory=list)


class Extremes:
    """Gathers, chunk by chunk, what leaves its plausible range."""

    def __init__(self) -> None:
        self._seen: dict[Item, _Seen] = {}

    def note(self, name: str, info: ChunkInfo) -> None:
        """Note the items of a chunk that leave their range, by the blocks' statistics."""
        statistics = of_footer(info.footer)
        width = statistics.columns
        for place, column in enumerate(info.footer.columns):
            item = by_code(column.code)
            lows = [v for v in statistics.minimum[place::width] if not math.isnan(v)]
            highs = [v for v in statistics.maximum[place::width] if not math.isnan(v)]
            if item is None or not lows:
                continue
            low, high = min(lows), max(highs)
            if item.plausible_min <= low and high <= item.plausible_max:
                continue
            seen = self._seen.setdefault(item, _Seen())
            seen.low, seen.high = min(seen.low, low), max(seen.high, high)
            seen.paths.append(name)

    def warnings(self) -> list[str]:
        """Return a line for people of each such item, by its code."""
        return [_line(i, self._seen[i]) for i in sorted(self._seen, key=lambda i: i.code)]


def _line(item: Item, seen: _Seen) -> str:
    more = len(seen.paths) - _FILES_NAMED
    named = ", ".join(seen.paths[:_FILES_NAMED]) + (f" and {more} more" if more > 0 else "")
    unit = f" {item.symbol()}" if item.symbol() else ""
    return (
        f"{item.scope} {item.column} from {seen.low:.10g} to {seen.high:.10g}{unit} leaves the "
        f"plausible {item.plausible_min:g} to {item.plausible_max:g}{unit}: {named}"
    )
