"""The plain path and the streaming one: the same chunks, and what each costs in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cimis.cli.app import ALIASES
from cimis.pipeline.emulator import Emulator, GeneratedSource

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

SIX = "air_tmp_avg,asce_eto,precip,rel_hum_avg,sol_rad_avg,wind_spd_avg"
YEAR = ("--stations", "2,5,7", "--year", "2023", "--items", SIX)


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    with Emulator(GeneratedSource()) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _settings(service: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMIS_BASE_URL", service.base_url)
    monkeypatch.setenv("CIMIS_APP_KEY", service.app_key)


def fetched(typed: Typed, root: Path, *more: str, command: str = "fetch") -> dict[str, Any]:
    """Fetch three stations' year and return the report."""
    answer = typed(command, "--json", "--data-dir", str(root), *YEAR, *more)
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


def chunks(root: Path) -> dict[str, bytes]:
    found = root.glob("stations/*/*.zst")
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def test_every_way_of_fetching_stores_the_same_bytes(typed: Typed, tmp_path: Path) -> None:
    """The plain path and the older names give the chunks of the streaming path."""
    fetched(typed, tmp_path / "fetch")
    fetched(typed, tmp_path / "plain", "--plain")
    expected = chunks(tmp_path / "fetch")
    assert len(expected) == 3
    assert chunks(tmp_path / "plain") == expected
    for name in ALIASES:
        fetched(typed, tmp_path / name, command=name)
        assert chunks(tmp_path / name) == expected


@pytest.mark.parametrize("name", ALIASES)
def test_an_older_name_is_the_command_that_it_means(name: str, typed: Typed) -> None:
    """The same help, the same requests, and the same complaints as by the newer name."""
    plan = ("--stations", "2,5", "--year", "2023", "--dry-run")
    for words in (("--help",), plan, (*plan, "--json"), ("--stations", "zwei"), ("--statoins",)):
        older, newer = typed(name, *words), typed(ALIASES[name], *words)
        assert older.code == newer.code
        assert older.err == newer.err
        assert without_moment(older.out) == without_moment(newer.out)


@pytest.mark.parametrize("name", [*ALIASES, "query", "crop-et"])
def test_help_of_a_command_says_what_its_help_option_says(name: str, typed: Typed) -> None:
    told = typed("help", name)
    assert told == typed(name, "--help")
    assert told.out.startswith(f"Usage: cimis {ALIASES.get(name, name)} ")


def test_help_alone_lists_the_commands_and_of_none_it_says_which_is_near(typed: Typed) -> None:
    assert typed("help") == typed("--help")
    answer = typed("help", "fetsh")
    assert (answer.code, answer.out) == (2, "")
    assert "did you mean 'fetch'?" in answer.err


def without_moment(out: str) -> str:
    """Leave the time of a run out of its report."""
    return re.sub(r'"(timestamp|seconds)": [^,}]*', "", out)


def test_older_names_are_listed_as_such_and_not_among_the_commands(typed: Typed) -> None:
    commands, older = typed("--help").out.split("Older names:\n")
    for name, meant in ALIASES.items():
        assert f"\n  {name} " not in commands
        assert re.search(rf"^  {name} +The same as {meant}\.$", older, re.MULTILINE)


def test_the_plain_path_asks_for_each_station_alone(typed: Typed, tmp_path: Path) -> None:
    """The streaming path asks for all three at once."""
    assert fetched(typed, tmp_path / "a", "--plain")["totals"]["requests"] == 3
    assert fetched(typed, tmp_path / "b")["totals"]["requests"] == 1


def test_six_items_keep_at_most_30_bytes_per_record(typed: Typed, tmp_path: Path) -> None:
    """Measured per station and year, and far below what the plain path keeps."""
    streaming = fetched(typed, tmp_path / "a", "--allocs", "--concurrency", "1")
    plain = fetched(typed, tmp_path / "b", "--plain", "--allocs", "--concurrency", "1")
    assert (streaming["path"], plain["path"]) == ("streaming", "plain")
    for result in streaming["results"]:
        assert result["alloc_metrics"]["records"] == 365
        assert 12 < result["alloc_metrics"]["bytes_per_record"] <= 30
        assert result["alloc_metrics"]["python_objects"] > 0
    assert plain["totals"]["alloc_metrics"]["bytes_per_record"] > 469
    assert streaming["totals"]["alloc_metrics"]["python_peak_bytes"] > 0


def test_memory_is_measured_only_when_asked_for(typed: Typed, tmp_path: Path) -> None:
    """Without --allocs there are no figures."""
    report = fetched(typed, tmp_path)
    assert report["totals"]["alloc_metrics"] is None
    assert report["results"][0]["alloc_metrics"] is None


def test_figures_are_printed_for_people_too(typed: Typed, tmp_path: Path) -> None:
    """A line for each station's year, on standard error."""
    answer = typed("fetch", "--data-dir", str(tmp_path), *YEAR, "--allocs", "--perf")
    assert answer.code == 0
    assert answer.out == ""
    lines = answer.err.splitlines()
    assert any(line.split()[:3] == ["2", "2023", "365"] for line in lines)
    heads = [line for line in lines if line.startswith("station  year")]
    assert "decode" in heads[0]
    assert "bytes/record" in heads[1]
    assert "bytes kept per record" in answer.err
