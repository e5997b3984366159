"""Faults made on purpose: each is what it says, drawn by the seed, and survived by a fetch."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cimis.pipeline.emulator import Emulator, GeneratedSource, Troubles
from cimis.pipeline.emulator.troubles.troubles import KINDS, PASSING
from cimis.pipeline.errors import UsageError
from tests.cli.conftest import typed

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

ROOT = Path(__file__).resolve().parents[2]
PATH = "/StationWeb/GetDataByStationNumber"
QUERY: dict[str, str] = {
    "stationNbrs": "2,5",
    "startDate": "2024-01-01",
    "endDate": "2024-03-31",
    "unitOfMeasure": "M",
}


def _ask(emulator: Emulator, **more: str) -> httpx.Response:
    headers = {"Ocp-Apim-Subscription-Key": emulator.app_key}
    return httpx.get(emulator.base_url + PATH, params=QUERY | more, headers=headers, timeout=10)


def _records(response: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = response.json()["Data"]["Providers"][0]["Records"]
    return found


@pytest.fixture(scope="module")
def faultless() -> list[dict[str, Any]]:
    with Emulator(GeneratedSource()) as emulator:
        return _records(_ask(emulator))


@pytest.mark.parametrize("kind", ["429", "429-after", "429-date", "500", "502", "503", "504"])
def test_statuses(kind: str) -> None:
    with Emulator(GeneratedSource(), troubles=Troubles({kind: 1.0}, retry_after_s=3)) as emulator:
        response = _ask(emulator)
        assert response.status_code == int(kind[:3])
        told = response.headers.get("Retry-After", "")
        form = {"429-after": "3", "429-date": r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"}
        assert re.fullmatch(form.get(kind, ""), told)
        assert emulator.service.troubles.counts == {kind: 1}


@pytest.mark.parametrize("kind", ["400", "401", "403", "404"])
def test_refusals(kind: str) -> None:
    with Emulator(GeneratedSource(), troubles=Troubles({kind: 1.0})) as emulator:
        assert _ask(emulator).status_code == int(kind)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", httpx.ReadError),
        ("cut", httpx.RemoteProtocolError),
        ("corrupt-gzip", httpx.DecodingError),
    ],
)
def test_broken_answers(kind: str, error: type[Exception]) -> None:
    with (
        Emulator(GeneratedSource(), troubles=Troubles({kind: 1.0})) as emulator,
        pytest.raises(error),
    ):
        _ask(emulator)


def test_a_truncated_body_is_well_framed() -> None:
    with Emulator(GeneratedSource(), troubles=Troubles({"truncated-gzip": 1.0})) as emulator:
        response = _ask(emulator)
        assert response.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            response.json()


def test_the_firewall_answers_in_html() -> None:
    with Emulator(GeneratedSource(), troubles=Troubles({"firewall": 1.0})) as emulator:
        response = _ask(emulator)
        assert response.status_code == 200
        assert response.text.startswith("<html>")


@pytest.mark.parametrize("kind", ["slow", "latency", "trickle"])
def test_late_answers_are_whole(kind: str, faultless: list[dict[str, Any]]) -> None:
    troubles = Troubles({kind: 1.0}, slow_s=0.05, latency_s=0.05)
    with Emulator(GeneratedSource(), troubles=troubles) as emulator:
        assert _records(_ask(emulator)) == faultless


def _by_day(records: Sequence[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(record, sort_keys=True) for record in records)


def test_duplicates_and_another_order(faultless: list[dict[str, Any]]) -> None:
    with Emulator(GeneratedSource(), troubles=Troubles({"duplicates": 1.0})) as emulator:
        twice = _records(_ask(emulator))
    assert len(twice) > len(faultless)
    assert sorted(set(_by_day(twice))) == _by_day(faultless)
    with Emulator(GeneratedSource(), troubles=Troubles({"reordered": 1.0})) as emulator:
        reordered = _records(_ask(emulator))
    assert reordered != faultless
    assert _by_day(reordered) == _by_day(faultless)


def test_revised_values(faultless: list[dict[str, Any]]) -> None:
    with Emulator(GeneratedSource(), troubles=Troubles({"revised": 1.0})) as emulator:
        revised = _records(_ask(emulator))
    assert [r["Date"] for r in revised] == [r["Date"] for r in faultless]
    assert revised != faultless


def test_the_seed_decides_whatever_the_order() -> None:
    queries = [f"a={n}" for n in range(400)]
    one, two = Troubles.evenly(0.3, seed=5), Troubles.evenly(0.3, seed=5)
    first = {q: [one.draw(q), one.draw(q)] for q in queries}
    second = {q: [two.draw(q), two.draw(q)] for q in reversed(queries)}
    assert first == second
    assert any(a != b for a, b in first.values())
    share = sum(one.counts.values()) / 800
    assert 0.25 < share < 0.35
    assert set(one.counts) == set(PASSING)
    other = Troubles.evenly(0.3, seed=6)
    assert {q: [other.draw(q), other.draw(q)] for q in queries} != first


def test_after_the_most_there_are_no_more() -> None:
    troubles = Troubles({"500": 1.0}, most=2)
    assert [troubles.draw("q") for _ in range(4)] == ["500", "500", None, None]


@pytest.mark.parametrize(
    "rates", [{"418": 0.1}, {"500": 1.5}, {"500": -0.1}, {"500": 0.6, "502": 0.6}, {"500": "x"}]
)
def test_rates_that_are_none_are_refused(rates: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Troubles(rates)


@pytest.mark.parametrize(
    "text", ["[rates", "speed = 1", "rates = 3", 'seed = "x"', "[rates]\n999 = 0.1", "\x00"]
)
def test_a_file_that_describes_no_faults_is_refused(
    text: str, tmp_path: Path, typed: Typed
) -> None:
    file = tmp_path / "faults.toml"
    file.write_text(text)
    assert typed("emulator", "--port", "0", "--fault-file", file).code == 2
    assert typed("emulator", "--port", "0", "--fault-file", tmp_path / "absent").code == 2


def test_a_file_gives_rates_and_settings(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text("seed = 7\nmost = 3\nslow_s = 0.5\n[rates]\n503 = 0.25\n'cut' = 0.1\n")
    found = Troubles.of_file(file)
    assert found.rates == {"503": 0.25, "cut": 0.1}
    assert (found.seed, found.most, found.slow_s) == (7, 3, 0.5)


@pytest.mark.parametrize(
    "options",
    [
        ("--fault", "503"),
        ("--fault", "503=often"),
        ("--fault-rate", "2"),
        ("--fault", "503=0.1", "--fault-rate", "0.1"),
    ],
)
def test_options_that_say_nothing_clear_are_refused(options: tuple[str, ...], typed: Typed) -> None:
    assert typed("emulator", "--port", "0", *options).code == 2


def test_the_page_lists_every_kind() -> None:
    page = (ROOT / "docs" / "emulator.md").read_text("utf-8")
    assert dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", page, flags=re.MULTILINE)) == KINDS


def test_traffic_is_told_without_a_key() -> None:
    with Emulator(GeneratedSource(), troubles=Troubles({"500": 1.0}, most=1)) as emulator:
        assert [_ask(emulator).status_code for _ in range(2)] == [500, 200]
        with urllib.request.urlopen(f"{emulator.base_url}/emulator/traffic") as answer:
            told = json.load(answer)
    assert told["requests"] == 2
    assert told["by_path"] == {PATH: 2}
    assert told["statuses"] == {"500": 1, "200": 1}
    assert told["faults"] == {"500": 1}


@pytest.mark.parametrize("kind", PASSING)
def test_a_fetch_gets_all_its_data_through_every_fault_that_passes(
    kind: str, typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    span = ("--stations", "2,5", "--start", "2024-01-01", "--end", "2024-01-20")
    fast = ("--backoff", "10ms", "--quiet")
    for name, troubles in (
        ("faulty", Troubles({kind: 1.0}, most=1, retry_after_s=0)),
        ("sound", None),
    ):
        with Emulator(GeneratedSource(), troubles=troubles) as emulator:
            monkeypatch.setenv("CIMIS_BASE_URL", emulator.base_url)
            monkeypatch.setenv("CIMIS_APP_KEY", emulator.app_key)
            root = tmp_path / name
            assert typed("fetch", *span, *fast, "--data-dir", root).code == 0
            if troubles is not None:
                assert troubles.counts == {kind: 1}
    chunks = sorted((tmp_path / "sound" / "stations").rglob("*.zst"))
    assert len(chunks) == 2
    for chunk in chunks:
        twin = tmp_path / "faulty" / chunk.relative_to(tmp_path / "sound")
        assert twin.read_bytes() == chunk.read_bytes()


@pytest.mark.parametrize("text", ["²", "1²", "2024-W01-1", "20240101"])
def test_digits_that_are_none_are_refused_not_stumbled_over(text: str) -> None:
    with Emulator(GeneratedSource()) as emulator:
        assert _ask(emulator, startDate=text).status_code == 400
        assert _ask(emulator, stationNbrs=text).status_code == 400
        url = emulator.base_url + "/StationWeb/GetStationByStationNumber"
        key = {"Ocp-Apim-Subscription-Key": emulator.app_key}
        assert httpx.get(url, params={"stationNbr": text}, headers=key).status_code == 404
