"""Markdown and HTML tables parsed by other programs: every cell is that of the answer."""

# ruff: noqa: DTZ001
from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cimis.pipeline.errors import StoreError
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.rows.schema import physical_schema
from cimis.queries.export.about import About
from cimis.queries.export.sinks import write
from tests.readers import of_html, of_markdown

SCHEMA = physical_schema(Scope.HOURLY, resolve("air_tmp,rel_hum", Scope.HOURLY))
TABLE = pa.Table.from_pydict(
    {
        "station": [2, 80],
        "time": [dt.datetime(2024, 6, 1, 1), dt.datetime(2024, 6, 2)],
        "date": [dt.date(2024, 6, 1)] * 2,
        "hour": [1, 24],
        "air_tmp": [8.1, None],
        "air_tmp_qc": [None, "M"],
        "rel_hum": [56.0, 100.0],
        "rel_hum_qc": [None, None],
    },
    schema=SCHEMA,
)
CELLS = [
    ["2", "2024-06-01 01:00:00", "2024-06-01", "1", "8.1", "", "56", ""],
    ["80", "2024-06-02 00:00:00", "2024-06-01", "24", "", "M", "100", ""],
]
HOSTILE = [
    *("a|b", "a\\|b", "\\", "*bold*", "__x__", "_x", "a_b_c", "`code`", "~~gone~~", "[a](b)"),
    *("<script>alert(1)</script>", "&amp;", "&#42;", "http://x.org", "www.x.org", "a@b.org"),
    *(
        "![i](x)",
        "a\nb",
        "a\r\nb\rc",
        " a ",
        "\u00a0a\t",
        "",
        "$x$",
        ":smile:",
        "# h",
        "- l",
        "1. n",
    ),
    *("</td></table>", '" onload="x', "---", "=1+1", "🌾", "\x00\x1b", "zip:93624", "| | |"),
]


def saved(table: pa.Table, form: str, **more: Any) -> str:
    stream = io.BytesIO()
    write(table.to_batches(), table.schema, stream, form, **more)
    return stream.getvalue().decode()


def seen(text: str | None) -> str:
    """Return a text as a page can show it: without control characters, breaks as one sign."""
    lines = re.sub(r"\r\n|\r", "\n", text or "")
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", "\ufffd", lines)


def test_markdown_has_units_flags_and_numbers_to_the_right() -> None:
    (head, *rows), sides = of_markdown(saved(TABLE, "md"))
    assert head[3:] == ["hour", "air_tmp [°C]", "air_tmp_qc", "rel_hum [%]", "rel_hum_qc"]
    assert rows == CELLS
    right = ["right" in side for side in sides]
    assert right == [True, False, False, True, True, False, True, False]


def test_names_of_columns_are_readable_in_the_text_itself() -> None:
    assert saved(TABLE, "md").startswith("| station | time | date | hour | air_tmp \\[°C\\] |")


def test_html_has_units_flags_and_numbers_to_the_right() -> None:
    page = of_html(saved(TABLE, "html"))
    head, *rows = page.tables[0]
    assert head[3:] == ["hour", "air_tmp [°C]", "air_tmp_qc", "rel_hum [%]", "rel_hum_qc"]
    assert rows == CELLS
    first = [attributes.get("class") for tag, attributes in page.elements if tag == "td"][:8]
    assert first == ["n", "t", "t", "n", "n", None, "n", None]


@pytest.mark.parametrize("form", ["md", "html"])
def test_hostile_texts_are_shown_as_they_are(form: str) -> None:
    table = pa.table({"a|<b>": HOSTILE, "_n_": list(range(len(HOSTILE)))})
    text = saved(table, form)
    head, *rows = of_markdown(text)[0] if form == "md" else of_html(text).tables[0]
    assert head == ["a|<b>", "_n_"]
    assert [seen(row[0]) for row in rows] == [seen(text) for text in HOSTILE]


def test_html_runs_nothing_and_asks_for_nothing() -> None:
    told = About("<script>x</script>", lambda: [(t, t) for t in HOSTILE], lambda: {2: "<script>"})
    text = saved(TABLE, "html", about=told)
    page = of_html(text)
    assert not {tag for tag, _ in page.elements} & {"script", "img", "link", "iframe"}
    names = {name for _, attributes in page.elements for name in attributes}
    assert names <= {
        *("lang", "charset", "name", "content", "class", "role", "aria-label", "tabindex", "scope"),
    }
    assert "url(" not in text
    assert page.texts["title"].strip() == "<script>x</script>"
    assert page.texts["h1"].strip() == "<script>x</script>"


def test_html_is_readable_by_all() -> None:
    """A language, a caption, a scope of each head, light, dark and paper."""
    text = saved(TABLE, "html")
    page = of_html(text)
    assert page.elements[0] == ("html", {"lang": "en"})
    heads = [attributes for tag, attributes in page.elements if tag == "th"]
    assert {head["scope"] for head in heads} == {"col", "row"}
    assert [tag for tag, _ in page.elements].count("caption") == 1
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_html_explains_itself_behind_the_rows() -> None:
    told = About("CIMIS", lambda: [("Flag policy", "keep")], lambda: {2: "FivePoints"})
    _, facts, columns, stations, flags = of_html(saved(TABLE, "html", about=told)).tables
    assert ["Flag policy", "keep"] in facts
    assert ["air_tmp", "°C", "Mean air temperature of the hour"] in columns
    assert stations[1:] == [["2", "FivePoints"], ["80", ""]]
    assert [row[0] for row in flags[1:]] == ["M"]


@pytest.mark.parametrize("form", ["md", "html"])
def test_an_empty_answer_is_a_head_alone(form: str) -> None:
    text = saved(SCHEMA.empty_table(), form)
    rows = of_markdown(text)[0] if form == "md" else of_html(text).tables[0]
    assert len(rows) == 1
    assert len(rows[0]) == len(SCHEMA)


TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("|\\*_`[]<>&~ \n:"), max_size=12)


@pytest.mark.parametrize("form", ["md", "html"])
@given(rows=st.lists(st.tuples(st.none() | TEXTS, st.none() | st.floats(allow_nan=False))))
def test_any_text_and_number_comes_back(
    form: str, rows: list[tuple[str | None, float | None]]
) -> None:
    columns = list(zip(*rows, strict=True)) or [(), ()]
    texts, numbers = pa.array(columns[0], pa.string()), pa.array(columns[1], pa.float64())
    text = saved(pa.table({"t": texts, "v": numbers}), form)
    _, *found = of_markdown(text)[0] if form == "md" else of_html(text).tables[0]
    finite = [v if v is None or abs(v) != float("inf") else None for _, v in rows]
    assert [seen(row[0]) for row in found] == [seen(text) for text, _ in rows]
    assert [float(row[1]) if row[1] else None for row in found] == finite


@pytest.mark.parametrize("form", ["md", "html", "xlsx"])
def test_an_answer_that_breaks_off_is_never_ended_as_if_it_were_whole(form: str) -> None:
    stream = io.BytesIO()

    def broken() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"station": [1, 2]})
        raise StoreError("the disk is gone")

    with pytest.raises(StoreError):
        write(broken(), pa.schema([("station", pa.int64())]), stream, form)
    left = stream.getvalue()
    assert b"</html>" not in left
    assert form != "xlsx" or left == b""


@pytest.mark.parametrize(
    ("name", "form"), [("a.md", "md"), ("a.markdown", "md"), ("a.HTM", "html"), ("a.XLSX", "xlsx")]
)
def test_a_suffix_names_the_form(name: str, form: str, tmp_path: Any) -> None:
    assert write(TABLE.to_batches(), SCHEMA, tmp_path / name).format == form
