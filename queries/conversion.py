"""Systems of units of questions: what users may give for one, and English values in SQL."""

from __future__ import annotations

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Item, Standard
from cimis.pipeline.field.units import metric_decimals

__all__ = ["converted_sql", "standard"]

_FINER = 4
"""Decimals more than the network's of an English value that it did not write: sums stay true."""


def standard(name: str | Standard) -> Standard:
    """Return the system of units of a name.

    Raises
    ------
    UsageError
        For a name that is neither metric nor english.
    """
    try:
        return Standard(str(name).strip().lower())
    except ValueError:
        raise UsageError(f"unknown units '{name}'", hint="choose metric or english") from None


def converted_sql(item: Item, metric: str) -> str:
    """Return SQL that gives an item's metric values in English units, for conditions and sums.

    What the network wrote in English (archives) is that again, to the last decimal, so that it
    meets a threshold that it met; any other value is its conversion, to four decimals more than the
    network's. A metric value stands for an English one where it is no further from it than half a
    unit of the last decimal that such a one is kept with.

    Parameters
    ----------
    item : Item
    metric : str
        SQL of its metric value.
    """
    ratio = item.quantity.ratio
    if ratio is None:
        return metric
    places = max(item.decimals_english, item.archived or 0)
    up, down = item.quantity.step(0, metric_decimals(item))
    near = 0.5 * down / up
    english = ratio.english_sql(f"({metric})")
    written = f"round({english}, {places})"
    return (
        f"CASE WHEN abs({english} - {written}) <= {near * (1 + 1e-6)!r} THEN {written} "
        f"ELSE round({english}, {places + _FINER}) END"
    )
