"""A body that is not what the API sends is an error, never short or wrong data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from decode_bodies import batches, body, envelope, generated, hourly, item, record, text

from cimis.pipeline.decode import decode
from cimis.pipeline.errors import DecodeError
from cimis.pipeline.field.items import Scope

GOOD = body(record(), record(Station="5"))


def _error(data: bytes, scope: str = "daily", **options: Any) -> DecodeError:
    found = []
    for size in (1, 50, 1 << 20):
        with pytest.raises(DecodeError) as caught:
            batches(data, scope, size, **options)
        found.append(caught.value)
    assert len({str(error) for error in found}) == 1, "the error depends on the pieces"
    return found[0]


def test_truncation_at_every_byte() -> None:
    """A body cut anywhere is an error."""
    for data in (GOOD, body(*generated(Scope.DAILY, 2), indent=1)):
        for end in range(len(data)):
            with pytest.raises(DecodeError):
                batches(data[:end])


@pytest.mark.parametrize("more", ["x", "{}", ",", "]", "null", "\x00", '"a"', GOOD.decode()])
def test_text_after_the_end(more: str) -> None:
    """Nothing but blanks may follow the body."""
    error = _error(GOOD + more.encode())
    assert "after the end" in str(error)
    assert error.offset == len(GOOD)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"<html><title>Request Rejected</title></html>", "HTML"),
        (b"  <!DOCTYPE html>", "HTML"),
        (b"\x1f\x8b\x08\x00abc", "compressed"),
        (b"\x28\xb5\x2f\xfdabc", "compressed"),
        ("{}".encode("utf-16"), "UTF-16"),
        (b"[]", "does not begin with an object"),
        (b"null", "does not begin with an object"),
        (b'"text"', "does not begin with an object"),
        (b"Bad request", "does not begin with an object"),
        (b"{}", "no 'Data'"),
        (b'{"Data":{}}', "no 'Providers'"),
        (b'{"Data":null}', "'Data' is not an object"),
        (b'{"Data":[]}', "'Data' is not an object"),
        (b'{"Data":{"Providers":null}}', "'Providers' is not an array"),
        (b'{"Data":{"Providers":{}}}', "'Providers' is not an array"),
        (b'{"Data":{"Providers":[null]}}', "not an object"),
        (b'{"Data":{"Providers":[[]]}}', "not an object"),
        (b'{"Data":{"Providers":[{}]}}', "no 'Records'"),
        (b'{"Data":{"Providers":[{"Records":null}]}}', "'Records' is not an array"),
        (b'{"Data":{"Providers":[{"Records":{}}]}}', "'Records' is not an array"),
        (b'{"Data":{"Providers":[{"Records":"[]"}]}}', "'Records' is not an array"),
        (b'{"Data":{"Providers":[{"Records":[],"Records":[]}]}}', "twice"),
        (b'{"Data":{"Providers":[]},"Data":{"Providers":[]}}', "twice"),
    ],
)
def test_bodies_of_another_kind(data: bytes, reason: str) -> None:
    """Emptiness, HTML, compressed text and wrong nesting are told apart."""
    assert reason in str(_error(data))


@pytest.mark.parametrize(
    "answer",
    [
        {"Message": "ERR1035-DATA ITEM NOT FOUND"},
        {"error": {"code": "1", "message": "ERR1035-DATA ITEM NOT FOUND"}},
        {"error": "ERR1035-DATA ITEM NOT FOUND"},
        {"statusCode": 401, "message": "ERR1035-DATA ITEM NOT FOUND"},
    ],
)
def test_an_error_object_says_what_the_service_said(answer: dict[str, Any]) -> None:
    """The text of the service's error stands in ours."""
    error = _error(text(answer))
    assert "sent an error" in str(error)
    assert "ERR1035" in str(error)


BROKEN = {
    "missing comma": (b"},{", b"}{"),
    "double comma": (b"},{", b"},,{"),
    "trailing comma": (b"}]", b"},]"),
    "leading comma": (b"[{", b"[,{"),
    "comma in a record": (b',"Scope"', b',,"Scope"'),
    "single quotes": (b'"Julian"', b"'Julian'"),
    "control character": (b"93624", b"93\x0124"),
    "raw newline in a string": (b"93624", b"93\n24"),
    "bad escape": (b"93624", b"93\\x24"),
    "bad UTF-8 in a kept string": (b"(C)", b"(\xff)"),
    "bad UTF-8 in a skipped string": (b"93624", b"93\xc3(4"),
    "overlong UTF-8": (b"93624", b"93\xc0\xaf4"),
    "bad UTF-8 in the envelope": (b"cimis", b"cim\xffs"),
    "swapped brackets": (b"]}]}}", b"}]]}}"),
    "array for object": (b"}]}]}}", b"}]]}}"),
    "comment": (b"},{", b"},/**/{"),
    "unquoted key": (b'"Records"', b"Records"),
    "missing colon": (b'"Records":', b'"Records" '),
    "missing quote": (b'"Station"', b'"Station'),
    "capital literal": (b'"12.4"', b"Null"),
    "leading zero": (b'"12.4"', b"012"),
    "NUL": (b"},{", b"},\x00{"),
    "null record": (b"},{", b"},null,{"),
    "list record": (b"},{", b"},[],{"),
    "number record": (b"},{", b"},1,{"),
    "number in the envelope": (b'"cimis"', b"01"),
    "literal in the envelope": (b'"cimis"', b"nul"),
    "nested end": (b'"cimis"', b"{]"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_json(name: str) -> None:
    """Each fault of grammar, in records or around them, is found, with an offset near it."""
    old, new = BROKEN[name]
    assert old in GOOD
    error = _error(GOOD.replace(old, new, 1))
    assert error.offset is not None


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no date": ({"Date": ...}, "Date"),
    "null date": ({"Date": None}, "Date"),
    "date that does not exist": ({"Date": "2024-02-30"}, "Date"),
    "date with time": ({"Date": "2024-02-28T00:00"}, "Date"),
    "other date form": ({"Date": "2/28/2024"}, "Date"),
    "compact date": ({"Date": "20240228"}, "Date"),
    "date with other digits": ({"Date": "2024-02-2\u0668"}, "Date"),
    "date number": ({"Date": 20240228}, "Date"),
    "no station": ({"Station": ...}, "Station"),
    "null station": ({"Station": None}, "Station"),
    "station text": ({"Station": "x"}, "Station"),
    "station too large": ({"Station": "70000"}, "Station"),
    "huge station": ({"Station": "9" * 400}, "Station"),
    "negative station": ({"Station": "-2"}, "Station"),
    "station list": ({"Station": ["2"]}, "Station"),
    "hour in daily": ({"Hour": "0100"}, "Hour"),
    "other scope": ({"Scope": "hourly"}, "Scope"),
    "scope list": ({"Scope": []}, "Scope"),
    "english": ({"Standard": "english"}, "Standard"),
    "no standard": ({"Standard": ...}, "Standard"),
    "null standard": ({"Standard": None}, "Standard"),
    "item text": ({"DayAirTmpAvg": "12.4"}, "DayAirTmpAvg"),
    "item list": ({"DayAirTmpAvg": [item("1")]}, "DayAirTmpAvg"),
    "item number": ({"DayAirTmpAvg": 12.4}, "DayAirTmpAvg"),
    "item without value": ({"DayAirTmpAvg": {"Qc": " ", "Unit": "(C)"}}, "DayAirTmpAvg"),
    "fahrenheit": ({"DayAirTmpAvg": item("1", " ", "(F)")}, "DayAirTmpAvg"),
    "kelvin": ({"DayAirTmpAvg": item("1", " ", "(K)")}, "DayAirTmpAvg"),
    "inches": ({"DayPrecip": item("1", " ", "(in)")}, "DayPrecip"),
    "unit number": ({"DayPrecip": item("1", " ", 5)}, "DayPrecip"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_records_name_record_and_key(name: str) -> None:
    """A record whose fields cannot be right is named by number, offset and key."""
    changes, key = WRONG[name]
    data = body(record(), record(Station="5"), record(Julian="@", **changes))
    error = _error(data)
    assert (error.record, error.key) == (2, key)
    assert error.offset == data.rindex(b'{"Date"') if "Date" not in changes else error.offset


@pytest.mark.parametrize("hour", [None, "", "0000", "2500", "0130", "1", "01:00", "100 ", "-100"])
def test_wrong_hours(hour: str | None) -> None:
    """Hours are whole, from 0100 to 2400."""
    assert _error(body(hourly(hour)), "hourly").key == "Hour"


def test_spatial_and_station_records_are_not_mixed_up() -> None:
    """The hint says which key to decode with."""
    error = _error(body(record(Station=...)))
    assert "target" in str(error.hint)
    error = _error(body(record()), key="target")
    assert "station" in str(error.hint)
    assert _error(body(record(Station=..., ZipCodes="")), key="target").record == 0


@pytest.mark.parametrize("where", ["record", "envelope", "item"])
def test_deep_nesting_is_bounded(where: str) -> None:
    """Two hundred thousand brackets are an error, not a crash."""
    deep = b"[" * 200_000
    old = {"record": b'"2"', "envelope": b'"cimis"', "item": b'"12.4"'}[where]
    data = GOOD.replace(old, deep, 1)
    with pytest.raises(DecodeError):
        batches(data)
    with pytest.raises(DecodeError):
        batches(GOOD.replace(old, deep + b"]" * 200_000, 1))


@pytest.mark.parametrize("start", [b'{"Date":"', b'{"Date":[', b'{"a":1,' * 3])
@pytest.mark.parametrize("old", [b"{", b'{"Date"'])
def test_endless_records_and_tokens_are_bounded(old: bytes, start: bytes) -> None:
    """A record or string that never ends stops the decoder after a bounded number of bytes."""
    at = GOOD.index(old, 1)
    pieces = iter([GOOD[:at] + start, *[b"9" * 60_000] * 40])
    with pytest.raises(DecodeError):
        list(decode(pieces, scope="daily"))
    assert len(list(pieces)) > 10


def test_rows_before_a_fault_come_before_the_error() -> None:
    """Batches come before the body is proven whole, as documented."""
    data = body(*generated(Scope.DAILY, 16_400, items=()))
    stream = decode([data[:-1]], scope="daily")
    assert next(stream).num_rows == 16_384
    with pytest.raises(DecodeError, match="cut short"):
        next(stream)


def test_more_flags_than_a_column_can_name() -> None:
    """A flag column's dictionary has int8 codes; too many flags are an error, not a wrong flag."""
    days = [record(Station=str(i), DayPrecip=item("1", f"{i:03}", "(mm)")) for i in range(127)]
    (batch,) = batches(body(*days))
    assert batch.column("precip_qc").to_pylist() == [f"{i:03}" for i in range(127)]
    days.append(record(Station="999", DayPrecip=item("1", "zz", "(mm)")))
    assert "different flags" in str(_error(body(*days)))


def test_offsets_count_bytes_not_characters() -> None:
    """The offset of an error is in bytes of the decoded body."""
    data = body(record(Note="🌦°" * 50), record(Date="bad"))
    assert _error(data).offset == data.index(b'{"Date":"bad"')
    assert json.loads(data)
    assert envelope([])
