"""Every form of a value has its stated outcome: a number kept exactly, missing, or an error."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from decode_bodies import body, item, record, table
from hypothesis import given
from hypothesis import strategies as st

from cimis.pipeline.errors import DecodeError
from cimis.pipeline.rows.schema import decimals_of


def _one(value: Any, qc: Any = " ") -> tuple[int | None, int, str | None, pa.DataType]:
    made = table(body(record(DayAirTmpAvg=item(value, qc))))
    field = made.schema.field("air_tmp_avg")
    number = made["air_tmp_avg"][0].as_py()
    return number, decimals_of(field), made["air_tmp_avg_qc"][0].as_py(), field.type


@pytest.mark.parametrize(
    ("value", "number", "decimals"),
    [
        ("12.4", 124, 1),
        ("-0.4", -4, 1),
        ("45", 450, 1),
        ("0", 0, 1),
        ("-0", 0, 1),
        ("-0.0", 0, 1),
        ("0.00", 0, 1),
        ("8.10", 81, 1),
        ("8.123", 8123, 3),
        ("55.22", 5522, 2),
        (".5", 5, 1),
        ("-.5", -5, 1),
        ("5.", 50, 1),
        ("08.1", 81, 1),
        (" 8.1\t", 81, 1),
        ("99999", 999990, 1),
        ("0.00000000000000000", 0, 1),
        ("0.000000000000000001", 1, 18),
        ("922337203685477580.7", 9223372036854775807, 1),
        ("-922337203685477580.7", -9223372036854775807, 1),
        (12, 120, 1),
        (-0.25, -25, 2),
        (1e300 * 0, 0, 1),
    ],
)
def test_numbers_are_exact(value: Any, number: int, decimals: int) -> None:
    """The integer and its decimals say the text exactly; trailing zeros are no decimals."""
    assert _one(value)[:2] == (number, decimals)


@pytest.mark.parametrize(("value", "number"), [("1e1", 100), ("1E-1", 1), ("2.5e+2", 2500)])
def test_a_json_number_may_have_an_exponent(value: str, number: int) -> None:
    """A number without quotes is read by JSON's own grammar."""
    data = body(record(DayAirTmpAvg=item("@"))).replace(b'"@"', value.encode())
    assert table(data)["air_tmp_avg"][0].as_py() == number


@pytest.mark.parametrize("value", ["", " ", "   ", "\t", "--", " -- ", None])
def test_missing_values(value: str | None) -> None:
    """Null, blanks and two dashes are missing, and the flag stays."""
    assert _one(value, "M")[:3] == (None, 1, "M")


BAD = [
    *("NaN", "nan", "inf", "-Infinity", "1e1", "1E5", "+5", "+5.5", "-", ".", "-.", "---", "abc"),
    *(
        "1_0",
        "0x10",
        "1,5",
        "1 2",
        "5.5.5",
        "--5",
        "- 5",
        "null",
        "NuLL",
        "\u0661",
        "\uff11",
        "12\x00",
    ),
    *("9" * 19, "9" * 30, "1" * 65, "0." + "0" * 70, "922337203685477580.8", "0." + "0" * 18 + "1"),
    *(True, False, [], {}, ["1"]),
]


@pytest.mark.parametrize("value", BAD, ids=repr)
def test_other_values_are_errors_that_name_the_place(value: Any) -> None:
    """Station, date, key and text stand in the error, with record number and byte offset."""
    records = [record(), record(Date="2024-02-29", DayAirTmpAvg=item(value))]
    data = body(*records)
    with pytest.raises(DecodeError) as caught:
        table(data)
    error = caught.value
    assert (error.station, error.date, error.key) == ("2", "2024-02-29", "DayAirTmpAvg")
    assert error.record == 1
    assert error.text == str(value)[:40]
    assert error.offset == data.index(b'{"Date":"2024-02-29"')
    assert not error.retryable
    assert "station 2" in str(error)


@pytest.mark.parametrize("number", ["1e400", "1E18", "123456789012345678901234567890"])
def test_json_numbers_out_of_range_are_errors(number: str) -> None:
    """A JSON number that 64 bits cannot hold is refused, not rounded."""
    data = body(record(DayAirTmpAvg=item("@"))).replace(b'"@"', number.encode())
    with pytest.raises(DecodeError, match="too large"):
        table(data)


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_bare_constants_are_errors(constant: bytes) -> None:
    """NaN and Infinity are not JSON."""
    with pytest.raises(DecodeError):
        table(body(record(DayAirTmpAvg=item("@"))).replace(b'"@"', constant))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["3276.7", "-3276.8"], pa.int16()),
        (["3276.8", "0"], pa.int32()),
        (["214748364.7", None], pa.int32()),
        (["214748364.8", None], pa.int64()),
        (["-214748364.9", "1"], pa.int64()),
    ],
)
def test_a_column_is_as_wide_as_its_values_need(values: list[str], kind: pa.DataType) -> None:
    """The narrowest of int16, int32 and int64 is taken."""
    days = [record(Date=f"2024-01-0{i + 1}", DayAirTmpAvg=item(v)) for i, v in enumerate(values)]
    assert table(body(*days)).schema.field("air_tmp_avg").type == kind


def test_decimals_grow_for_the_whole_column() -> None:
    """One value with more decimals rescales the others exactly."""
    days = [record(DayAirTmpAvg=item("8.1")), record(Date="2024-03-01", DayAirTmpAvg=item("8.125"))]
    made = table(body(*days))
    assert made["air_tmp_avg"].to_pylist() == [8100, 8125]
    assert decimals_of(made.schema.field("air_tmp_avg")) == 3


def test_values_too_far_apart_for_one_scale_are_an_error() -> None:
    """No common scale within 64 bits: refused with the item's name, not wrapped."""
    days = [
        record(DayAirTmpAvg=item("0.000000000000000001")),
        record(Date="2024-03-01", DayAirTmpAvg=item("1000")),
    ]
    with pytest.raises(DecodeError, match="64 bits") as caught:
        table(body(*days))
    assert caught.value.key == "DayAirTmpAvg"


@pytest.mark.parametrize(
    ("qc", "flag"),
    [
        (" ", None),
        ("", None),
        (None, None),
        ("   ", None),
        ("R", "R"),
        (" R ", "R"),
        ("N/A", "N/A"),
    ],
)
def test_flags_are_stripped_and_kept(qc: str | None, flag: str | None) -> None:
    """Up to three characters stay as sent; blank is the null flag."""
    assert _one("1", qc)[2] == flag


@pytest.mark.parametrize("qc", ["ABCD", 5, True, [], {}, "é", "\x01", "\ud800"], ids=repr)
def test_other_flags_are_errors(qc: Any) -> None:
    """Longer flags, other types and odd characters are refused."""
    data = body(record(DayAirTmpAvg=item("1", "@")))
    import json

    data = data.replace(b'"@"', json.dumps(qc).encode())
    with pytest.raises(DecodeError) as caught:
        table(data)
    assert caught.value.key == "DayAirTmpAvg"


def test_value_missing_and_flag_are_independent() -> None:
    """Value with flag, value without, missing with flag, missing without: all four survive."""
    cells = [("1", "R"), ("1", " "), (None, "M"), (None, " ")]
    days = [
        record(Date=f"2024-01-0{i + 1}", DayAirTmpAvg=item(*cell)) for i, cell in enumerate(cells)
    ]
    made = table(body(*days))
    assert made["air_tmp_avg"].to_pylist() == [10, 10, None, None]
    assert made["air_tmp_avg_qc"].to_pylist() == ["R", None, "M", None]


@given(st.lists(st.decimals(-10_000, 10_000, places=4), min_size=1, max_size=20))
def test_any_decimals_come_back_exactly(numbers: list[Decimal]) -> None:
    """Whatever decimals are written, the scaled integers are equal to them."""
    days = [
        record(Date="2024-01-01", Station=str(i), DayAirTmpAvg=item(f"{n:f}"))
        for i, n in enumerate(numbers)
    ]
    made = table(body(*days))
    places = decimals_of(made.schema.field("air_tmp_avg"))
    got = [Decimal(n).scaleb(-places) for n in made["air_tmp_avg"].to_pylist()]
    assert got == numbers
