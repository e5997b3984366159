"""A page: a heading, and sections of text, facts, charts, tables, notes and commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from cimis.charts.chart import Chart

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "Beside",
    "Block",
    "Column",
    "Commands",
    "Fact",
    "Facts",
    "Figure",
    "Note",
    "Page",
    "Section",
    "Table",
    "Text",
    "Tile",
    "Tiles",
]


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs of plain text."""

    paragraphs: Sequence[str]
    kind: ClassVar[str] = "text"


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader must know before trusting a figure: ``warning``, or a mere ``note``."""

    texts: Sequence[str]
    weight: Literal["note", "warning"] = "note"
    kind: ClassVar[str] = "note"


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what it is, as ``Elevation``, ``18 m``."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts, one below the other."""

    facts: Sequence[Fact]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure in large type; ``key`` is its ``data-key`` in the page, by which programs find it.

    ``exact`` is the same figure as a number without rounding for people, if it is one.
    """

    label: str
    value: str
    unit: str = ""
    note: str = ""
    key: str = ""
    exact: float | None = None


@dataclass(frozen=True, slots=True)
class Tiles:
    """The figures that matter most, side by side, under a heading where there are several."""

    tiles: Sequence[Tile]
    heading: str = ""
    kind: ClassVar[str] = "tiles"


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, as high as ``height`` says, in CSS pixels; its width is that of the page.

    ``narrow`` is its greatest width, for maps and other charts that are not to stretch.
    """

    chart: Chart
    height: int = 260
    narrow: int | None = None
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True, slots=True)
class Column:
    """How a column of a table is headed and written.

    Parameters
    ----------
    name : str
        The column of the frame.
    label, unit : str
        What the head says; the unit stands below it.
    decimals : int, optional
        Of numbers; None writes them as they are.
    flags : str, optional
        The column of the frame whose text stands as a small letter behind the value.
    """

    name: str
    label: str
    unit: str = ""
    decimals: int | None = None
    flags: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table that sorts and copies; ``key`` is its ``data-key`` in the page.

    ``tall`` ones scroll within a frame on the screen and stand whole on paper; ``row_heads`` makes
    the first column the head of each row.
    """

    caption: str
    rows: pl.DataFrame
    columns: Sequence[Column]
    key: str = ""
    tall: bool = False
    row_heads: bool = True
    kind: ClassVar[str] = "table"


@dataclass(frozen=True, slots=True)
class Commands:
    """Command lines, each with what it does."""

    lines: Sequence[tuple[str, str]]
    kind: ClassVar[str] = "commands"


@dataclass(frozen=True, slots=True)
class Beside:
    """Blocks beside each other where the screen is wide enough."""

    blocks: Sequence[Block]
    kind: ClassVar[str] = "beside"


Block: TypeAlias = Text | Note | Facts | Tiles | Figure | Table | Commands | Beside


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it; ``key`` is its place in the page's address.

    ``label`` names it in the list of contents, by default the heading does; one that is not
    ``listed`` is not in it.
    """

    key: str
    heading: str
    blocks: Sequence[Block]
    label: str = ""
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """One file of HTML.

    Attributes
    ----------
    title, subtitle : str
        What it is about, and of which days.
    sections : sequence of Section
    summary : sequence of Block
        What stands at the top, before the contents.
    made : str
        When and by what it was made, in words; all else follows from the store alone.
    """

    title: str
    subtitle: str
    sections: Sequence[Section]
    summary: Sequence[Block] = field(default=())
    made: str = ""
