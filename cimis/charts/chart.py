"""A chart: what it shows, as rows and as a description that a program draws from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ROWS", "Chart", "Spec"]

ROWS = "rows"
"""The name by which a specification knows the rows."""

Spec: TypeAlias = Mapping[str, Any]
"""Vega-Lite, version 6, as JSON has it."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, independent of where it is drawn: file, terminal, notebook or page.

    Attributes
    ----------
    kind : str
        ``series``, ``eto-rain``, ``cumulated``, ``gaps``, ``rose``, ``scatter`` and what reports
        add; it says what the columns of ``rows`` are.
    title, subtitle : str
        What is shown of which stations, and of which days, in which units.
    description : str
        One or two sentences that say to somebody who cannot see the chart what it shows, with its
        figures.
    rows : polars.DataFrame
        What is drawn, a row a mark, null where a value is missing; also the table beside the chart.
    spec : Spec
        A Vega-Lite specification without data, size, title, and colours of the theme: it reads the
        data set named :data:`ROWS`.
    notes : tuple of str
        What was left out, and how flags were taken.
    """

    kind: str
    title: str
    subtitle: str
    description: str
    rows: pl.DataFrame
    spec: Spec
    notes: tuple[str, ...] = ()
