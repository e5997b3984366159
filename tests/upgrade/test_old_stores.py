"""Stores that old commits of this project made are read, verified, synced and opened again."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cimis
from cimis.pipeline.catalog.file import is_current
from cimis.pipeline.emulator import Emulator
from cimis.pipeline.fetch import FetchRequest, sync
from cimis.pipeline.service import Settings
from tests.upgrade.conftest import NOW, Old, unpacked
from tests.upgrade.make_stores import QUESTIONS, STORES

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

DRAFT = "f1dc2ee"
"""The first commit that could fetch; its chunks are of a draft of the format."""
SETTLED = "2daf38e"
"""One that writes the format as it is."""


def _cells(text: str) -> set[tuple[str, ...]]:
    """Return the cells of a CSV, each with its row's keys and its column's name."""
    rows = csv.DictReader(text.splitlines())
    keys = {"station", "target", "date", "time", "hour"}
    return {
        (*(f"{key}={row[key]}" for key in sorted(keys & row.keys())), name, cell)
        for row in rows
        for name, cell in row.items()
        if name not in keys
    }


def test_there_are_stores_of_at_least_four_commits() -> None:
    names = {path.name.removesuffix(".tar.xz") for path in STORES.glob("*.tar.xz")}
    assert DRAFT in names
    assert len(names) >= 4


def test_it_answers_what_the_old_code_answered(old: Old, typed: Typed) -> None:
    for name, told in old.told.items():
        answer = typed("query", *QUESTIONS[name].split(), "--format", "csv")
        assert answer.code == 0, answer.err
        assert answer.out == told, f"{name} rows of {old.commit}"


def test_it_is_sound_to_the_last_byte(old: Old, typed: Typed) -> None:
    answer = json.loads(typed("verify", "--json").out)
    assert answer["sound"], answer["findings"]
    assert answer["chunks"] == sum(1 for _ in old.root.rglob("*.zst"))


def test_it_is_synced_to_what_the_service_has_since(
    old: Old, service: Emulator, typed: Typed
) -> None:
    settings = Settings.load(base_url=service.base_url, app_key=service.app_key)

    def clock() -> dt.datetime:
        return NOW.replace(tzinfo=dt.timezone(dt.timedelta(hours=-8)))

    with cimis.open(old.root):
        pass  # as 'cimis sync' opens it first
    reports, _ = sync(old.root, FetchRequest((1,), NOW.date(), NOW.date()), settings, clock=clock)
    assert {report.exit_code for report in reports} == {0}
    with cimis.open(old.root) as store:
        days = {station: store.daily(station)["date"].to_list() for station in (2, 80, 105)}
        hours = store.hourly(80)["date"].to_list()
    yesterday = NOW.date() - dt.timedelta(days=1)
    for station, first in ((2, dt.date(2023, 12, 20)), (80, dt.date(2023, 12, 20))):
        assert days[station] == [
            first + dt.timedelta(days=n) for n in range((yesterday - first).days + 1)
        ]
    assert max(days[105]) == max(hours) == yesterday
    saved = old.root.parent / "after.csv"
    assert typed("query", "--stations", "all", "-o", saved).code == 0
    assert _cells(old.told["daily"]) <= _cells(saved.read_text())


def test_it_is_brought_up_to_date_once(old: Old, typed: Typed) -> None:
    assert not is_current(old.root)
    with cimis.open(old.root):
        pass
    assert is_current(old.root)
    first = _standing(old.root)
    assert typed("verify").code == 0
    with cimis.open(old.root):
        pass
    assert _standing(old.root) == first


def test_chunks_of_the_draft_become_the_bytes_of_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: Typed
) -> None:
    old = unpacked(DRAFT, tmp_path, monkeypatch)
    with cimis.open(old.root):
        pass
    settled = unpacked(SETTLED, tmp_path / "settled", monkeypatch)
    assert old.told["daily"] == settled.told["daily"]  # the same rows were fetched
    drafts = _chunks(old.root)
    assert drafts.items() <= _chunks(settled.root).items()


def test_a_repair_saves_the_draft_where_the_catalog_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: Typed
) -> None:
    old = unpacked(DRAFT, tmp_path, monkeypatch)
    (old.root / "metadata.sqlite3").unlink()
    assert typed("verify", "--repair").code == 0
    assert not (old.root / "quarantine").exists()
    told = typed("query", "--stations", "2", "--format", "csv").out.splitlines()
    assert told == [line for line in old.told["daily"].splitlines() if line[:2] in {"2,", "st"}]


def test_a_damaged_draft_is_named_and_keeps_no_other_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: Typed
) -> None:
    old = unpacked(DRAFT, tmp_path, monkeypatch)
    path = old.root / "stations/002/2024_daily.zst"
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    answer = typed("query", "--stations", "80", "--format", "csv")
    assert answer.code == 0
    assert answer.out.count("\n") == 1 + 32
    found = json.loads(typed("verify", "--json").out)["findings"]
    assert [finding["path"] for finding in found] == ["stations/002/2024_daily.zst"]
    assert path.read_bytes() == bytes(data)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update meta set value = 2 where key = 'version'", "catalog version 2; 1 is known"),
        (None, "format version 3; 2 is known"),
    ],
    ids=["catalog", "chunk"],
)
def test_what_a_newer_version_made_is_refused_by_a_line(
    change: str | None,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: Typed,
) -> None:
    old = unpacked(SETTLED, tmp_path, monkeypatch)
    with cimis.open(old.root):
        pass
    if change is None:
        _raise_format(old.root / "stations/002/2024_daily.zst")
    else:
        with sqlite3.connect(old.root / "metadata.sqlite3") as catalog:
            catalog.execute(change)
        catalog.close()
    answer = typed("query", "--stations", "2", "--format", "csv")
    assert answer.code == 7
    assert said in answer.err
    assert (
        "update cimis" in typed("inspect", old.root / "stations/002/2024_daily.zst").err or change
    )


def test_the_state_of_a_newer_export_is_refused_by_a_line(tmp_path: Path) -> None:
    from cimis.exports.plan import STATE_FILE, State
    from cimis.pipeline.errors import UsageError

    (tmp_path / STATE_FILE).write_text('{"version": 2, "form": "lake", "asked": "", "years": {}}')
    with pytest.raises(UsageError, match="is of version 2; 1 is known") as caught:
        State.read(tmp_path, "lake", "")
    assert "update cimis" in (caught.value.hint or "")


def _raise_format(path: Path) -> None:
    """Let a chunk say that it is of format version 3, soundly."""
    from cimis.pipeline.chunks.footer import pack
    from cimis.pipeline.chunks.v2 import container

    data = path.read_bytes()
    footer = container.parse_footer(data, len(data))
    raw = b"\x03" + pack(footer)[1:]
    start = footer.data_end
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(container, "pack", lambda _: raw)
        sealed = container.seal(data[container.HEADER_BYTES : start], footer)
    path.write_bytes(sealed)


def _standing(root: Path) -> dict[str, tuple[str, int]]:
    """Return what identifies each chunk, and when it was written."""
    return {
        path.relative_to(root).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in root.rglob("*.zst")
    }


def _chunks(root: Path) -> dict[str, str]:
    return {name: digest for name, (digest, _) in _standing(root).items()}
