"""``cimis compact`` and ``cimis cache`` say what the read cache holds, and make or empty it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cimis.pipeline.chunks import ChunkKey
from cimis.pipeline.field.items import Scope
from tests.cli.conftest import typed
from tests.queries.conftest import put, year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

SUM = "select count(*) as n, round(sum(asce_eto), 4) as total from daily"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stations' year, in the data directory that the environment names."""
    place = tmp_path / "d"
    monkeypatch.setenv("CIMIS_DATA_DIR", str(place))
    put(place, [year_table(Scope.DAILY, station, 2021) for station in (2, 5)])
    return place


def _read(typed: Typed, *more: str) -> dict[str, int]:
    """Ask, and return what was read for it."""
    answer = typed("sql", SUM, "--perf", "--json", *more)
    assert answer.code == 0, answer.err
    found: dict[str, int] = json.loads(answer.err.splitlines()[-1])["perf"]
    return found


def _compacted(typed: Typed) -> dict[str, dict[str, Any]]:
    answer = typed("compact", "--json")
    assert answer.code == 0, answer.err
    return {row["scope"]: row for row in json.loads(answer.out)}


def _stats(typed: Typed, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(typed("cache", "stats", "--json", *more).out)
    return found


def test_compact_makes_what_questions_then_read(typed: Typed, root: Path) -> None:
    done = _compacted(typed)
    rows = sum(year_table(Scope.DAILY, station, 2021).num_rows for station in (2, 5))
    daily = done["daily"]
    assert (daily["chunks"], daily["rows"], daily["decoded"]) == (2, rows, 2)
    assert done["hourly"]["chunks"] == 0
    read = _read(typed)
    assert (read["mirror_chunks"], read["mirror_rows"]) == (2, rows)
    assert (read["chunks_refreshed"], read["chunks_read"]) == (0, 0)


def test_compact_again_reads_nothing_and_tells_the_same(typed: Typed, root: Path) -> None:
    first, again = _compacted(typed), _compacted(typed)
    told = ("chunks", "rows", "damaged", "bytes")
    for scope in ("daily", "hourly"):
        assert [again[scope][name] for name in told] == [first[scope][name] for name in told]
        assert again[scope]["decoded"] == 0


def test_compact_reads_what_has_changed(typed: Typed, root: Path) -> None:
    put(root, [year_table(Scope.DAILY, station, 2020) for station in (2, 5, 7, 80)])
    _compacted(typed)
    put(root, [year_table(Scope.DAILY, 5, 2021, seed=1)])
    assert (_compacted(typed)["daily"]["decoded"], _read(typed)["chunks_refreshed"]) == (1, 0)


def test_compact_counts_damaged_chunks(typed: Typed, root: Path) -> None:
    path = ChunkKey(Scope.DAILY, 2021, station=5).path(root)
    path.write_bytes(path.read_bytes()[:-9])
    assert _compacted(typed)["daily"]["damaged"] == 1
    assert _compacted(typed)["daily"]["damaged"] == 1


def test_an_unreadable_mirror_is_made_again_by_compact(typed: Typed, root: Path) -> None:
    first = _compacted(typed)
    (mirror,) = (root / ".cache").glob("daily-*.duckdb")
    mirror.write_bytes(b"no database")
    again = _compacted(typed)["daily"]
    assert (again["chunks"], again["rows"]) == (first["daily"]["chunks"], first["daily"]["rows"])
    assert again["decoded"] == 2


def test_stats_tell_what_there_is(typed: Typed, root: Path) -> None:
    before = _stats(typed)
    assert (before["daily_current"], before["bytes"], before["limit_bytes"]) == (False, 0, None)
    assert before["path"] == str(root / ".cache")
    assert _read(typed)["chunks_refreshed"] == 2
    after = _stats(typed, "--cache", "5MB")
    assert (after["daily_current"], after["hourly_current"]) == (True, False)
    assert 0 < after["daily_bytes"] <= after["bytes"]
    assert after["limit_bytes"] == 5_000_000
    put(root, [year_table(Scope.DAILY, 7, 2021)])
    assert not _stats(typed)["daily_current"]


def test_clear_deletes_it_and_a_question_makes_it_again(typed: Typed, root: Path) -> None:
    _read(typed)
    held = _stats(typed)["bytes"]
    assert f"{held:,} bytes freed" in typed("cache", "clear").err
    assert _stats(typed)["bytes"] == 0
    assert "0 bytes freed" in typed("cache", "clear").err
    assert _read(typed)["chunks_refreshed"] == 2


def test_with_none_kept_each_question_reads_chunks(typed: Typed, root: Path) -> None:
    kept = typed("sql", SUM).out
    typed("cache", "clear")
    for _ in range(2):
        read = _read(typed, "--cache", "0")
        assert (read["mirror_chunks"], read["chunks_refreshed"], read["chunks_read"]) == (0, 0, 2)
    assert typed("sql", SUM, "--cache", "0", "--format", "csv").out == kept
    assert (_stats(typed)["bytes"], _stats(typed, "--cache", "0")["limit_bytes"]) == (0, 0)
    refused = typed("compact", "--cache", "0")
    assert refused.code == 7
    assert "CIMIS_CACHE_DIR" in refused.err
