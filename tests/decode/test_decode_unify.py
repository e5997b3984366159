"""Batches of one stream become one table without a value changing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from decode_bodies import batches, body, hourly, item, record
from decode_reference import rows_of, same

from cimis.pipeline.decode import DecodeStats, unify
from cimis.pipeline.errors import DecodeError, UsageError
from cimis.pipeline.field.items import Scope, default_items
from cimis.pipeline.rows.schema import decimals_of, scaled_schema


def _batch(*records: Any, **options: Any) -> pa.RecordBatch:
    (batch,) = batches(body(*records), **options)
    return batch


def test_widest_type_and_largest_decimals() -> None:
    """int16 with one decimal and int32 with two become int32 with two."""
    made = unify(
        [
            _batch(record(DayAirTmpAvg=item("12.4"))),
            _batch(record(Station="5", DayAirTmpAvg=item("1234.25"))),
        ]
    )
    field = made.schema.field("air_tmp_avg")
    assert (field.type, decimals_of(field)) == (pa.int32(), 2)
    assert made["air_tmp_avg"].to_pylist() == [1240, 123425]


def test_decimals_differ_where_types_do_not() -> None:
    """12.4 stays 12.4 beside 1.25, though both are int16."""
    made = unify(
        [
            _batch(record(DayAirTmpAvg=item("12.4"))),
            _batch(record(Station="5", DayAirTmpAvg=item("1.25"))),
        ]
    )
    field = made.schema.field("air_tmp_avg")
    assert (field.type, decimals_of(field)) == (pa.int16(), 2)
    assert made["air_tmp_avg"].to_pylist() == [1240, 125]


def test_scaling_widens_where_it_must() -> None:
    """Values that fit int16 at one decimal may need int32 at three."""
    made = unify(
        [
            _batch(record(DayAirTmpAvg=item("3000.1"))),
            _batch(record(Station="5", DayAirTmpAvg=item("0.125"))),
        ]
    )
    assert made.schema.field("air_tmp_avg").type == pa.int32()
    assert made["air_tmp_avg"].to_pylist() == [3000100, 125]


def test_scaling_beyond_64_bits_is_an_error() -> None:
    """Overflow has a name, not a wrong value."""
    parts = [
        _batch(record(DayAirTmpAvg=item("9" * 17))),
        _batch(record(Station="5", DayAirTmpAvg=item("0.123"))),
    ]
    with pytest.raises(DecodeError, match="64 bits") as caught:
        unify(parts)
    assert caught.value.key == "DayAirTmpAvg"


def test_columns_that_a_batch_lacks_are_missing() -> None:
    """The union of the items, in registry order, with null flags where absent."""
    made = unify(
        [
            _batch(record(DayAirTmpAvg=...)),
            _batch(record(Station="5", DayPrecip=..., DayDewPnt=item("1.5", "Y"))),
        ]
    )
    assert made.column_names[2::2] == ["air_tmp_avg", "dew_pnt", "precip"]
    assert made["dew_pnt"].to_pylist() == [None, 15]
    assert made["dew_pnt_qc"].to_pylist() == [None, "Y"]
    assert made["precip_qc"].to_pylist() == ["R", None]


def test_later_rows_win_across_batches() -> None:
    """A key of an earlier batch that comes again is replaced, and counted."""
    stats = DecodeStats()
    first = _batch(record(), record(Station="5"))
    second = _batch(record(DayAirTmpAvg=item("-1", "S")))
    made = unify([first, second], stats=stats)
    assert made["station"].to_pylist() == [5, 2]
    assert made["air_tmp_avg"].to_pylist() == [124, -10]
    assert made["air_tmp_avg_qc"].to_pylist() == [None, "S"]
    assert stats.duplicates == 1


def test_later_rows_win_by_hour_and_by_target() -> None:
    """The hour, and the target of spatial data, belong to the key."""
    parts = [batches(body(hourly("0100"), hourly("2400")), "hourly")[0]]
    parts += batches(body(hourly("2400", HlyAirTmp=item("7"))), "hourly")
    made = unify(parts)
    assert made["hour"].to_pylist() == [1, 24]
    assert made["air_tmp"].to_pylist() == [-4, 70]
    zips = [record(Station=..., ZipCodes=z) for z in ("95616", "95618")]
    made = unify([_batch(*zips, key="target"), _batch(zips[0], key="target")])
    assert made["target"].to_pylist() == ["95618", "95616"]


def test_flags_of_batches_keep_their_meaning() -> None:
    """Dictionaries that differ are joined by text, not by code."""
    parts = [
        _batch(record(Station=str(i), DayPrecip=item("1", flag, "(mm)")))
        for i, flag in enumerate(["Y", "A", " ", "M"])
    ]
    made = unify(parts)
    assert made["precip_qc"].to_pylist() == ["Y", "A", None, "M"]


def test_rows_are_those_of_the_batches() -> None:
    """Nothing but form changes."""
    values = ["1", "2.25", None, "-30000", "400000"]
    parts = [
        _batch(record(Station=str(i), DayPrecip=item(v, "R", ""))) for i, v in enumerate(values)
    ]
    due = {key: row for part in parts for key, row in rows_of(part).items()}
    made = unify(parts)
    assert same(rows_of(made), due)
    assert made["precip"].to_pylist() == [100, 225, None, -3000000, 40000000]
    assert Decimal(225).scaleb(-2) == Decimal("2.25")


def test_no_batches() -> None:
    """Without batches the schema must be given; the table is empty."""
    schema = scaled_schema(Scope.DAILY, default_items(Scope.DAILY))
    assert unify([], empty=schema).schema == schema
    with pytest.raises(UsageError):
        unify([])


def test_scopes_do_not_mix() -> None:
    """Daily and hourly batches are no one table."""
    with pytest.raises(UsageError):
        unify([_batch(record()), batches(body(hourly("0100")), "hourly")[0]])
