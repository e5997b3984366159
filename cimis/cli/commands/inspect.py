"""``cimis inspect``: what is inside one chunk file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cimis.cli.options import declare, printing
from cimis.cli.showing.output import Output
from cimis.parsing import today
from cimis.pipeline.field.time import moment_of, year_span
from cimis.pipeline.lacks import Asked, Lacks, lacks_of

if TYPE_CHECKING:
    from cimis.pipeline.chunks.encodings import Encoding
    from cimis.pipeline.chunks.footer import Footer

__all__ = ["command"]

_COLUMNS = (
    *("item", "unit", "decimals", "blocks", "bytes", "minimum", "maximum", "missing"),
    "encodings",
)


@declare(
    "inspect",
    examples=[
        "cimis inspect data/stations/080/2024_daily.zst",
        "cimis inspect data/stations/080/2024_daily.zst --json",
    ],
)
@click.argument("file", type=click.Path(path_type=Path))
@printing(talks=True)
def command(*, file: Path, out: Output) -> None:
    """Show what is inside one chunk file: its columns, how they are encoded, their extremes."""
    from cimis.pipeline.chunks import read_footer

    footer = read_footer(file)
    facts = _facts(file, footer)
    lacks = _lacks(footer)
    columns = [_column(footer, place) for place in range(len(footer.columns))]
    if out.as_json:
        out.json(
            facts
            | {
                "lacks": lacks.as_dict(),
                "columns": [dict(zip(_COLUMNS, c, strict=True)) for c in columns],
            }
        )
        return
    shown = {name: value for name, value in facts.items() if name != "suspicion"}
    out.note("\n".join(f"{name:<12}{value}" for name, value in shown.items()))
    out.lacks(lacks)
    out.rows(_COLUMNS, columns)
    if footer.suspicion is not None:
        out.warn(footer.suspicion)


def _lacks(footer: Footer) -> Lacks:
    """Return how many days (or hours) of its year the file does not hold."""
    key = footer.key
    first, last = year_span(key.year)
    site = key.target or key.station or 0
    asked = Asked(key.scope, (site,), first, min(last, today() - dt.timedelta(days=1)))
    return lacks_of(asked._replace(kind=key.kind), {site: footer.rows}, (), today=today())


def _facts(file: Path, footer: Footer) -> dict[str, Any]:
    key = footer.key
    return {
        "file": str(file),
        "format": f"v{footer.version}",
        "station": key.station if key.station is not None else key.target,
        "year": key.year,
        "scope": key.scope.value,
        "rows": footer.rows,
        "blocks": len(footer.blocks),
        "first": str(moment_of(footer.first_time_s)),
        "last": str(moment_of(footer.last_time_s)),
        "bytes": file.stat().st_size,
        "suspicion": footer.suspicion,
    }


def _named(encoding: Encoding) -> str:
    """Return an encoding as people name it."""
    return encoding.kind.name.lower() + ("+steps" if encoding.step else "")


def _column(footer: Footer, place: int) -> tuple[Any, ...]:
    column = footer.columns[place]
    cells = [block.cells[place] for block in footer.blocks]
    scale = 1 if column.is_double else 10**column.decimals
    lows = [cell.minimum for cell in cells if cell.minimum is not None]
    highs = [cell.maximum for cell in cells if cell.maximum is not None]
    return (
        column.item.column,
        column.unit.strip("()"),
        column.decimals,
        len(cells),
        sum(cell.length for cell in cells),
        min(lows) / scale if lows else None,
        max(highs) / scale if highs else None,
        sum(cell.missing for cell in cells),
        " ".join(sorted({_named(cell.encoding) for cell in cells})),
    )
