"""V1 and V2 side by side in one store answer as one; V1 differs by what it said it would lose."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from cimis.cli.main import run
from cimis.pipeline.care.migrate import Migration, migrate, pending
from cimis.pipeline.catalog.database import Catalog
from cimis.store import Store, open_store
from tests.queries.conftest import Network

if TYPE_CHECKING:
    Ask = Callable[[Store, str], pl.DataFrame]


def _rewritten(root: Path, form: str, stations: tuple[int, ...] | None = None) -> Migration:
    with Catalog(root) as catalog:
        chunks = pending(root, catalog.chunks(stations=stations), form)
    return migrate(root, chunks, form)


@pytest.fixture(scope="module")
def mixed(
    network: Network, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, Migration]]:
    """The network with two of its stations in V1, and what that lost."""
    root = tmp_path_factory.mktemp("mixed") / "d"
    shutil.copytree(network.root, root)
    lost = _rewritten(root, "v1", stations=(2, 131))
    with open_store(root) as opened:
        yield opened, lost


def _by_polars(store: Store, scope: str) -> pl.DataFrame:
    scan = store.scan_daily() if scope == "daily" else store.scan_hourly()
    return scan.collect()


def _by_sql(store: Store, scope: str) -> pl.DataFrame:
    order = "date" if scope == "daily" else "time"
    answer = store.sql(f"select * from {scope} order by station, {order}").pl()
    assert isinstance(answer, pl.DataFrame)
    return answer


def _by_command(store: Store, scope: str) -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.csv"
        command = ["query", "--data-dir", str(store.root)] + ["--hourly"] * (scope == "hourly")
        assert run([*command, "--format", "csv", "--output", str(path), "--quiet"]) == 0
        return pl.read_csv(path, infer_schema=False)


WAYS: dict[str, Ask] = {"polars": _by_polars, "sql": _by_sql, "command line": _by_command}


def _differences(before: pl.DataFrame, after: pl.DataFrame) -> Counter[str]:
    """Return how many cells, a value with its flag, differ per item."""
    assert before.height == after.height > 0
    found: Counter[str] = Counter()
    for name in set(after.columns) - set(before.columns):
        assert after[name].is_null().all() or name.endswith("_qc")
    for name in before.columns:
        old, new = before[name], after[name]
        unequal = ~old.cast(pl.String).eq_missing(new.cast(pl.String))
        if name + "_qc" in before.columns:
            flags = before[name + "_qc"].cast(pl.String), after[name + "_qc"].cast(pl.String)
            unequal |= ~flags[0].eq_missing(flags[1])
            found[name] += int(unequal.sum())
        elif not name.endswith("_qc"):
            assert not unequal.any(), name
    return +found


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_mixed_store_differs_from_the_whole_by_the_losses_told(
    way: str, store: Store, mixed: tuple[Store, Migration]
) -> None:
    """Cells that differ, counted per item over both scopes, are those that were reported."""
    found: Counter[str] = Counter()
    for scope in ("daily", "hourly"):
        found += _differences(WAYS[way](store, scope), WAYS[way](mixed[0], scope))
    assert dict(sorted(found.items())) == mixed[1].losses
    assert len(mixed[1].losses) >= 5


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_mixed_store_answers_as_its_copy_in_v2(
    way: str, mixed: tuple[Store, Migration], tmp_path: Path
) -> None:
    """Migrating to V2 changes no answer at all: columns, values, flags, order."""
    shutil.copytree(mixed[0].root, tmp_path / "copy")
    done = _rewritten(tmp_path / "copy", "v2")
    assert len(done.done) >= 8
    assert not done.failed
    with open_store(tmp_path / "copy") as copy:
        for scope in ("daily", "hourly"):
            before, after = WAYS[way](mixed[0], scope), WAYS[way](copy, scope)
            assert before.height > 0
            assert before.equals(after)
