"""A chart: what it shows, as rows and as a description that a program draws from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
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
        data set named ``ROWS``, beside what little it draws that is no row.
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

    def save(
        self,
        path: str | Path,
        *,
        theme: str = "light",
        width: int | None = None,
        height: int | None = None,
    ) -> Path:
        """Write the chart to a file, whole or not at all.

        Parameters
        ----------
        path : path
            Its suffix picks the form: ``.svg``, ``.png``, ``.pdf``, or ``.json`` for the
            specification with its rows, which any Vega-Lite 6 draws.
        theme : {"light", "dark"}
        width, height : int, optional
            Pixels: see :func:`cimis.charts.spec.vega_lite`.

        Raises
        ------
        UsageError
            For another suffix or theme, where the file cannot be written, and where the extra
            ``plot`` is not installed.
        """
        from cimis.charts.files import save

        return save(self, path, theme=theme, width=width, height=height)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return what a notebook shows: Vega-Lite, a picture where it can be drawn, and words."""
        from cimis.charts.files import mimebundle

        return mimebundle(self)
