"""Whatever goes in by any door comes out by every door, or its loss is counted and told."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from cimis.store import create
from tests.doors.rows import STATIONS, Batch, Shape, batches, differing
from tests.doors.ways_in import WAYS_IN, Given, stored
from tests.doors.ways_out import WAYS_OUT

EXAMPLES = 1
"""Batches a pair of doors in every run: the simplest one, and a generated one."""
MORE = 6
"""Batches of the long form."""


Stores = Callable[[str, Batch], tuple[Path, Given]]


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    """Return what stores a batch by a door, once: all ways out read the same directory."""
    known: dict[tuple[str, Batch], tuple[Path, Given]] = {}

    def of(way: str, batch: Batch) -> tuple[Path, Given]:
        if (way, batch) not in known:
            root = tmp_path_factory.mktemp("doors")
            known[way, batch] = root, stored(way, root, batch)
        return known[way, batch]

    return of


def _pairs() -> list[object]:
    """Return every way in with every way out and scope."""
    made: list[object] = []
    for way_in, door in WAYS_IN.items():
        for scope in ("daily", "hourly"):
            for way_out, other in WAYS_OUT.items():
                if door.units == "english" and not other.converts:
                    continue
                made.append(pytest.param(way_in, scope, way_out))
    return made


PAIRS = _pairs()


@pytest.mark.parametrize(
    "examples", [EXAMPLES, pytest.param(MORE, marks=pytest.mark.slow)], ids=["few", "more"]
)
@pytest.mark.parametrize(("way_in", "scope", "way_out"), PAIRS)
def test_what_goes_in_comes_out(
    way_in: str,
    scope: str,
    way_out: str,
    examples: int,
    stores: Stores,
    record_property: Callable[[str, object], None],
) -> None:
    cells = 0

    @settings(
        max_examples=examples,
        derandomize=True,  # the same batches for every way out, so that each is stored once
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(batches(WAYS_IN[way_in].limits[scope == "hourly"], hourly=scope == "hourly"))
    def trip(batch: Batch) -> None:
        nonlocal cells
        root, given = stores(way_in, batch)
        with tempfile.TemporaryDirectory() as folder:
            units = WAYS_IN[way_in].units
            found = WAYS_OUT[way_out].read(root, batch, units, Path(folder))
        assert differing(given.rows, found.rows) == given.losses + found.lost
        cells += sum(map(len, given.rows.values()))

    trip()
    record_property("round_trips", examples * len(STATIONS))
    record_property("cells", cells)


def test_a_missing_value_gets_the_flag_that_an_archive_has_for_it(tmp_path: Path) -> None:
    """Missing without a flag is stored, and an import says why it is missing."""
    create(tmp_path).close()
    day = dt.date(2016, 6, 15)
    before = Batch(False, day, (Shape(("air_tmp_avg",), ((0, ((None, None),)),)),))
    after = Batch(False, day, (Shape(("air_tmp_avg",), ((0, ((None, "M"),)),)),))
    WAYS_IN["Arrow table, typed"].store(tmp_path, before)
    given = WAYS_IN["web report"].store(tmp_path, after)
    found = WAYS_OUT["store.daily"].read(tmp_path, after, "metric", tmp_path)
    assert not differing(given.rows, found.rows)


def test_there_are_enough_cases() -> None:
    assert len(PAIRS) * EXAMPLES * len(STATIONS) >= 500
