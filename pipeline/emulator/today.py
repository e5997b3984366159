"""What the live service answers for the day that is not over: placeholders, not data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from cimis.pipeline.emulator.source import ABSENT, ItemTexts, RecordSet
from cimis.pipeline.field.items import Scope

__all__ = ["with_placeholders"]


def with_placeholders(records: RecordSet, now: dt.datetime) -> RecordSet:
    """Return records with today's as the live service gives them.

    Today's daily row has every item missing but the short-crop ETo, which holds some number; of
    today's hours those that are not over yet are there and missing.
    """
    today = now.date().isoformat()
    rows = [n for n, date in enumerate(records.dates) if date == today]
    if not rows:
        return records
    due: Callable[[str, int], bool]
    if records.scope is Scope.DAILY:
        due = lambda key, _: key == "DayAsceEto"  # noqa: E731 - one rule of two
    else:
        due = lambda _, row: int(records.hours[row]) // 100 <= now.hour  # noqa: E731
    items = {}
    for key, texts in records.items.items():
        values, flags = list(texts.values), list(texts.flags)
        for row in rows:
            if not due(key, row) and values[row] != ABSENT:
                values[row], flags[row] = None, " "
        items[key] = ItemTexts(values, flags, texts.unit)
    return replace(records, items=items)
