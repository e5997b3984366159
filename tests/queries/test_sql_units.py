"""SQL in English units: values, thresholds, sums and heads, each reckoned once more in Python."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkKey, write_chunk
from cimis.pipeline.errors import UsageError
from cimis.pipeline.field import units
from cimis.pipeline.field.items import Item, Scope, Standard, scope_items
from cimis.pipeline.field.targets import SPATIAL_DEFAULTS
from cimis.pipeline.field.units import metric_decimals, to_metric
from cimis.pipeline.rows.schema import TARGET_FIELD, physical_schema
from cimis.queries.answers.named import named_queries
from cimis.queries.engines.origins import origins
from cimis.queries.export.heads import units_of
from cimis.queries.mirror.layout import keys_of
from cimis.store import Store, open_store
from tests.queries.conftest import Network, put, year_table

ALL = {scope: ",".join(item.column for item in scope_items(scope)) for scope in Scope}
TABLES = {"daily": Scope.DAILY, "hourly": Scope.HOURLY, "spatial_daily": Scope.DAILY}
POLICIES = ("keep", "drop-severe", "strict")


def _items(table: str) -> tuple[Item, ...]:
    return tuple(SPATIAL_DEFAULTS) if table == "spatial_daily" else scope_items(TABLES[table])


def _put_target(root: Path) -> None:
    """Store a year of a spatial target, with the values and flags of a station."""
    like = year_table(Scope.DAILY, 2, 2021, items=",".join(i.column for i in SPATIAL_DEFAULTS))
    schema = physical_schema(Scope.DAILY, SPATIAL_DEFAULTS).set(0, TARGET_FIELD)
    target = pa.array(["zip:93624"] * len(like))
    table = pa.table([target, *like.columns[1:]], schema=schema)
    key = ChunkKey(Scope.DAILY, 2021, target="zip:93624")
    key.path(root).parent.mkdir(parents=True, exist_ok=True)
    with Catalog(root) as catalog:
        info = write_chunk(key.path(root), table)
        catalog.put_chunks([chunk_row(info, source="test")])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Every item of all three views, with metric values as the service sends them."""
    root = tmp_path_factory.mktemp("units")
    put(root, [year_table(Scope.DAILY, s, 2021, items=ALL[Scope.DAILY]) for s in (2, 80)])
    put(root, [year_table(Scope.HOURLY, 2, 2021, items=ALL[Scope.HOURLY])])
    _put_target(root)
    with open_store(root) as opened:
        yield opened


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, pl.DataFrame]]:
    """A year that was written in English, kept as an import keeps it; and what was written."""
    root = tmp_path_factory.mktemp("archived")
    like = year_table(Scope.DAILY, 2, 2021, items=ALL[Scope.DAILY])
    rng = np.random.default_rng(5)
    columns, written = list(like.columns), {}
    for item in scope_items(Scope.DAILY):
        places = item.decimals_english if item.archived is None else item.archived
        sent = rng.integers(-300, 1200, len(like))
        decimals = metric_decimals(item)
        kept = to_metric(sent, places, item, decimals)
        columns[like.schema.get_field_index(item.column)] = pa.array(kept / 10.0**decimals)
        written[item.column] = sent / 10.0**places
    put(root, [pa.table(columns, schema=like.schema)])
    with open_store(root) as opened:
        yield opened, pl.DataFrame(written)


def _finest(item: Item) -> float:
    """Return how far an English value may be from the conversion of the metric one."""
    if item.quantity.ratio is None:
        return 0.0
    up, down = item.quantity.step(0, metric_decimals(item))
    return 0.501 * down / up


@pytest.mark.parametrize("qc", POLICIES)
@pytest.mark.parametrize("table", TABLES)
def test_every_item_is_the_conversion_of_its_metric_value(
    table: str, qc: str, store: Store
) -> None:
    """Where a metric value is there; missing and flagged ones are those of the metric answer."""
    names = ", ".join(f"{i.column}, {i.flag_column}" for i in _items(table))
    keys = ", ".join(keys_of(table))
    text = f"SELECT {names} FROM {table} ORDER BY {keys}"
    metric, english = (store.sql(text, qc=qc, units=u).pl() for u in ("metric", "english"))
    for item in _items(table):
        known, found = metric[item.column], english[item.column]
        assert found.is_null().equals(known.is_null())
        assert english[item.flag_column].equals(metric[item.flag_column])
        ratio = item.quantity.ratio
        due = known.to_numpy() if ratio is None else ratio.english(known.to_numpy())
        apart = np.nanmax(np.abs(found.to_numpy() - due))
        assert apart <= _finest(item)
        assert known.drop_nulls().len() > 100


def test_the_reference_eto_is_converted_too(store: Store) -> None:
    text = "SELECT reference_eto, asce_eto, eto, reference_eto_source FROM daily"
    found = store.sql(text, qc="strict", units="english").pl()
    first = found["asce_eto"].fill_null(found["eto"])
    assert found["reference_eto"].equals(first, check_names=False)
    assert found["reference_eto"].null_count() < found["asce_eto"].null_count()


def test_what_was_written_in_english_is_that_again(
    archived: tuple[Store, pl.DataFrame],
) -> None:
    opened, written = archived
    found = opened.sql("SELECT * FROM daily ORDER BY date", units="english").pl()
    for column in written.columns:
        assert found[column].to_list() == written[column].to_list(), column
    queried = opened.query(units="english").pl()
    assert queried.select(written.columns).equals(found.select(written.columns))


@pytest.mark.parametrize("column", ["air_tmp_max", "asce_eto", "precip", "wind_run", "sol_rad_avg"])
def test_a_threshold_is_met_by_what_was_written_so(
    column: str, archived: tuple[Store, pl.DataFrame]
) -> None:
    """Of each value that was written, so many are as large as it in SQL as in the file."""
    opened, written = archived
    for limit in written[column].unique().sample(40, seed=1):
        text = f"SELECT count(*) FROM daily WHERE {column} >= $limit"
        found = opened.sql(text, {"limit": limit}, units="english").fetchall()
        assert found == [((written[column] >= limit).sum(),)]


@pytest.mark.parametrize("item", scope_items(Scope.DAILY), ids=lambda item: item.column)
def test_a_mean_is_the_conversion_of_the_metric_mean(item: Item, store: Store) -> None:
    text = f"SELECT avg({item.column}) FROM daily"
    (((metric,),), ((english,),)) = (
        store.sql(text, units=u).fetchall() for u in ("metric", "english")
    )
    ratio = item.quantity.ratio
    due = metric if ratio is None else ratio.english(metric)
    assert english == pytest.approx(due, abs=_finest(item) / 5 + 1e-9)


def test_a_connection_of_its_own_sees_the_same(store: Store) -> None:
    text = "SELECT * FROM daily ORDER BY station, date"
    for qc in POLICIES:
        with store.connect(qc=qc, units="english") as connection:
            assert connection.execute(text).fetchall() == (
                store.sql(text, qc=qc, units="english").fetchall()
            )


def test_an_unknown_system_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="unknown units 'si'"):
        store.sql("SELECT 1", units="si")


def test_conditions_reach_the_scan_in_both_systems(store: Store) -> None:
    """Keys narrow the scan; an English condition is tested within it, and only its columns read."""
    text = "EXPLAIN SELECT max(asce_eto) FROM daily WHERE air_tmp_max > 15 AND station = 80"
    for system in ("metric", "english"):
        ((_, plan),) = store.sql(text, units=system).fetchall()
        scan = plan[plan.index("Seq Scan") :]
        assert "station = 80" in scan
        assert "air_tmp_max" in scan
        assert "Projections: asce_eto" in scan
        assert "FILTER" not in plan.upper().replace("FILTERS", "")
    ((_, plan),) = store.sql(text).fetchall()
    assert "air_tmp_max > 15.0" in plan
    assert "CASE" not in plan


CLAIMED = {
    "select station, asce_eto, precip p from daily": {"asce_eto": "in", "p": "in"},
    "select 2 * asce_eto as asce_eto, precip from daily": {"precip": "in"},
    "select avg(air_tmp_avg) as air_tmp_avg from daily": {},
    "select d.* exclude (date) from (select station, date, wind_run, eto e from daily) d": {
        "wind_run": "mi",
        "e": "in",
    },
    "select * replace (1.0 as precip) from (select precip, vap_pres_avg from daily)": {
        "vap_pres_avg": "mbar"
    },
    "with x as (select station, air_tmp from hourly) from x join stations using (station)": {
        "air_tmp": "°F"
    },
    "select precip from daily union all select precip from daily": {"precip": "in"},
    "select precip from daily union all select air_tmp_avg from daily": {},
    "select a.precip, b.precip from daily a join hourly b using (station, date)": {
        "precip": "in",
        "precip_1": "in",
    },
    "with daily as (select 1.0 as precip) select precip from daily": {},
    "select columns('air_tmp_m.*') from daily": {},
    "select x.precip from (select precip from daily) x(precip)": {},
    "from daily select reference_eto": {"reference_eto": "in"},
    "from spatial_daily select asce_eto": {"asce_eto": "in"},
    "select unnest([precip]) as precip from daily": {},
    "describe daily": {},
    "pivot (select station, precip from daily) on station using sum(precip)": {},
    "select min(columns('precip')) from daily": {},
    "select precip from (values (1.0)) v(precip)": {},
    "select precip from daily union by name select air_tmp_avg as precip from daily": {},
}


@pytest.mark.parametrize("text", CLAIMED)
def test_a_unit_is_claimed_of_plain_columns_alone(text: str, store: Store) -> None:
    answer = store.sql(text, units="english")
    assert units_of(answer.schema) == CLAIMED[text]
    assert units_of(answer.table().schema) == CLAIMED[text]


def test_all_columns_of_a_view_have_their_unit_in_both_systems(store: Store) -> None:
    for table in TABLES:
        for system in Standard:
            found = units_of(store.sql(f"select * from {table}", units=system).schema)
            due = {i.column: i.symbol(system) for i in scope_items(TABLES[table])}
            due["reference_eto"] = "mm" if system is Standard.METRIC else "in"
            assert found == {name: symbol for name, symbol in due.items() if symbol}


def test_heads_name_the_item_and_the_decimals_that_it_has(store: Store) -> None:
    """The reference ETo is chosen from two items, so it is none."""
    text = "select asce_eto as a, reference_eto, station from daily"
    a, reference, station = store.sql(text, units="english").schema
    assert a.metadata[b"item"] == b"day-asce-eto"
    assert b"item" not in reference.metadata
    assert a.metadata[b"decimals"] == reference.metadata[b"decimals"] == b"2"
    assert station.metadata is None


def test_origins_say_nothing_of_what_cannot_be_parsed(store: Store) -> None:
    connection = store.connect()
    assert origins(connection, "selec 1") == []
    assert origins(connection, "select 1; select 2") == []
    deep = "select precip from " + "(select precip from " * 60 + "daily" + ")" * 60
    assert origins(connection, deep) == []
    long = "select precip, " + " + ".join(["1"] * 900) + " as n from daily"
    assert units_of(store.sql(long).schema) in ({"precip": "mm"}, {})
    assert len(store.sql(long).fetchall()) > 300
    connection.close()


@pytest.mark.parametrize("name", sorted(named_queries()))
def test_named_questions_answer_alike_in_both_systems(name: str, store: Store) -> None:
    """Counts and days are the same with the converted defaults; figures are the converted ones."""
    metric, english = (store.named(name, units=u).pl() for u in ("metric", "english"))
    assert metric.height == english.height > 0
    endings = {"_mm": ("_in", units.DEPTH), "_c": ("_f", units.TEMPERATURE)}
    for known, found in zip(metric, english, strict=True):
        ending = next((e for e in endings if known.name.endswith(e)), None)
        if ending is not None:
            other, quantity = endings[ending]
            assert found.name == known.name.removesuffix(ending) + other
            assert quantity.ratio is not None
            due = quantity.ratio.english(known.to_numpy())
        elif "degree_days" in known.name:
            due = known.to_numpy() * 1.8  # a difference of temperatures
        else:
            assert found.equals(known), known.name
            continue
        assert found.to_numpy() == pytest.approx(due, abs=0.02, nan_ok=True)


def test_a_threshold_of_a_named_question_is_in_the_units_asked_for(store: Store) -> None:
    metric = store.named("frost-nights", threshold=5).pl()
    english = store.named("frost-nights", threshold=41, units="english").pl()
    assert english["frost_nights"].to_list() == metric["frost_nights"].to_list()
    assert metric["frost_nights"].sum() > 0


def test_named_questions_give_stations_names(network: Network) -> None:
    with open_store(network.root) as opened:
        found = opened.named("latest").pl()
        assert found.columns[:2] == ["station", "name"]
        names = dict(found.select("station", "name").iter_rows())
        joined = opened.sql(
            "select distinct station, name from daily join stations using (station)"
        )
        assert dict(joined.fetchall()) == {n: name for n, name in names.items() if name}
    assert names[80] == "Fresno"
    assert names[131] is None  # a station that is not in the list keeps its rows
