"""A writer killed at any point leaves only whole chunks, and nothing reported stored is lost."""

from __future__ import annotations

import os
import random
import signal
import struct
import time
from pathlib import Path

import pytest

from cimis.pipeline.care.verify import verify
from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.storage.disk import Disk
from tests.crash.storing import DAYS, STATIONS, store_all, stored_days

STEPS = ("half", "written", "read", "renamed", "synced", "entered")


class DeadlyDisk(Disk):
    """A disk that kills its process at a step of a write."""

    def __init__(self, step: str, write: int) -> None:
        self.step = step
        self.left = write

    def _die(self, step: str) -> None:
        if step == self.step and self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def write(self, path: Path, data: bytes) -> None:
        self.left -= 1
        if self.step == "half" and self.left <= 0:
            path.write_bytes(data[: len(data) // 2])
            self._die("half")
        super().write(path, data)
        self._die("written")

    def read(self, path: Path) -> bytes:
        data = super().read(path)
        self._die("read")
        return data

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self._die("renamed")

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        self._die("synced")


def _run(root: Path, disk: DeadlyDisk, after_s: float | None) -> tuple[dict[int, int], bool]:
    """Let a child store, and kill it; return what it reported, and whether it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - the other process
        os.close(reading)

        def report(part: tuple[int, int]) -> None:
            os.write(writing, struct.pack("ii", *part))
            disk._die("entered")

        try:
            store_all(root, report, disk)
        finally:
            os._exit(0)
    os.close(writing)
    if after_s is not None:
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    reported: dict[int, int] = {}
    for station, until in struct.iter_unpack("ii", told):
        reported[station] = until
    return reported, os.WIFSIGNALED(status)


def _check(root: Path, reported: dict[int, int]) -> None:
    """Every chunk is whole and holds what was reported; every row of the catalog has its chunk."""
    days = stored_days(root)
    for station, until in reported.items():
        assert days.get(station, 0) >= until, f"lost of station {station}"
    with Catalog(root, create=True) as catalog:
        for row in catalog.chunks():
            assert row.station is not None
            assert days[row.station] >= row.rows


@pytest.mark.parametrize("kills", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_writer_killed_at_any_point_loses_nothing_reported(kills: int, tmp_path: Path) -> None:
    """Half of the kills at each step of a write, half at any moment; each store is completed."""
    chance = random.Random(5)
    done, rounds, ends = 0, 0, dict.fromkeys((*STEPS, "any moment"), 0)
    (tmp_path / "whole").mkdir()
    store_all(tmp_path / "whole", lambda _part: None)
    while done < kills:
        rounds += 1
        root = tmp_path / f"{rounds}"
        root.mkdir()
        reported: dict[int, int] = {}
        for _ in range(8):
            step = chance.choice(STEPS)
            timed = chance.random() < 0.5
            disk = DeadlyDisk("never" if timed else step, chance.randint(1, 6))
            told, killed = _run(root, disk, chance.uniform(0.001, 0.06) if timed else None)
            reported |= told
            _check(root, reported)
            done += killed
            ends["any moment" if timed else step] += killed
        store_all(root, lambda _part: None)
        assert stored_days(root) == dict.fromkeys(STATIONS, DAYS)
        left = sorted(p.relative_to(root) for p in (root / "stations").rglob("*") if p.is_file())
        assert left == [Path(f"stations/{n:03}/2023_daily.zst") for n in STATIONS]
        for path in left:
            assert (root / path).read_bytes() == (tmp_path / "whole" / path).read_bytes()
        assert verify(root).sound
    assert all(ends.values()), ends
