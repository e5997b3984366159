"""Questions about spatial targets: the right rows, from no more chunks than can hold them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkKey, write_chunk
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.targets import SPATIAL_DEFAULTS
from cimis.pipeline.rows.schema import TARGET_FIELD, physical_schema
from cimis.store import Store, create

TARGETS = ("address:HQ", "coordinate:36.5,-120", "zip:93624", "zip:95616", "zip:95616é")
YEARS = (2022, 2023)


def _year(target: str, year: int) -> pa.Table:
    days = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]")
    rng = np.random.default_rng([TARGETS.index(target), year])
    columns = [pa.array([target] * len(days)), pa.array(days.astype(np.int32)).cast(pa.date32())]
    for item in SPATIAL_DEFAULTS:
        places = item.decimals_metric
        values = rng.integers(0, 900, len(days)) / 10**places
        flagged = pa.array(rng.random(len(days)) < 0.1)
        flags = pc.if_else(flagged, pa.scalar("R"), pa.scalar(None, pa.string()))
        columns += [
            pa.array(values, mask=rng.random(len(days)) < 0.05),
            flags.dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
        ]
    schema = physical_schema(Scope.DAILY, SPATIAL_DEFAULTS).set(0, TARGET_FIELD)
    return pa.table(columns, schema=schema)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pl.DataFrame]:
    """A store of spatial chunks, and all its rows."""
    root = tmp_path_factory.mktemp("spatial") / "d"
    create(root).close()
    tables = []
    with Catalog(root) as catalog:
        for target in TARGETS:
            for year in YEARS:
                table = _year(target, year)
                key = ChunkKey(Scope.DAILY, year, target=target)
                key.path(root).parent.mkdir(parents=True, exist_ok=True)
                info = write_chunk(key.path(root), table)
                now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
                catalog.put_chunks(
                    [chunk_row(info, source="test", provisional_from_s=None, fetched_at=now)]
                )
                tables.append(table)
    frame = pl.from_arrow(pa.concat_tables(tables))
    assert isinstance(frame, pl.DataFrame)
    flags = [name for name in frame.columns if name.endswith("_qc")]
    return root, frame.with_columns(pl.col(flags).cast(pl.String)).sort("target", "date")


def test_all_rows_come_in_the_order_of_targets_and_dates(stored: tuple[Path, pl.DataFrame]) -> None:
    root, frame = stored
    with Store(root) as store:
        assert store.daily("targets").equals(frame)
        scanned = store.scan_daily("targets").select(frame.columns).collect()
        assert scanned.sort("target", "date").equals(frame)
        assert store.sql("select count(*) from spatial_daily").fetchall() == [(frame.height,)]


@pytest.mark.parametrize(
    "condition",
    [
        "target = 'zip:93624'",
        "target in ('zip:93624', 'address:HQ', 'zip:00000')",
        "target = 'zip:95616' and year(date) = 2023",
        "target > 'coordinate:36.5,-120'",
        "target >= 'zip:95616' and target < 'zip:95616é' and date < '2022-03-01'",
        "target = 'nobody'",
        "target like 'zip:%' and date = '2022-05-05'",
    ],
)
@pytest.mark.parametrize("cache", [None, 0])
def test_sql_finds_the_rows_of_the_targets_it_names(
    stored: tuple[Path, pl.DataFrame], condition: str, cache: int | None
) -> None:
    root, frame = stored
    columns = ", ".join(frame.columns)
    text = f"select {columns} from spatial_daily where {condition} order by target, date"
    with Store(root, cache=cache) as store:
        found = store.sql(text).pl()
    due = pl.SQLContext(spatial_daily=frame).execute(
        text.replace("year(date)", "date_part('year', date)"), eager=True
    )
    assert found.equals(due)


def test_polars_finds_the_rows_of_the_targets_it_names(stored: tuple[Path, pl.DataFrame]) -> None:
    root, frame = stored
    wanted = (pl.col("target") == "zip:95616") & (pl.col("date") >= dt.date(2023, 6, 1))
    with Store(root) as store:
        found = store.scan_daily("targets").filter(wanted).select(frame.columns).collect()
    assert found.equals(frame.filter(wanted))


def test_a_dataset_filters_texts_exactly(stored: tuple[Path, pl.DataFrame]) -> None:
    root, frame = stored
    with Store(root) as store:
        dataset = store.dataset(stations="targets")
        table = dataset.to_table(
            columns=["date", "target"], filter=pc.field("target").isin(["zip:93624", "x"])
        )
    assert table["target"].unique().to_pylist() == ["zip:93624"]
    assert table.num_rows == frame.filter(pl.col("target") == "zip:93624").height


@pytest.mark.parametrize("cache", [None, 0])
def test_a_month_of_a_target_is_found(stored: tuple[Path, pl.DataFrame], cache: int | None) -> None:
    root, frame = stored
    month = pl.col("date").is_between(dt.date(2022, 6, 1), dt.date(2022, 6, 30))
    with Store(root, cache=cache) as store:
        rows = store.query(stations="zip:93624", start="2022-06", end="2022-06")
        assert rows.pl().equals(frame.filter((pl.col("target") == "zip:93624") & month))


def test_an_empty_store_has_the_view_with_its_columns(tmp_path: Path) -> None:
    create(tmp_path / "d").close()
    with Store(tmp_path / "d") as store:
        assert store.sql("select * from spatial_daily").pl().columns[:2] == ["target", "date"]
        assert store.daily("targets").is_empty()
