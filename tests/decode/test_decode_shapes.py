"""Whatever form the JSON of a right body has, the rows are the same."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from decode_bodies import batches, body, envelope, generated, hourly, item, record, table, text
from decode_reference import reference, rows_of, same

from cimis.pipeline.decode import StreamDecoder, adecode, decode
from cimis.pipeline.decode.stream import WINDOW
from cimis.pipeline.errors import DecodeError, UsageError
from cimis.pipeline.field.items import ITEMS, Scope, Standard, default_items
from cimis.pipeline.rows.schema import table_items

STYLES: dict[str, dict[str, Any]] = {
    "compact": {"separators": (",", ":")},
    "spaced": {"separators": (", ", ": ")},
    "indent 2": {"indent": 2},
    "tabs": {"indent": "\t"},
    "wide": {"indent": 12},
}


def _check(data: bytes, scope: Scope = Scope.DAILY, **options: Any) -> pa.Table:
    due = reference(data, scope, **options)
    made = table(data, scope, **options)
    assert same(rows_of(made), due)
    for size in (1, 64):
        assert table(data, scope, size, **options).equals(made, check_metadata=True)
    return made


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("scope", Scope)
def test_whitespace_makes_no_difference(scope: Scope, style: str) -> None:
    """Compact, spaced and pretty-printed bodies give the same table."""
    records = generated(scope, 40, stations=(2, 80))
    assert _check(body(*records, **STYLES[style]), scope).equals(table(body(*records), scope))


def test_crlf_bom_and_trailing_newline() -> None:
    """A byte-order mark in front, CRLF inside and a newline behind are no part of the data."""
    data = body(record(), record(Station="5"), indent=2).replace(b"\n", b"\r\n")
    made = _check(b"\xef\xbb\xbf" + data + b"\r\n \t")
    assert made.num_rows == 2


@pytest.mark.parametrize("seed", range(5))
def test_keys_in_any_order(seed: int) -> None:
    """Shuffled keys of records, items and envelope change nothing."""
    rng = random.Random(seed)

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            keys = list(value)
            rng.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        return [shuffled(v) for v in value] if isinstance(value, list) else value

    records = generated(Scope.HOURLY, 30, stations=(2, 5))
    data = text(shuffled(envelope(records[:10], records[10:], Other={"Records": [1]})))
    assert _check(data, Scope.HOURLY).equals(table(body(*records), "hourly"))


def test_several_providers_one_empty() -> None:
    """Records of all providers come in the body's order."""
    records = generated(Scope.DAILY, 9, stations=(2, 5, 80))
    data = text(envelope(records[:4], [], records[4:]))
    decoder = StreamDecoder("daily")
    found = decoder.feed(data) + decoder.finish()
    assert found[0].column("station").to_pylist() == [2, 2, 2, 5, 5, 5, 80, 80, 80]
    assert decoder.stats.providers == 3
    assert decoder.stats.records == 9


@pytest.mark.parametrize("data", [body(), text(envelope()), body(indent=3), text(envelope([], []))])
def test_a_body_without_records_gives_no_batches(data: bytes) -> None:
    """A station without data answers an empty list, which is no error."""
    assert batches(data) == []


def test_interleaved_stations() -> None:
    """Rows stay in the order of the body."""
    days = [record(Station=str(s), Date=f"2024-03-0{d}") for d in (1, 2, 3) for s in (80, 2, 5)]
    assert _check(body(*days))["station"].to_pylist() == [80, 2, 5] * 3


def test_strings_that_look_like_structure() -> None:
    """Braces, brackets, quotes and separators inside strings are text."""
    nasty = '}},{"Date":"2020-01-01"}]}]}}\\"\u2028 {"Records":['
    days = [record(Date=f"2024-01-{d:02}", ZipCodes=nasty, Note=nasty) for d in range(1, 9)]
    data = text(envelope(days, Records=nasty, Note=nasty))
    assert _check(data).num_rows == 8


def test_escapes_in_values_and_keys() -> None:
    """An escaped character is the character."""
    data = body(record(), record(Station="5"))
    data = data.replace(b'"DayAirTmpAvg"', b'"\\u0044ayAirTmpAvg"', 1)
    data = data.replace(b'"12.4"', b'"\\u0031\\u0032.4"', 1).replace(b"(mm)", b"(\\u006dm)", 1)
    assert _check(data)["air_tmp_avg"].to_pylist() == [124, 124]


def test_multi_byte_characters_may_be_cut_anywhere() -> None:
    """The degree sign, a four-byte character and an escape survive pieces of one byte."""
    days = [
        hourly("0100", HlyWindDir=item("1", " ", "(º)"), Name="🌦 Añasco"),
        hourly("0200", HlyWindDir=item("2", " ", "(°)"), Name="\\🌦"),
    ]
    assert _check(body(*days), Scope.HOURLY)["wind_dir"].to_pylist() == [1, 2]


def test_unknown_keys_are_skipped_and_counted() -> None:
    """Nested values of unknown keys are passed over; names and number are told."""
    odd = {"deep": [[{"Value": [1, {"Records": []}]}]], "n": None}
    days = [record(Extra=odd, DayMoon=item("1")), record(Station="5", Extra=1)]
    decoder = StreamDecoder("daily")
    found = decoder.feed(text(envelope(days, Meta=odd))) + decoder.finish()
    assert found[0].num_rows == 2
    assert decoder.stats.unknown_keys == 3
    assert decoder.stats.unknown_names == ["Extra", "DayMoon"]


def test_absent_items_are_missing_without_a_flag() -> None:
    """A record may lack an item that another has."""
    made = _check(body(record(DayPrecip=...), record(Station="5", DayAirTmpAvg=None)))
    assert made["precip"].to_pylist() == [None, 25]
    assert made["precip_qc"].to_pylist() == [None, "R"]
    assert made["air_tmp_avg"].to_pylist() == [124, None]


def test_records_without_any_item() -> None:
    """Keys alone are rows too."""
    made = _check(body(record(DayPrecip=..., DayAirTmpAvg=...)))
    assert made.column_names == ["station", "date"]
    given = table(body(record(DayPrecip=..., DayAirTmpAvg=...)), items="precip")
    assert given["precip"].to_pylist() == [None]


def test_given_items_are_exactly_the_columns() -> None:
    """Named items come in registry order, whether the body has them or not; others are left."""
    made = table(body(record()), items="precip,air_tmp_max")
    assert made.column_names == [
        *("station", "date", "air_tmp_max", "air_tmp_max_qc", "precip", "precip_qc")
    ]
    assert made["air_tmp_max"].to_pylist() == [None]
    assert made["precip"].to_pylist() == [25]


def test_found_items_are_the_union_in_registry_order() -> None:
    """Without named items the columns are what the body holds."""
    days = [record(DayAirTmpAvg=...), record(Station="5", DayVapPresMax=item("1.2", " ", "(kPa)"))]
    made = _check(body(*days))
    assert [i.column for i in table_items(made.schema)] == ["air_tmp_avg", "precip", "vap_pres_max"]


def test_garbage_in_an_item_that_was_not_asked_for_does_not_matter() -> None:
    """Only asked items are judged."""
    assert table(body(record(DayAirTmpAvg=item("abc"))), items="precip").num_rows == 1


def test_hours_end_at_2400() -> None:
    """Hour 2400 belongs to its date and ends at 00:00 of the next."""
    made = _check(body(*(hourly(f"{h:02}00") for h in range(1, 25))), Scope.HOURLY)
    assert made["hour"].to_pylist() == list(range(1, 25))
    assert made["time"].to_numpy()[0] == np.datetime64("2024-02-28T01:00")
    assert made["time"].to_numpy()[23] == np.datetime64("2024-02-29T00:00")
    assert set(made["date"].to_pylist()) == {dt.date(2024, 2, 28)}


@pytest.mark.parametrize("hour", [None, ""])
def test_a_null_hour_in_a_daily_record_is_no_hour(hour: str | None) -> None:
    """Some daily records carry "Hour": null."""
    assert _check(body(record(Hour=hour))).num_rows == 1


def test_the_last_of_duplicate_records_wins() -> None:
    """Same station and time: the later record's values, counted."""
    days = [record(), record(Station="5"), record(DayAirTmpAvg=item("1.0")), record(Station="1")]
    decoder = StreamDecoder("daily")
    made = pa.Table.from_batches(decoder.feed(body(*days)) + decoder.finish())
    assert made["station"].to_pylist() == [5, 2, 1]
    assert made["air_tmp_avg"].to_pylist() == [124, 10, 124]
    assert decoder.stats.duplicates == 1
    assert decoder.stats.records == 4
    assert same(rows_of(made), reference(body(*days), Scope.DAILY))


def test_english_units() -> None:
    """English records decode when English is asked, with English decimals."""
    records = generated(Scope.DAILY, 20, standard=Standard.ENGLISH)
    made = _check(body(*records), standard=Standard.ENGLISH)
    assert made.schema.field("air_tmp_avg").metadata[b"unit"] == b"(F)"
    assert made.schema.field("wind_spd_avg").metadata[b"decimals"] == b"2"


@pytest.mark.parametrize("unit", ["(°)", "(º)", "°", "( ° )", "", " ", None, "(deg)"])
def test_spellings_of_one_unit(unit: str | None) -> None:
    """Parentheses, blanks and the kind of degree sign do not matter."""
    data = body(hourly("0100", HlyWindDir=item("1", " ", unit)))
    assert table(data, "hourly")["wind_dir"].to_pylist() == [1]


@pytest.mark.parametrize("unit", ["(MPH)", "(km)", "(m/s)", "?"])
def test_wind_run_and_sectors_pass_with_any_unit(unit: str) -> None:
    """The label of wind run is known to be wrong, those of the sectors are unknown."""
    data = body(record(DayWindRun=item("1", " ", unit), DayWindNne=item("2", " ", unit)))
    made = table(data)
    assert made["wind_run"].to_pylist() == [10]
    assert made.schema.field("wind_nne").metadata[b"unit"] == unit.encode()


SPATIAL = [
    ({"ZipCodes": "95616", "Coordinate": "", "Address": ""}, "95616"),
    ({"ZipCodes": ["95616", "95618"]}, "95616, 95618"),
    ({"ZipCodes": 95616}, "95616"),
    (
        {"ZipCodes": "", "Coordinate": "lat=34.99,lng=-118.34", "Address": ""},
        "lat=34.99,lng=-118.34",
    ),
    ({"ZipCodes": "95814", "Coordinate": "lat=1", "Address": " Capitól "}, "Capitól"),
]


@pytest.mark.parametrize(("target", "text_"), SPATIAL)
def test_spatial_records_are_keyed_by_target(target: dict[str, Any], text_: str) -> None:
    """Zip code, coordinate or address is the key: the most particular that is not blank."""
    days = [record(Station=..., Date=f"2024-01-0{d}", **target) for d in (1, 2)]
    made = _check(body(*days), key="target")
    assert made.schema.field("target").type == pa.string()
    assert made["target"].to_pylist() == [text_, text_]


def test_targets_differ_from_record_to_record() -> None:
    """Several targets in one body, duplicates resolved by target and day."""
    days = [record(Station=..., ZipCodes=z) for z in ("95616", "95618", "95616")]
    made = _check(body(*days), key="target")
    assert made["target"].to_pylist() == ["95618", "95616"]


def test_adecode_gives_the_same() -> None:
    """The asynchronous form differs in nothing."""
    data = body(*generated(Scope.DAILY, 50))

    async def pieces() -> AsyncIterator[bytes]:
        for i in range(0, len(data), 1000):
            yield data[i : i + 1000]

    async def collect() -> list[pa.RecordBatch]:
        return [batch async for batch in adecode(pieces(), scope="daily")]

    assert asyncio.run(collect()) == list(decode([data], scope=Scope.DAILY))


def test_any_bytes_like_piece_and_empty_pieces() -> None:
    """bytes, bytearray, memoryview and nothing at all are pieces."""
    data = body(record())
    pieces: list[Any] = [b"", data[:9], bytearray(data[9:30]), b"", memoryview(data)[30:]]
    assert next(iter(decode(pieces, scope="daily"))).num_rows == 1


def test_batches_have_16384_records_and_come_as_data_arrive() -> None:
    """A batch is given as soon as it is full, with exactly its rows."""
    data = body(*generated(Scope.HOURLY, 18_000, items=default_items(Scope.HOURLY)[:2]))
    decoder = StreamDecoder("hourly")
    early = decoder.feed(data[:-1])
    late = decoder.feed(data[-1:]) + decoder.finish()
    assert [b.num_rows for b in early + late] == [16_384, 1_616]
    assert len(early) == 1
    assert decoder.stats.batches == 2
    assert decoder.stats.bytes == len(data)


@pytest.mark.parametrize("wrong", [{"scope": "weekly"}, {"standard": "si"}, {"key": "zip"}])
def test_wrong_use(wrong: dict[str, Any]) -> None:
    """A scope, standard or key that does not exist is a usage error."""
    with pytest.raises(UsageError):
        list(decode([], **{"scope": "daily", **wrong}))


def test_a_decoder_ends() -> None:
    """After the end or an error a decoder takes no more."""
    decoder = StreamDecoder("daily")
    decoder.feed(body(record()))
    decoder.finish()
    with pytest.raises(UsageError):
        decoder.feed(b" ")
    with pytest.raises(UsageError):
        decoder.finish()
    broken = StreamDecoder("daily")
    with pytest.raises(DecodeError):
        broken.feed(b"x" * WINDOW)
    with pytest.raises(UsageError):
        broken.feed(b"{}")


def test_every_item_of_the_registry_decodes() -> None:
    """All 43 items have a column of their own."""
    seen = []
    for scope in Scope:
        made = table(body(*generated(scope, 3)), scope)
        seen += [i.code for i in table_items(made.schema)]
    assert seen == [i.code for i in ITEMS]
    assert json.loads(body(record()))["Data"]
