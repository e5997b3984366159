"""The plain path of a terminal's question gives what the columnar one gives, to the byte."""

from __future__ import annotations

import datetime as dt
import io
import random
import subprocess
import sys
from pathlib import Path

import pytest

from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope, Standard, named_items, resolve
from cimis.queries.export.sinks import write
from cimis.queries.point.rows import point
from cimis.queries.point.texts import FORMATS, as_bytes
from cimis.queries.quality import FlagPolicy
from cimis.queries.timing import QueryTimings
from cimis.store import Store, open_store
from tests.queries.conftest import Network, put, year_table


def _columnar(store: Store, scope: Scope, name: str, **asked: object) -> bytes:
    rows = store.query(scope, **asked)  # type: ignore[arg-type]  # drawn by the test
    stream = io.BytesIO()
    write(rows.batches(), rows.schema, stream, name)
    return stream.getvalue()


@pytest.mark.parametrize("seed", range(60))
def test_both_paths_write_the_same_bytes(seed: int, store: Store) -> None:
    rng = random.Random(seed)
    scope = rng.choice(list(Scope))
    stations = rng.sample([2, 5, 80, 131, 999], rng.randint(1, 3))
    start = dt.date(2020, 12, 1) + dt.timedelta(days=rng.randrange(700))
    end = start + dt.timedelta(days=rng.choice([0, 1, 6, 20]))
    names = {
        Scope.DAILY: [None, "asce_eto", "precip,rel_hum_avg,eto", "all"],
        Scope.HOURLY: [None, "air_tmp", "rel_hum,dew_pnt"],
    }
    items = rng.choice(names[scope])
    units, qc = rng.choice(list(Standard)), rng.choice(list(FlagPolicy))
    got = point(
        store.root,
        scope,
        stations,
        start,
        end,
        items=None if items is None else named_items(items, scope),
        units=units,
        policy=qc,
        timings=QueryTimings(),
    )
    assert got is not None
    for name in FORMATS:
        asked = {"stations": stations, "start": start, "end": end, "items": items}
        due = _columnar(store, scope, name, **asked, units=units, qc=qc)
        assert as_bytes(got, name).decode() == due.decode()


@pytest.mark.parametrize("station", [2, 5, 80, 131])
def test_every_value_of_every_year_is_the_same(station: int, store: Store) -> None:
    for year in (2020, 2021, 2022):
        start, end = dt.date(year, 1, 1), dt.date(year, 12, 31)
        got = point(store.root, Scope.DAILY, [station], start, end, timings=QueryTimings())
        assert got is not None
        due = _columnar(store, Scope.DAILY, "csv", stations=station, start=start, end=end)
        assert as_bytes(got, "csv") == due


def test_a_week_opens_one_file_and_reads_its_blocks_only(network: Network) -> None:
    timings = QueryTimings()
    first, last = dt.date(2021, 6, 1), dt.date(2021, 6, 7)
    hourly = resolve("air_tmp", Scope.HOURLY)
    got = point(network.root, Scope.HOURLY, [80], first, last, items=hourly, timings=timings)
    assert got is not None
    assert len(got.rows) == 168
    assert (timings.files_opened, timings.blocks_read, timings.columns_read) == (1, 1, 2)
    size = (network.root / "stations/080/2021_hourly.zst").stat().st_size
    assert timings.bytes_read < size
    nothing = QueryTimings()
    far = dt.date(1999, 1, 1)
    got = point(network.root, Scope.DAILY, [80], far, far, timings=nothing)
    assert got is not None
    assert (got.rows, nothing.files_opened) == ([], 0)


def test_what_it_cannot_answer_it_leaves_alone(network: Network) -> None:
    day, year = dt.date(2021, 6, 1), dt.date(2030, 12, 31)
    timings = QueryTimings()
    assert point(network.root, Scope.DAILY, [7], day, day, timings=timings) is None  # V1
    assert point(network.root, Scope.DAILY, [2, 5], day, year, timings=timings) is None  # too many


def test_damage_is_named(tmp_path: Path) -> None:
    put(tmp_path, [year_table(Scope.DAILY, 2, 2021)])
    path = tmp_path / "stations" / "002" / "2021_daily.zst"
    sound = path.read_bytes()
    day = dt.date(2021, 6, 1)
    for place in range(14, len(sound), 211):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 4]) + sound[place + 1 :])
        with pytest.raises(ChunkError, match="2021_daily"):
            point(tmp_path, Scope.DAILY, [2], day, day, timings=QueryTimings())
    path.unlink()
    with pytest.raises(ChunkError, match="not on disk"), open_store(tmp_path):
        point(tmp_path, Scope.DAILY, [2], day, day, timings=QueryTimings())


def test_it_imports_no_library_but_zstandard(network: Network) -> None:
    code = (
        "import datetime as dt, sys\n"
        "from pathlib import Path\n"
        "from cimis.pipeline.field.items import Scope\n"
        "from cimis.queries.point.rows import point\n"
        "from cimis.queries.point.texts import as_bytes\n"
        "from cimis.queries.timing import QueryTimings\n"
        "day = dt.date(2021, 6, 1)\n"
        f"got = point(Path({str(network.root)!r}), Scope.DAILY, [2], day, day, "
        "timings=QueryTimings())\n"
        "assert as_bytes(got, 'csv').count(b'\\n') == 2\n"
        "heavy = ('numpy', 'pyarrow', 'pandas', 'polars', 'duckdb', 'httpx', 'filelock', 'rich')\n"
        "print([m for m in heavy if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
