"""A page as text: the template filled, with what it needs written into it."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from cimis.pages.colours import chart_style, page_theme
from cimis.pages.embedding import chart_json, safe_json
from cimis.pages.page import Column, Page, Table
from cimis.pages.runtime_files import runtime_files, runtime_script

if TYPE_CHECKING:
    import jinja2
    import polars as pl

__all__ = ["Cell", "Head", "body_of", "heads_of", "rendered"]

_MINUS = "\N{MINUS SIGN}"


class Head(NamedTuple):
    """The head of a column."""

    name: str
    label: str
    unit: str
    kind: str


class Cell(NamedTuple):
    """A value as it is shown, and its flag."""

    kind: str
    text: str
    flag: str | None


def rendered(page: Page) -> str:
    """Return a page as one file of HTML that asks no network for anything.

    Texts are escaped; only the scripts that this package brings may run, by their checksums, and
    nothing may be requested.
    """
    from markupsafe import Markup

    sources = _environment().loader
    assert sources is not None

    def source(name: str) -> str:
        return str(sources.get_source(_environment(), name)[0]).strip()

    style = f"{source('page.css')}\n{chart_style()}"
    own, runtime = source("page.js"), runtime_script()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_allowed(runtime)} {_allowed(own)}",
            # Vega sets the style of single elements
            "style-src 'unsafe-inline'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=page,
            policy=policy,
            style=Markup(style),  # noqa: S704 -- a file of this package
            script=Markup(own),  # noqa: S704 -- likewise
            runtime_script=Markup(runtime),  # noqa: S704 -- likewise
            theme=Markup(safe_json(page_theme())),  # noqa: S704 -- escaped there
            runtime=runtime_files(),
        )
    )


@cache
def _environment() -> jinja2.Environment:
    import jinja2
    from markupsafe import Markup

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("cimis.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    made.globals.update(
        chart_json=lambda figure: Markup(chart_json(figure)),  # noqa: S704 -- escaped there
        heads=heads_of,
        body=body_of,
    )
    return made


def _allowed(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def heads_of(table: Table) -> list[Head]:
    """Return the heads of a table's columns."""
    kinds = table.rows.schema
    return [Head(c.name, c.label, c.unit, _kind(kinds[c.name])) for c in table.columns]


def body_of(table: Table) -> list[tuple[Cell, ...]]:
    """Return the cells of a table, row by row."""
    columns = []
    for column in table.columns:
        kind = _kind(table.rows.schema[column.name])
        texts = _texts(table.rows, column)
        flags = [None] * len(texts) if column.flags is None else table.rows[column.flags].to_list()
        columns.append([Cell(kind, *pair) for pair in zip(texts, flags, strict=True)])
    return list(zip(*columns, strict=True))


def _kind(kind: pl.DataType) -> str:
    if kind.is_numeric():
        return "number"
    return "date" if kind.is_temporal() else "text"


def _texts(rows: pl.DataFrame, column: Column) -> list[str]:
    """Return a column as texts: numbers with so many decimals, nothing where there is nothing."""
    import polars as pl

    values = rows[column.name]
    if values.dtype == pl.Boolean:
        return ["" if v is None else "yes" if v else "no" for v in values]
    if not values.dtype.is_numeric():
        return values.cast(pl.String).fill_null("").to_list()
    return ["" if v is None else _number(v, column.decimals) for v in values]


def _number(value: float, decimals: int | None) -> str:
    """Write a number with a real minus sign; thousands are not parted, so that it copies."""
    if value != value:  # NaN
        return ""
    if decimals is None:
        text = f"{value:.0f}" if value == int(value) else f"{value}"
    else:
        text = f"{value:.{decimals}f}"
    if text.startswith("-"):
        return text[1:] if float(text) == 0 else _MINUS + text[1:]
    return text
