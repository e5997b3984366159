"""What ``query``, ``sql``, ``stats``, ``stations`` and ``inspect`` answer, option by option."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from cimis.cli.main import run
from cimis.pipeline.emulator import Emulator, GeneratedSource

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

WEEK = ("--start", "2024-07-01", "--end", "2024-07-07")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with two stations' 2023 and 2024, three days hourly, and the list."""
    folder = tmp_path_factory.mktemp("asked") / "d"
    with Emulator(GeneratedSource()) as server:
        service = ["--base-url", server.base_url, "--app-key", server.app_key, "--quiet"]
        fetch = ["fetch", "--data-dir", str(folder), *service]
        assert run([*fetch, "--stations", "2,80", "--year", "2023-2024"]) == 0
        hours = ["--start", "2024-07-01", "--end", "2024-07-03", "--scope", "hourly"]
        assert run([*fetch, "--stations", "80", *hours]) == 0
        assert run(["stations", "--data-dir", str(folder), "--refresh", *service, "--json"]) == 0
    return folder


@pytest.fixture(autouse=True)
def _data_dir(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(root))


def rows(typed: Typed, *arguments: str) -> list[dict[str, Any]]:
    """Type a question with ``--json`` and return its rows."""
    answer = typed(*arguments, "--json")
    assert answer.code == 0, answer.err
    found: list[dict[str, Any]] = json.loads(answer.out)
    return found


def test_both_ends_of_a_range_are_inclusive(typed: Typed) -> None:
    """Seven days asked for are seven rows, in order, for each station."""
    found = rows(typed, "query", "--stations", "2,80", *WEEK)
    assert [r["station"] for r in found] == [2] * 7 + [80] * 7
    assert [r["date"] for r in found[:7]] == [f"2024-07-{day:02}" for day in range(1, 8)]


def test_the_options_of_the_old_program_work(typed: Typed) -> None:
    """One dash does as well as two, and --station as --stations."""
    old = typed("query", "-station", "80", "-start", "2024-07-01", "-end=2024-07-07")
    assert old == typed("query", "--stations", "80", *WEEK)


def test_without_stations_or_days_all_is_given(typed: Typed) -> None:
    """An open question is answered with all that is stored."""
    assert len(rows(typed, "query")) == 2 * (365 + 366)
    assert len(rows(typed, "query", "--year", "2023")) == 2 * 365
    assert len(rows(typed, "query", "--start", "2024-12")) == 2 * 31
    assert len(rows(typed, "query", "--end", "2023-01")) == 2 * 31


def test_items_choose_columns(typed: Typed) -> None:
    """``--items`` takes short names, API codes and JSON keys, and gives the columns' order."""
    (first, *_) = rows(typed, "query", *WEEK, "--items", "precip,day-asce-eto,DayAirTmpAvg")
    columns = ["precip", "asce_eto", "air_tmp_avg"]
    assert list(first) == ["station", "date", *(c + q for c in columns for q in ("", "_qc"))]


def test_hours_have_their_own_records(typed: Typed) -> None:
    """``--hourly`` gives hours named by their end, 24 of each day."""
    found = rows(typed, "query", "--hourly", "--start", "2024-07-02", "--end", "2024-07-02")
    assert [r["hour"] for r in found] == list(range(1, 25))
    assert found[-1]["time"].replace("T", " ").startswith("2024-07-03 00:00")
    assert {r["date"] for r in found} == {"2024-07-02"}


def test_units_change_values_and_their_names(typed: Typed, tmp_path: Path) -> None:
    """``--units english`` converts, and says the unit in the metadata."""
    asked = ("query", "--station", "80", *WEEK, "--items", "air_tmp_avg")
    metric, english = rows(typed, *asked), rows(typed, *asked, "--units", "english")
    for one, other in zip(metric, english, strict=True):
        assert other["air_tmp_avg"] == pytest.approx(one["air_tmp_avg"] * 1.8 + 32, abs=0.051)
    target = tmp_path / "x.parquet"
    typed(*asked, "--units", "english", "-o", target)
    assert pq.read_schema(target).field("air_tmp_avg").metadata[b"unit"] == b"(F)"


def test_flags_make_values_missing_only_where_asked(typed: Typed) -> None:
    """``--qc`` takes away flagged values, strict more than drop-severe; the flags stay."""
    kept, severe, strict = (
        rows(typed, "query", "--year", "2024", "--qc", policy)
        for policy in ("keep", "drop-severe", "strict")
    )
    assert kept == rows(typed, "query", "--year", "2024")
    counts = [
        sum(v is not None for r in found for k, v in r.items() if not k.endswith("_qc"))
        for found in (kept, severe, strict)
    ]
    assert counts[0] > counts[1] > counts[2]
    for before, after in zip(kept, strict, strict=True):
        for name in (n for n in before if n.endswith("_qc")):
            assert before[name] == after[name]
            assert after[name] is None or after[name.removesuffix("_qc")] is None


def test_every_format_holds_the_same_rows(typed: Typed, tmp_path: Path) -> None:
    """CSV, TSV, JSON, NDJSON and Parquet of one question agree."""
    asked = ("query", "--stations", "2,80", *WEEK, "--items", "asce_eto")
    wanted = [(r["station"], r["date"], r["asce_eto"]) for r in rows(typed, *asked)]
    for suffix in ("csv", "tsv", "json", "ndjson", "parquet"):
        answer = typed(*asked, "--output", tmp_path / f"x.{suffix}")
        assert (answer.code, answer.out) == (0, "")
    texts = {s: (tmp_path / f"x.{s}").read_text() for s in ("csv", "tsv", "json", "ndjson")}
    for suffix, separator in (("csv", ","), ("tsv", "\t")):
        read = csv.DictReader(io.StringIO(texts[suffix]), delimiter=separator)
        assert [
            (int(r["station"]), r["date"], float(r["asce_eto"]) if r["asce_eto"] else None)
            for r in read
        ] == wanted
    lines = [json.loads(line) for line in texts["ndjson"].splitlines()]
    assert lines == json.loads(texts["json"])
    table = pq.read_table(tmp_path / "x.parquet").to_pylist()
    assert [(r["station"], str(r["date"]), r["asce_eto"]) for r in table] == wanted


def test_perf_and_the_cache(typed: Typed) -> None:
    """``--perf`` counts: chunks read for one question, or the mirror, made by the first."""
    asked = ("query", "--station", "80", *WEEK, "--perf")
    said = typed(*asked, "--cache", "0").err
    assert "chunks      4 considered, 3 skipped, 1 read" in said
    assert "read        1 files" in said
    assert typed("cache", "clear").code == 0
    months = ("query", "--station", "80", "--year", "2023", "--every", "month", "--perf", "--json")
    counts = []
    for more in ((), ("--cache", "20MB"), ("--cache", "0")):
        facts = json.loads(typed(*months, *more).err.splitlines()[-1])["perf"]
        counts.append(
            [facts[name] for name in ("mirror_chunks", "chunks_refreshed", "chunks_read")]
        )
    assert counts == [[4, 4, 0], [4, 0, 0], [0, 0, 1]]
    assert typed("query", *WEEK, "--cache", "lots").code == 2


def test_sql_from_argument_file_and_standard_input(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question comes from exactly one place."""
    text = "select station, count(*) as days from daily group by station order by station"
    wanted = "station,days\n2,731\n80,731\n"
    assert typed("sql", text).out == wanted
    file = tmp_path / "question.sql"
    file.write_text(text)
    assert typed("sql", "--file", file).out == wanted
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert typed("sql").out == wanted
    assert typed("sql", text, "--file", file).code == 2
    assert typed("sql", "--file", tmp_path / "absent.sql").code == 2


def test_sql_sees_all_four_views_and_lifts_the_sandbox_only_when_asked(
    typed: Typed, tmp_path: Path
) -> None:
    """daily, hourly, stations and chunks can be joined; files only with ``--unsafe``."""
    text = (
        "select s.name, count(*) as hours from hourly h join stations s using (station) "
        "join chunks c on c.station = h.station and c.scope = 'hourly' group by s.name"
    )
    (row,) = rows(typed, "sql", text)
    assert row["hours"] == 72
    (tmp_path / "x.csv").write_text("a\n1\n")
    text = f"select a from read_csv('{tmp_path / 'x.csv'}')"
    assert typed("sql", text).code == 2
    assert typed("sql", text, "--unsafe").out == "a\n1\n"


def test_an_empty_answer_of_sql(typed: Typed) -> None:
    """No rows: the header, and exit code 3 unless emptiness is allowed."""
    text = "select station from daily where station = 9"
    assert typed("sql", text)[:2] == (3, "station\n")
    assert typed("sql", text, "--allow-empty")[:2] == (0, "station\n")


def test_stats_count_what_is_stored(typed: Typed) -> None:
    """Rows, chunks and days per scope, station or year."""
    daily, hourly = rows(typed, "stats")
    assert (daily["stations"], daily["chunks"], daily["rows"]) == (2, 4, 1462)
    assert (daily["first"], daily["last"]) == ("2023-01-01", "2024-12-31")
    assert (hourly["rows"], hourly["first"], hourly["last"]) == (72, "2024-07-01", "2024-07-03")
    assert daily["bytes_per_row"] == round(daily["bytes"] / 1462, 2)
    assert [r["station"] for r in rows(typed, "stats", "--by", "station")] == [2, 80, 80]
    assert [r["year"] for r in rows(typed, "stats", "--by", "year")] == [2023, 2024, 2024]


def test_stations_are_found_by_name_county_and_state(typed: Typed) -> None:
    """The list from the catalog, narrowed."""
    every = rows(typed, "stations")
    assert len(every) > 200
    active, closed = rows(typed, "stations", "--active"), rows(typed, "stations", "--closed")
    assert len(active) + len(closed) == len(every)
    assert all(s["disconnected"] is None for s in active)
    county = every[0]["county"]
    found = rows(typed, "stations", "--county", county.lower())
    assert found
    assert all(county in s["county"] for s in found)
    name = every[0]["name"]
    assert every[0] in rows(typed, "stations", "--called", name.upper())
    assert typed("stations", "--called", "no such place").code == 3
    both = [s["name"] for s in rows(typed, "stations", "--called", "davis, shafter")]
    assert {name.rstrip("0123456789") for name in both} == {"Davis", "Shafter"}


def test_no_list_of_stations_says_how_to_get_one(typed: Typed, tmp_path: Path) -> None:
    """A catalog without the list is no match, with the command that fetches it."""
    typed("init", tmp_path / "new")
    code, out, err = typed("stations", "--data-dir", tmp_path / "new")
    assert (code, out) == (3, "")
    assert "cimis stations --refresh" in err


def test_inspect_shows_the_inside_of_a_chunk(typed: Typed, root: Path) -> None:
    """Format, rows, and per column its unit, extremes and size."""
    chunk = root / "stations/080/2024_daily.zst"
    facts = json.loads(typed("inspect", chunk, "--json").out)
    assert (facts["format"], facts["station"], facts["rows"]) == ("v2", 80, 366)
    columns = {c["item"]: c for c in facts["columns"]}
    (least,) = rows(
        typed,
        "sql",
        "select min(precip) a, max(precip) b from daily where station = 80 and year(date) = 2024",
    )
    assert (columns["precip"]["minimum"], columns["precip"]["maximum"]) == tuple(least.values())
    assert columns["precip"]["unit"] == "mm"
    assert typed("inspect", root / "absent.zst").code == 7


@pytest.mark.parametrize("qc", ["drop-severe", "strict"])
@pytest.mark.parametrize("more", [("--format", "csv"), ("--format", "csv", "-o")])
def test_what_a_flag_policy_removes_is_counted(
    qc: str, more: tuple[str, ...], typed: Typed, tmp_path: Path
) -> None:
    """On standard error and in ``--perf``: values that were there and are missing now."""
    asked = ("query", "--stations", "2", "--start", "2024-03-01", "--end", "2024-04-30")

    def cells(*options: str) -> tuple[int, str, dict[str, Any]]:
        file = tmp_path / f"{len(options)}.csv"
        given = (*more, file) if more[-1] == "-o" else more
        answer = typed(*asked, *given, *options, "--perf", "--json")
        text = file.read_text() if more[-1] == "-o" else answer.out
        found = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        return sum(map(bool, found)), answer.err, json.loads(answer.err.splitlines()[-1])["perf"]

    before, said, facts = cells()
    assert (facts["values_removed"], "made missing" in said) == (0, False)
    after, said, facts = cells("--qc", qc)
    assert facts["values_removed"] == before - after > 0
    assert f"{before - after} flagged values made missing by --qc {qc}" in said
    assert "made missing" not in typed(*asked, *more[:2], "--qc", qc, "--quiet").err
