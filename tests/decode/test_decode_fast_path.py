"""The fast path gives what the general path gives, for right bodies and for wrong ones."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from decode_bodies import batches, body, envelope, generated, hourly, item, record, table, text
from decode_paths import both_paths
from decode_reference import reference, rows_of, same
from hypothesis import given, settings
from hypothesis import strategies as st

from cimis.pipeline.decode import StreamDecoder, stream
from cimis.pipeline.field.items import Scope, scope_items


@pytest.fixture(params=[768 * 1024, 20_000, 5_000], autouse=True)
def _window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of the usual size and so small that records often lie across two."""
    monkeypatch.setattr(stream, "WINDOW", request.param)


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("style", [{}, {"indent": 1}, {"indent": 8}, {"separators": (", ", ": ")}])
def test_bodies_like_the_services_take_the_fast_path(scope: Scope, style: dict[str, Any]) -> None:
    """Nearly all records of a uniform body, in any whitespace, are read together."""
    items = scope_items(scope)[:12]
    data = body(*generated(scope, 300, items=items, stations=(2, 80, 250)), **style)
    stats = both_paths(data, scope)
    assert stats is not None
    assert stats.fast_records >= 290


def test_every_value_form_among_good_records() -> None:
    """Odd values, right or wrong, in one record of many change nothing else."""
    odd: list[Any] = [
        "",
        " ",
        "--",
        ".5",
        "-.5",
        "5.",
        "08.1",
        " 8.1",
        "123456.78",
        "0.00",
        "8.123",
    ]
    odd += [
        "1e1",
        "+5",
        "NaN",
        "-",
        ".",
        "1-2",
        "--5",
        "1.2.3",
        "null",
        "12a",
        "\\u0031",
        "é",
        5,
        -0.5,
    ]
    odd += [
        "-123456",
        "1234567",
        "12345678",
        "-1234567",
        "9" * 12,
        None,
        True,
        [],
        "1\x7f",
        "}",
        "{",
    ]
    for value in odd:
        records = generated(Scope.DAILY, 40, items=scope_items(Scope.DAILY)[:5])
        records[20]["DayAirTmpMax"]["Value"] = value
        both_paths(body(*records), Scope.DAILY)
        both_paths(body(*records), Scope.DAILY, items="dew_pnt,air_tmp_avg")


def test_every_flag_form_among_good_records() -> None:
    """Flags of one letter are read fast; others, and letters JSON escapes, are not misread."""
    odd = [*"AZaz09 !~{}[]:,", "", "N/A", "ABCD", '"', "\\", "\x7f", "é", None, 5, "\t"]
    for flag in odd:
        records = generated(Scope.DAILY, 40, items=scope_items(Scope.DAILY)[:5])
        records[7]["DayAirTmpMin"]["Qc"] = flag
        both_paths(body(*records), Scope.DAILY)
        both_paths(body(*records), Scope.DAILY, items="dew_pnt")


def test_a_flag_byte_that_json_forbids() -> None:
    """A raw control character or half an escape in a flag is the body's fault."""
    data = body(*generated(Scope.DAILY, 40, items=scope_items(Scope.DAILY)[:3]))
    for byte in (b"\x01", b"\\", b"\x80", b'"', b"\x00"):
        at = data.index(b'"Qc":" "', 4000) + 6
        both_paths(data[:at] + byte + data[at + 1 :], Scope.DAILY)


HEADERS: list[dict[str, Any]] = [
    {"Date": "2024-02-30"},
    {"Date": "2023-02-29"},
    {"Date": "2024-02-29"},
    {"Date": "0000-01-01"},
    {"Date": "9999-12-31"},
    {"Date": "2024-13-01"},
    {"Date": "2024-1-01x"},
    {"Date": "2024-01-0\u0661"},
    {"Julian": ""},
    {"Julian": "1234"},
    {"Julian": "x"},
    {"Julian": 5},
    {"Julian": None},
    {"Julian": "1é"},
    {"Hour": "0000"},
    {"Hour": "2500"},
    {"Hour": "0130"},
    {"Hour": None},
    {"Hour": 100},
    {"Station": "x"},
    {"Station": "70000"},
    {"Station": " 5 "},
    {"Station": 5},
    {"Station": None},
    {"Standard": "english"},
    {"Standard": " Metric "},
    {"Scope": "daily"},
    {"Scope": None},
    {"ZipCodes": ""},
    {"ZipCodes": ["95616", "95618"]},
    {"ZipCodes": 'quote " and \\ and {'},
    {"ZipCodes": "x" * 2000},
    {"Extra": {"a": [{}]}},
]


@pytest.mark.parametrize("header", HEADERS, ids=repr)
def test_headers_that_differ(header: dict[str, Any]) -> None:
    """One record with another header is judged as the general path judges it."""
    records = generated(Scope.HOURLY, 60, items=scope_items(Scope.HOURLY)[:4])
    records[30].update(header)
    both_paths(body(*records), Scope.HOURLY)
    for each in records[30:]:
        each.update(header)
    both_paths(body(*records), Scope.HOURLY)


def test_layouts_that_change_within_a_body() -> None:
    """Items come and go, orders change, providers differ: every change of layout is followed."""
    items = scope_items(Scope.HOURLY)
    runs = [items[:5], items[2:9], items[:1], items[::-1], items[:5]]
    records = [r for seed, run in enumerate(runs) for r in _run(run, seed)]
    stats = both_paths(body(*records), Scope.HOURLY)
    assert stats is not None
    assert stats.fast_records > len(records) // 2
    both_paths(text(envelope(records[:90], records[90:])), Scope.HOURLY)
    both_paths(body(*records), Scope.HOURLY, items="dew_pnt,wind_spd,eto")
    random.Random(3).shuffle(records)
    both_paths(body(*records), Scope.HOURLY)


def _run(items: Any, seed: int) -> list[dict[str, Any]]:
    return generated(Scope.HOURLY, 60, items=items, stations=(2 + seed,), seed=seed)


def test_many_stations_interleaved() -> None:
    """A station per record, each with its own zip codes, stays on the fast path."""
    records = generated(
        Scope.DAILY, 400, items=scope_items(Scope.DAILY)[:4], stations=range(1, 101)
    )
    random.Random(5).shuffle(records)
    stats = both_paths(body(*records), Scope.DAILY)
    assert stats is not None
    assert stats.records == 400


def test_unknown_keys_are_countedboth_paths() -> None:
    """Unknown header keys and items are counted on both paths."""
    records = generated(Scope.DAILY, 50, items=scope_items(Scope.DAILY)[:3])
    for each in records:
        each["DayMoon"] = item("1", "R", "(%)")
    records = [{"Note": "x", **each} for each in records]
    stats = both_paths(body(*records), Scope.DAILY)
    assert stats is not None
    assert stats.unknown_keys == 100


def test_units_are_checked_on_the_fast_path() -> None:
    """A record of another unit among good ones is found."""
    records = generated(Scope.DAILY, 50, items=scope_items(Scope.DAILY)[:3])
    records[30]["DayAirTmpMax"]["Unit"] = "(F)"
    assert both_paths(body(*records), Scope.DAILY) is None
    records[30]["DayAirTmpMax"]["Unit"] = "°C"
    assert both_paths(body(*records), Scope.DAILY) is not None
    for each in records:
        each["DayAirTmpMax"]["Unit"] = "(F)"
    assert both_paths(body(*records), Scope.DAILY) is None
    assert both_paths(body(*records), Scope.DAILY, items="dew_pnt") is not None


def test_targets_and_duplicates() -> None:
    """Spatial records and repeated keys are the same on both paths."""
    records = generated(Scope.DAILY, 60, items=scope_items(Scope.DAILY)[:3], stations=(2, 5, 9))
    for n, each in enumerate(records):
        del each["Station"]
        each["ZipCodes"] = str(95000 + n // 7)
    both_paths(body(*records, *records[:9]), Scope.DAILY, key="target")


def test_texts_that_look_like_records() -> None:
    """A string that holds a whole record's text, braces and all, is a string."""
    records = generated(Scope.DAILY, 30, items=scope_items(Scope.DAILY)[:2])
    inner = json.dumps(records[3], separators=(",", ":"))
    for text_ in (inner, "," + inner + ",", inner.replace('"', "'"), '{"Date":"', "}},{", "{" * 50):
        records[9]["ZipCodes"] = text_
        both_paths(body(*records), Scope.DAILY)


VALUES = st.one_of(
    st.none(),
    st.from_regex(r"\A-?[0-9]{1,4}(\.[0-9]{1,3})?\Z"),
    st.sampled_from(["", "--", "-0", "0.00", ".5", "5.", "abc", "1e1", "NaN", " 7"]),
    st.text(max_size=4),
    st.integers(-(10**6), 10**6),
)
FLAGS = st.one_of(
    st.just(" "), st.sampled_from(["R", "M", "", "N/A", "toolong"]), st.text(max_size=2)
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(VALUES, FLAGS, st.integers(1, 366)), min_size=3, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), VALUES, FLAGS), max_size=3),
    st.booleans(),
)
def test_any_values_and_flags(
    cells: list[tuple[Any, Any, int]], odd: list[tuple[int, Any, Any]], pretty: bool
) -> None:
    """Whatever stands in values and flags, both paths and the reference agree."""
    records = [
        hourly("0100", Julian=str(julian), Station=str(n), HlyAirTmp=item("1.5"))
        for n, (_, _, julian) in enumerate(cells)
    ]
    for n, value, flag in odd:
        records[n % len(records)]["HlyAirTmp"] = item(value, flag)
    data = body(*records, **({"indent": 2} if pretty else {}))
    stats = both_paths(data, Scope.HOURLY)
    if stats is not None:
        assert same(rows_of(table(data, Scope.HOURLY)), reference(data, Scope.HOURLY))


def test_the_parameter_switches_the_fast_path_off() -> None:
    """fast=False reads one by one, with the same result."""
    data = body(*generated(Scope.DAILY, 50))
    slow, fast = StreamDecoder("daily", fast=False), StreamDecoder("daily")
    one = slow.feed(data) + slow.finish()
    other = fast.feed(data) + fast.finish()
    assert one == other == batches(data)
    assert (slow.stats.records, slow.stats.fast_records) == (50, 0)
    assert fast.stats.fast_records > 40
    assert record()
