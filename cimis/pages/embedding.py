"""What a page carries as data: charts as JSON that is safe within HTML, their rows by column."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from cimis.pages.page import Figure

__all__ = ["chart_json", "columns_of", "safe_json"]

_UNSAFE = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def safe_json(value: Any) -> str:
    """Return JSON that ends no script element and opens no comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_UNSAFE)


def columns_of(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """Return a frame by column: days and times (``Z``) as texts, NaN and infinities as null.

    Charts draw Pacific standard time as if it were UTC, so that it looks alike everywhere.
    """
    import polars as pl
    import polars.selectors as cs

    plain = frame.with_columns(
        cs.date().dt.strftime("%Y-%m-%d"),
        cs.datetime().dt.strftime("%Y-%m-%dT%H:%MZ"),
        cs.categorical().cast(pl.String),
        cs.enum().cast(pl.String),
        *(
            # more digits than anybody reads would make the page twice as long
            pl.when(pl.col(name).is_finite()).then(pl.col(name).round_sig_figs(7)).alias(name)
            for name, kind in frame.schema.items()
            if kind.is_float()
        ),
    )
    return {name: plain[name].to_list() for name in plain.columns}


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
