"""Golden files stay readable, by us and by a reader written from the page, and are made again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import zstandard

from cimis.pipeline.chunks.v2.codec import decode_scaled, encode
from cimis.pipeline.rows.schema import decimals_of, item_of
from tests.chunks.golden_chunks import CASES, GOLDEN
from tests.chunks.second_reader import read

MADE_WITH = (1, 5, 7)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "format-v2.md"


def _golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.zst").read_bytes()


@pytest.mark.parametrize("name", CASES)
def test_a_golden_file_holds_the_rows_it_was_made_from(name: str) -> None:
    _, rows = CASES[name]()
    found = decode_scaled(_golden(name))
    assert found.schema.names == rows.schema.names
    for field in rows.schema:
        if item_of(field) is not None and decimals_of(field) != decimals_of(
            found.field(field.name)
        ):
            pytest.fail(f"{field.name} has other decimals")
        assert found[field.name].to_pylist() == rows[field.name].to_pylist(), field.name


@pytest.mark.parametrize("name", CASES)
def test_a_golden_file_is_made_again_byte_for_byte(name: str) -> None:
    if zstandard.ZSTD_VERSION != MADE_WITH:
        pytest.skip(f"golden files were made with zstd {MADE_WITH}, not {zstandard.ZSTD_VERSION}")
    key, rows = CASES[name]()
    assert encode(rows, key) == _golden(name)


@pytest.mark.parametrize("name", CASES)
def test_a_reader_written_from_the_page_reads_a_golden_file_alike(name: str) -> None:
    theirs = read(_golden(name))
    ours = decode_scaled(_golden(name))
    codes = {item.code: f.name for f in ours.schema if (item := item_of(f)) is not None}
    assert [column[0] for column in theirs.columns] == list(codes)
    for code, name_ in codes.items():
        scale = 10 ** decimals_of(ours.field(name_))
        values = ours[name_].to_pylist()
        is_integer = str(ours.schema.field(name_).type) != "double"
        due = [v if v is None or not is_integer else v / scale for v in values]
        assert theirs.values[code] == due, code
        assert theirs.flags[code] == ours[f"{name_}_qc"].to_pylist(), code


def test_the_second_reader_does_not_use_the_project() -> None:
    source = (Path(__file__).parent / "second_reader.py").read_text("utf-8")
    imports = set(re.findall(r"^(?:from|import) (\w+)", source, re.MULTILINE))
    assert imports <= {
        *("__future__", "bisect", "dataclasses", "math", "struct", "typing", "zlib", "zstandard")
    }


def test_the_worked_example_of_the_page_is_the_golden_file() -> None:
    lines = re.findall(
        r"^    [0-9a-f]{4}  ((?:[0-9a-f]{2} ?)+)$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert bytes.fromhex("".join(lines)) == _golden("three_days")


def test_the_page_lists_the_dictionary_of_the_footer() -> None:
    from cimis.pipeline.chunks.dictionary import descriptor, footer_dictionary

    rows = re.findall(
        r"^\| ((?:day|hly)-[a-z-]+) \| (\S+) \| (\d) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    listed = b"".join(descriptor(c, u, int(d), is_double=False) for c, u, d in rows)
    assert listed == footer_dictionary()
