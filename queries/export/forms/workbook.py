"""Rows as an Excel workbook: sheets of rows, and one that explains them.

xlsxwriter makes the package, its formats and the parts around the cells; in its mode of constant
memory a sheet's rows lie in a temporary file until the workbook is put together, and are written
into it here, a batch at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from cimis.pipeline.errors import UsageError
from cimis.pipeline.extras import needing
from cimis.queries.export.about import Seen, sections
from cimis.queries.export.forms.cells import cells_of, text_cell
from cimis.queries.export.forms.stream import Counted, Heading
from cimis.queries.export.heads import titles
from cimis.queries.export.texts import is_number, joined, readable_texts

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.worksheet import Worksheet

__all__ = ["MOST_COLUMNS", "MOST_ROWS", "Workbook"]

MOST_ROWS = 1_048_576
"""Rows of a sheet, its head among them; more go on another sheet."""
MOST_COLUMNS = 16_384

_PIECE_CELLS = 262_144
"""Cells that are formed at once."""
_WIDEST = 60
_ARROW = 3
"""Characters that the filter's arrow takes of a head."""
_GENERAL = 12
"""Characters that a number without set decimals is shown with at most."""
_ABOUT_WIDTH = 25
_DATE, _TIME, _MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm", "yyyy-mm-dd hh:mm:ss"


class Workbook:
    """The sheets `Data` and `About`; of more rows than a sheet holds `Data 2` and so on.

    Raises
    ------
    UsageError
        Where xlsxwriter is not installed, or there are more columns than a sheet has.
    """

    def __init__(self, stream: Counted, schema: pa.Schema, heading: Heading) -> None:
        if len(schema) > MOST_COLUMNS:
            raise UsageError(
                f"a sheet has {MOST_COLUMNS:,} columns at most, the answer has {len(schema):,}",
                hint="ask for fewer, or save as csv or parquet",
            )
        self._schema = schema
        self._heading = heading
        self._seen = Seen(schema)
        self._unwritten = 0
        self._book = _book(stream)
        self._head, self._text, self._wrapped = (
            self._book.add_format(form)._get_xf_index()
            for form in (
                {"bold": True, "bottom": 1, "valign": "top"},
                {"num_format": "@"},
                {"text_wrap": True, "valign": "top"},
            )
        )
        self._styles = [
            self._book.add_format({"num_format": _number_format(f)})._get_xf_index() for f in schema
        ]
        self._titles = titles(schema)
        self._widths = [len(title) + _ARROW for title in self._titles]
        self._piece = max(_PIECE_CELLS // max(len(schema), 1), 1)
        self._rooms: list[tuple[Worksheet, int]] = []
        self._stream = stream
        self._sheet, self._next = self._begun("Data"), 1
        self._about = _added(self._book, stream, "About")

    def _begun(self, name: str) -> Worksheet:
        """Return a new sheet of rows with its head."""
        sheet = _added(self._book, self._stream, name)
        places = enumerate(self._titles)
        heads = [text_cell(f"{_letters(n)}1", self._head, title) for n, title in places]
        _put(sheet, f'<row r="1">{"".join(heads)}</row>')
        sheet.freeze_panes(1, 0)
        return sheet

    def batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""
        self._seen.take(batch)
        done = 0
        while done < batch.num_rows:
            if self._next == MOST_ROWS:
                self._finish()
                self._sheet, self._next = self._begun(f"Data {len(self._rooms) + 1}"), 1
            piece = batch.slice(done, min(self._piece, MOST_ROWS - self._next))
            self._write(piece)
            done += piece.num_rows

    def _write(self, piece: pa.RecordBatch) -> None:
        first = self._next + 1
        numbers = pc.cast(pa.array(range(first, first + piece.num_rows)), pa.string())
        cells: list[pa.Array | str] = ['<row r="', numbers, '">']
        for place, column in enumerate(piece.columns):
            styles = self._styles[place], self._text
            cells.append(cells_of(column, _letters(place), numbers, styles))
            if pa.types.is_floating(column.type):
                self._unwritten += len(column) - column.null_count - _finite(column)
            self._widths[place] = max(self._widths[place], _width(column, self._schema[place]))
        _put(self._sheet, joined([*cells, "</row>"]).decode())
        self._next += piece.num_rows

    def _finish(self) -> None:
        """Say where the rows of a sheet end."""
        self._rooms.append((self._sheet, self._next))

    def close(self) -> None:
        """Write the sheet that explains, and put the workbook together."""
        from xlsxwriter.exceptions import FileCreateError

        self._finish()
        for sheet, rows in self._rooms:
            _bounded(sheet, rows, len(self._schema))
            sheet.autofilter(0, 0, rows - 1, max(len(self._schema) - 1, 0))
            for place, width in enumerate(self._widths):
                sheet.set_column(place, place, min(width, _WIDEST))
        self._explain()
        self._book.set_properties({"title": self._heading.about.title})
        try:
            self._book.close()
        except FileCreateError as error:
            raise error.args[0] from error
        self._stream.flush()

    def _explain(self) -> None:
        lines: list[Sequence[tuple[str, int]]] = []
        for heading, columns, rows in sections(self._seen, self._heading, self._told()):
            lines += [[]] if lines else []
            lines.append([(heading, self._head)])
            if heading != "About":
                lines.append([(name, self._head) for name in columns])
            lines += [[(text, self._wrapped) for text in row] for row in rows]
        for number, line in enumerate(lines, 1):
            cells = [text_cell(f"{_letters(n)}{number}", *_back(c)) for n, c in enumerate(line)]
            _put(self._about, f'<row r="{number}">{"".join(cells)}</row>')
        _bounded(self._about, len(lines), 3)
        self._about.set_column(0, 0, _ABOUT_WIDTH)
        self._about.set_column(1, 1, 80)
        self._about.set_column(2, 2, 60)

    def _told(self) -> list[tuple[str, str]]:
        """Return what the sheets hold otherwise than the answer."""
        told = []
        if len(self._rooms) > 1:
            sheets = f"{len(self._rooms)} sheets of {MOST_ROWS - 1:,} rows at most"
            told.append(("Sheets", f"the rows are on {sheets}, in order"))
        if self._unwritten:
            told.append(
                ("Left empty", f"{self._unwritten:,} values that are no finite numbers (NaN, inf)")
            )
        return told


def _book(stream: Counted) -> xlsxwriter.Workbook:
    """Return a workbook for a stream; its temporary files go when the stream lets go of them."""
    with needing("xlsx", "xlsx needs xlsxwriter, which is not installed"):
        import xlsxwriter
    folder = stream.held.enter_context(TemporaryDirectory(prefix="cimis-xlsx-"))
    book = xlsxwriter.Workbook(stream, {"constant_memory": True, "tmpdir": folder})
    book.use_zip64()
    return book


def _added(book: xlsxwriter.Workbook, stream: Counted, name: str) -> Any:
    sheet = book.add_worksheet(name)
    stream.held.callback(sheet.row_data_fh.close)
    sheet.ignore_errors({"number_stored_as_text": f"A1:{_letters(MOST_COLUMNS - 1)}{MOST_ROWS}"})
    return sheet


def _put(sheet: Any, rows: str) -> None:
    """Write rows into the file in which xlsxwriter gathers those of a sheet."""
    sheet.row_data_fh.write(rows)


def _bounded(sheet: Any, rows: int, columns: int) -> None:
    """Tell a sheet how far its rows reach."""
    sheet._check_dimensions(0, 0)
    sheet._check_dimensions(rows - 1, max(columns - 1, 0))


def _letters(place: int) -> str:
    """Return the sheet's name of a column: A, B, …, Z, AA."""
    text = ""
    number = place + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _back(cell: tuple[str, int]) -> tuple[int, str]:
    text, style = cell
    return style, text


def _number_format(field: pa.Field) -> str:
    """Return the format of a column's numbers, days or times: as many decimals as its values."""
    kind = field.type
    if pa.types.is_date(kind):
        return _DATE
    if pa.types.is_timestamp(kind):
        return _TIME if kind.unit == "s" else _MOMENT
    decimals = (field.metadata or {}).get(b"decimals")
    if pa.types.is_integer(kind):
        return "0"
    if decimals is None or not is_number(kind):
        return "General"
    return f"0.{'0' * int(decimals)}" if int(decimals) else "0"


def _finite(column: pa.Array) -> int:
    return int(pc.sum(pc.cast(pc.is_finite(column), pa.int64())).as_py() or 0)


def _width(column: pa.Array, field: pa.Field) -> int:
    """Return the characters that a column's cells take."""
    kind = field.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return len(_MOMENT) if pa.types.is_timestamp(kind) else len(_DATE) + 1
    longest = int(pc.max(pc.utf8_length(readable_texts(column))).as_py() or 0) + 1
    return min(longest, _GENERAL) if is_number(kind) else longest
