"""What a page carries as data: charts as JSON that is safe within HTML, their rows by column."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from cimis.pages.page import Figure

__all__ = ["chart_json", "columns_of", "safe_json"]

_DIGITS = 6
_UNSAFE = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def safe_json(value: Any) -> str:
    """Return JSON that ends no script element and opens no comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_UNSAFE)


def columns_of(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return a frame by column, each in the shortest of the forms that the page's script reads.

    ``same``: one value ``n`` times; ``words``: texts, and by ``at`` which of them each row has;
    ``days``: days since 1970, each as the difference from the one before; ``all``: the
    values. Times are texts (``Z``): charts draw Pacific standard time as if it were UTC, so that it
    looks alike everywhere. NaN and infinities are null.
    """
    return {name: _column(frame[name]) for name in frame.columns}


def _column(values: pl.Series) -> dict[str, Any]:
    import polars as pl

    kind = values.dtype
    if kind == pl.Date and not values.has_nulls() and values.len():
        days = values.cast(pl.Int32)
        return {"days": [days[0], *days.diff().drop_nulls().to_list()]}
    if kind.is_temporal():
        form = "%Y-%m-%d" if kind == pl.Date else "%Y-%m-%dT%H:%MZ"
        return {"all": values.dt.strftime(form).to_list()}
    if kind.is_float():
        # more digits than anybody reads would make the page twice as long
        values = values.set(~values.is_finite(), None).round_sig_figs(_DIGITS)
    if values.len() and values.n_unique() == 1:
        return {"same": values[0], "n": values.len()}
    if kind in (pl.String, pl.Categorical, pl.Enum):
        texts = values.cast(pl.String)
        words = texts.drop_nulls().unique(maintain_order=True)
        places = {word: place for place, word in enumerate(words)}
        return {
            "words": words.to_list(),
            "at": texts.replace_strict(places, return_dtype=pl.Int32).to_list(),
        }
    return {"all": values.to_list()}


def chart_json(figure: Figure) -> str:
    """Return what the page's script draws a chart from."""
    chart = figure.chart
    return safe_json(
        {
            "spec": dict(chart.spec),
            "height": figure.height,
            "dates": [n for n, kind in chart.rows.schema.items() if kind.is_temporal()],
            "columns": columns_of(chart.rows),
        }
    )
