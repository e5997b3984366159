"""Power lost at any moment: what was reported stored is there, as far as disks keep their word.

Every step that a store takes is recorded as the operating system sees it. Then, for each moment,
the disk is made anew as it may look after the power came back: of files only what was forced to the
medium, of folders' entries either only those forced, or all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cimis.pipeline.care.verify import verify
from tests.crash.storing import store_all, stored_days

Step = tuple[str, Any, Any]


@dataclass
class Recorder:
    """What happened below a folder, in order."""

    root: Path
    steps: list[Step] = field(default_factory=list)
    on: bool = False

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an audit event of the interpreter."""
        if not self.on or event not in {"open", "os.rename", "os.remove", "os.mkdir"}:
            return
        path = arguments[0]
        if not isinstance(path, str | os.PathLike) or not self._ours(path):
            return
        if event == "open":
            flags = arguments[2] or 0
            if flags & os.O_CREAT and not Path(path).exists():
                self.steps.append(("create", self._name(path), None))
        elif event == "os.rename":
            self.steps.append(("rename", self._name(path), self._name(arguments[1])))
        elif event == "os.mkdir":
            self.steps.append(("create", self._name(path), "folder"))
        else:
            self.steps.append(("remove", self._name(path), None))

    def synced(self, handle: int) -> None:
        """Take an fsync, with what the file holds at that moment."""
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if self.on and self._ours(path):
            kind = "sync folder" if path.is_dir() else "sync"
            held = None if path.is_dir() else path.read_bytes()
            self.steps.append((kind, self._name(path), held))

    def _ours(self, path: str | os.PathLike[str]) -> bool:
        text = os.fspath(path)
        ours = text == str(self.root) or text.startswith(f"{self.root}/")
        return ours and "sqlite3" not in text and ".locks" not in text

    def _name(self, path: str | os.PathLike[str]) -> str:
        return str(Path(path).relative_to(self.root))


_RECORDERS: list[Recorder] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    for recorder in _RECORDERS:
        recorder.hear(event, arguments)


sys.addaudithook(_hear)


@contextmanager
def _recorded(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    recorder = Recorder(root)
    forced: Callable[[int], None] = os.fsync

    def fsync(handle: int) -> None:
        forced(handle)
        recorder.synced(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    _RECORDERS.append(recorder)
    recorder.on = True
    try:
        yield recorder
    finally:
        recorder.on = False
        _RECORDERS.remove(recorder)


@dataclass
class Medium:
    """A disk's files and folders, as they are and as they would be after a loss of power."""

    now: dict[str, int | None] = field(default_factory=dict)
    kept: dict[str, int | None] = field(default_factory=dict)
    data: dict[int, bytes] = field(default_factory=dict)
    count: int = 0

    def take(self, step: Step) -> None:
        """Follow one step. Names lead to numbers of files, None to folders."""
        kind, name, more = step
        if kind == "create":
            self.count += 1
            self.now[name] = None if more == "folder" else self.count
        elif kind == "rename":
            self.now[more] = self.now.pop(name)
        elif kind == "remove":
            self.now.pop(name, None)
        elif kind == "sync":
            number = self.now[name]
            assert number is not None
            self.data[number] = more
        elif kind == "sync folder":
            for other in {*self.now, *self.kept}:
                if str(Path(other).parent) == name:
                    if other in self.now:
                        self.kept[other] = self.now[other]
                    else:
                        self.kept.pop(other)

    def make(self, root: Path, *, all_entries: bool) -> None:
        """Write the disk as it is after the loss; an entry in a folder that is lost is lost."""
        root.mkdir()
        entries = self.now if all_entries else self.kept
        for name in sorted(entries):
            place, number = root / name, entries[name]
            if not place.parent.is_dir():
                continue
            if number is None:
                place.mkdir()
            else:
                place.write_bytes(self.data.get(number, b""))


@pytest.mark.parametrize("all_entries", [False, True])
def test_what_was_reported_stored_outlives_a_loss_of_power_at_any_moment(
    all_entries: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "d"
    root.mkdir()
    with _recorded(root, monkeypatch) as recorder:
        store_all(root, lambda part: recorder.steps.append(("report", *part)))
    kinds = [kind for kind, _, _ in recorder.steps]
    assert kinds.count("report") == 30
    assert kinds.count("rename") == 30
    medium, reported = Medium(), dict[int, int]()
    for number, step in enumerate(recorder.steps):
        if step[0] == "report":
            reported[step[1]] = step[2]
        else:
            medium.take(step)
        if number % 3 and step[0] not in ("report", "rename"):
            continue  # a third of the quiet moments will do
        lost = tmp_path / f"{number}"
        medium.make(lost, all_entries=all_entries)
        verdict = verify(lost, repair=True) if (lost / "stations").exists() else None
        days = stored_days(lost)
        for station, until in reported.items():
            assert days.get(station, 0) >= until, f"station {station} lost at {number}: {step[:2]}"
        assert verdict is None or verdict.damaged == 0
