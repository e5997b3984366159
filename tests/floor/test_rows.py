"""The one form of rows: widths, decimals, flags and keys, to Arrow and back, nothing rounded."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cimis.pipeline.errors import ChunkError, DecodeError
from cimis.pipeline.field.items import Scope, resolve
from cimis.pipeline.rows.arrays import (
    coded,
    flag_array,
    flag_arrays,
    flag_codes,
    numbers_of,
    ranks,
    text_array,
    value_array,
    value_arrays,
)
from cimis.pipeline.rows.keys import (
    arrange,
    by_station_year,
    last_of_each_key,
    time_arrays,
    times_of,
)
from cimis.pipeline.rows.numbers import (
    canonical,
    decimal_form,
    fewest,
    narrowest,
    rescaled,
    width_of,
)
from cimis.pipeline.rows.schema import decimals_of, item_fields, rows_schema
from cimis.pipeline.rows.union import unify
from cimis.pipeline.rows.values import at_decimals, to_physical, to_scaled

(PRECIP,) = resolve("precip", Scope.DAILY)
STEADY = settings(deadline=None)  # the first call of some functions loads modules
WHOLE = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.sampled_from(["", "A", "R", "Y", "QQ"])


def _rows(
    numbers: list[int | None],
    decimals: int,
    flags: list[str | None] | None = None,
    first: int = 0,
    kind: pa.DataType | None = None,
) -> pa.Table:
    """Return daily rows of station 2, a day each."""
    size = len(numbers)
    array = pa.array(numbers, kind or pa.int64())
    fields = item_fields(PRECIP, array.type, decimals=decimals, unit="(mm)")
    arrays = [
        pa.array(np.full(size, 2, np.uint16)),
        *time_arrays(Scope.DAILY, np.arange(first, first + size)),
        array,
        coded(pa.array(flags or [None] * size, pa.string())),
    ]
    return pa.table(arrays, schema=rows_schema(Scope.DAILY, fields))


def _batch(numbers: list[int | None], decimals: int, **options: object) -> pa.RecordBatch:
    (batch,) = _rows(numbers, decimals, **options).to_batches()  # type: ignore[arg-type]
    return batch


@STEADY
@given(st.lists(WHOLE, min_size=1))
def test_the_narrowest_type_holds_all_values_and_a_narrower_one_does_not(values: list[int]) -> None:
    kind = narrowest(np.array(values, np.int64))
    assert np.array(values, np.int64).astype(kind).tolist() == values
    narrower = {np.int16: None, np.int32: np.int16, np.int64: np.int32}[kind]
    if narrower is not None:
        bounds = np.iinfo(narrower)
        assert min(values) < bounds.min or max(values) > bounds.max


@pytest.mark.parametrize(("low", "high"), [(-(2**63) - 1, 0), (0, 2**63)])
def test_no_type_is_wide_enough_for_more_than_64_bits(low: int, high: int) -> None:
    with pytest.raises(OverflowError):
        width_of(low, high)


@STEADY
@given(st.lists(WHOLE, max_size=9), st.integers(0, 18))
def test_values_are_rescaled_exactly_or_refused(values: list[int], more: int) -> None:
    due = [value * 10**more for value in values]
    fits = all(abs(value) < 2**63 for value in due) or more == 0
    try:
        found = rescaled(np.array(values, np.int64), more).tolist()
    except OverflowError:
        assert not fits
    else:
        assert found == due


def test_a_narrow_column_is_rescaled_without_wrapping() -> None:
    assert rescaled(np.array([-32768, 32767], np.int16), 4).tolist() == [-327680000, 327670000]


@STEADY
@given(st.lists(st.integers(-(10**9), 10**9), max_size=9), st.integers(0, 6), st.integers(0, 6))
def test_fewest_decimals_change_no_value(values: list[int], decimals: int, least: int) -> None:
    kept, places = fewest(np.array(values, np.int64), decimals, least)
    assert min(decimals, least) <= places <= decimals
    assert [int(n) * 10 ** (decimals - places) for n in kept] == values
    assert places <= least or any(int(n) % 10 for n in kept)


@STEADY
@given(st.lists(WHOLE, max_size=9), st.integers(0, 6), st.integers(0, 6))
def test_canonical_values_do_not_tell_at_how_many_decimals_they_came(
    values: list[int], decimals: int, least: int
) -> None:
    small = [value // 10**6 for value in values]
    once = canonical(np.array(small, np.int64), decimals, least)
    twice = canonical(np.array(small, np.int64) * 10, decimals + 1, least)
    assert once[0].tolist() == twice[0].tolist()
    assert once[1] == twice[1]
    shift = Decimal(10) ** -once[1]
    assert [n * shift for n in once[0].tolist()] == [Decimal(v).scaleb(-decimals) for v in small]


def test_a_value_that_the_registrys_decimals_would_overflow_keeps_fewer() -> None:
    assert canonical(np.array([2**62], np.int64), 0, 2)[1] == 0


@STEADY
@given(st.lists(st.none() | st.integers(-(10**15) + 1, 10**15 - 1), min_size=1), st.integers(2, 6))
def test_scaled_to_physical_to_scaled_is_the_same(numbers: list[int | None], decimals: int) -> None:
    table = _rows(numbers, decimals)
    back = to_scaled(to_physical(table))
    field = back.schema.field("precip")
    more = decimals - decimals_of(field)
    assert back.num_columns == table.num_columns
    assert [None if n is None else n * 10**more for n in back["precip"].to_pylist()] == numbers
    present = np.array([n for n in back["precip"].to_pylist() if n is not None], np.int64)
    assert field.type == pa.from_numpy_dtype(narrowest(present))


def test_a_float_that_is_no_decimal_of_15_digits_stays_a_float() -> None:
    table = to_physical(_rows([1, 2], 2))
    odd = table.set_column(2, table.schema.field(2), pa.array([0.1, 1 / 3]))
    assert to_scaled(odd).equals(odd)


def test_an_infinity_is_refused_by_name() -> None:
    table = to_physical(_rows([1, 2], 2))
    odd = table.set_column(2, table.schema.field(2), pa.array([0.1, float("inf")]))
    with pytest.raises(ChunkError, match="'precip' holds inf"):
        to_scaled(odd)


def test_doubles_have_the_fewest_decimals_that_print_them() -> None:
    found = decimal_form(np.array([8.1, -0.25]), 1)
    assert found is not None
    assert (found[0].tolist(), found[1]) == ([810, -25], 2)
    assert decimal_form(np.array([np.nan]), 0) is None


@STEADY
@given(st.lists(st.none() | WHOLE, max_size=20))
def test_values_become_arrow_and_come_back(numbers: list[int | None]) -> None:
    missing = np.array([n is None for n in numbers], np.bool_)
    array = value_array(np.array([n or 0 for n in numbers], np.int64), missing)
    array.validate(full=True)
    assert array.to_pylist() == numbers
    values, gone = numbers_of(array)
    assert [None if gone is not None and gone[k] else int(v) for k, v in enumerate(values)] == (
        numbers
    )


@STEADY
@given(st.integers(1, 4), st.integers(1, 20), st.data())
def test_a_matrix_of_columns_becomes_the_arrays_that_each_would(
    columns: int, rows: int, data: st.DataObject
) -> None:
    cells = st.lists(st.integers(-(2**40), 2**40), min_size=rows, max_size=rows)
    values = np.array([data.draw(cells) for _ in range(columns)], np.int64)
    marks = st.lists(st.booleans(), min_size=rows, max_size=rows)
    valid = np.array([data.draw(marks) for _ in range(columns)], np.bool_)
    values[~valid] = 0
    arrays = value_arrays(values, valid, [narrowest(row) for row in values])
    for array, row, there in zip(arrays, values, valid, strict=True):
        array.validate(full=True)
        assert array.equals(value_array(row, ~there))


@STEADY
@given(st.lists(st.none() | TEXTS, max_size=20), st.booleans())
def test_flags_become_numbers_and_come_back(texts: list[str | None], as_text: bool) -> None:
    array = pa.array(texts, pa.string())
    rows, codes, found = flag_codes(array if as_text else coded(array))
    numbers = np.zeros(len(texts), np.int64)
    numbers[rows] = codes
    back = flag_array(numbers, text_array(found))
    back.validate(full=True)
    assert back.to_pylist() == texts


def test_flags_of_a_batch_share_their_texts_in_order() -> None:
    codes = np.array([[0, 2, 1], [0, 0, 0]], np.uint8)
    flagged, blank = flag_arrays(codes, ["", "Y", "A", "unused"], codes.shape)
    assert flagged.to_pylist() == [None, "A", "Y"]
    assert blank.null_count == 3
    assert flagged.dictionary.to_pylist() == ["A", "Y"]
    assert blank.dictionary.equals(flagged.dictionary)


def test_columns_without_a_flag_need_no_codes() -> None:
    assert [a.to_pylist() for a in flag_arrays(None, [""], (2, 2))] == [[None, None]] * 2


def test_numbers_of_flags_are_those_of_other_texts() -> None:
    assert ranks(["Y", "", "A"], ["A", "Y"]).tolist() == [0, 2, 0, 1]


def test_numbers_of_a_slice_are_its_own() -> None:
    numbers, missing = numbers_of(pa.array([1, None, 3, None], pa.int16()).slice(1, 2))
    assert missing is not None
    assert missing.tolist() == [True, False]
    assert numbers[1] == 3


@STEADY
@given(st.lists(st.integers(0, 700_000), max_size=20), st.sampled_from(list(Scope)))
def test_key_columns_give_the_times_that_made_them(times: list[int], scope: Scope) -> None:
    names = ["date"] if scope is Scope.DAILY else ["time", "date", "hour"]
    columns = dict(zip(names, time_arrays(scope, np.array(times, np.int64)), strict=True))
    assert times_of(pa.table(columns), scope).tolist() == times
    if scope is Scope.HOURLY:
        del columns["time"]
        assert times_of(pa.table(columns), scope).tolist() == times


def test_rows_are_parted_by_station_and_year() -> None:
    days = np.array([365, 364, 365, 0], np.int64)
    columns = [pa.array([5, 5, 2, 5], pa.uint16()), *time_arrays(Scope.DAILY, days)]
    table = pa.table(columns, names=["station", "date"])
    found = [(s, y, len(rows)) for s, y, rows in by_station_year(table)]
    assert found == [(2, 1971, 1), (5, 1970, 2), (5, 1971, 1)]


@STEADY
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(1, 3))))
def test_the_last_row_of_each_key_stays_in_its_place(keys: list[tuple[int, int, int]]) -> None:
    where, days, hours = np.array(keys, np.int64).reshape(-1, 3).T
    kept = last_of_each_key(where, days.astype(np.int32), hours.astype(np.uint8))
    due = sorted({key: place for place, key in enumerate(keys)}.values())
    assert (list(range(len(keys))) if kept is None else kept.tolist()) == due


@STEADY
@given(st.lists(st.integers(0, 9)))
def test_rows_are_arranged_by_time_of_equal_ones_the_last(days: list[int]) -> None:
    table = _rows(list(range(len(days))), 2)
    column = time_arrays(Scope.DAILY, np.array(days, np.int64))[0]
    table = table.set_column(1, table.schema.field(1), column)
    found, dropped = arrange(table, Scope.DAILY)
    last = {day: place for place, day in enumerate(days)}
    assert found["precip"].to_pylist() == [last[day] for day in sorted(last)]
    assert dropped == len(days) - len(last)


@STEADY
@given(
    st.lists(
        st.tuples(
            st.lists(st.none() | st.integers(-(10**9), 10**9), min_size=1, max_size=4),
            st.integers(0, 6),
            st.integers(0, 8),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_union_has_each_day_as_the_last_batch_has_it(
    parts: list[tuple[list[int | None], int, int]],
) -> None:
    made = unify([_batch(numbers, decimals, first=first) for numbers, decimals, first in parts])
    due: dict[int, Decimal | None] = {}
    for numbers, decimals, first in parts:
        for place, number in enumerate(numbers):
            due[first + place] = None if number is None else Decimal(number).scaleb(-decimals)
    places = decimals_of(made.schema.field("precip"))
    days = made["date"].cast(pa.int32()).to_pylist()
    pairs = zip(days, made["precip"].to_pylist(), strict=True)
    assert {d: None if n is None else Decimal(n).scaleb(-places) for d, n in pairs} == due
    assert places == max(decimals for _, decimals, _ in parts)


def test_a_union_that_overflows_is_refused() -> None:
    with pytest.raises(DecodeError, match="64 bits at 6 decimals"):
        unify([_batch([10**17], 0), _batch([1], 6, first=1)])


def test_a_union_keeps_what_just_fits_64_bits() -> None:
    made = unify([_batch([-(2**63)], 2), _batch([1], 1, first=1)])
    assert made["precip"].to_pylist() == [-(2**63), 10]


def test_more_decimals_that_overflow_are_refused() -> None:
    with pytest.raises(OverflowError):
        at_decimals(pa.array([2**62]), 1, pa.int64())
