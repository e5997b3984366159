"""``cimis sql``: named questions, parameters, plans."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from cimis.pipeline.errors import UsageError
from cimis.pipeline.field.items import Scope
from cimis.queries.answers.named import named_queries
from cimis.store import Store, open_store
from tests.cli.conftest import typed
from tests.queries.conftest import put, year_table

if TYPE_CHECKING:
    from tests.cli.conftest import Typed

__all__ = ["typed"]

C = pl.col


ITEMS = "air_tmp_avg,air_tmp_max,air_tmp_min,asce_eto,precip"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three stations' three years with gaps, missing values and flags; two of them hourly."""
    folder = tmp_path_factory.mktemp("sql")
    years = [(station, year) for station in (2, 5, 80) for year in (2020, 2021, 2022)]
    put(folder, [year_table(Scope.DAILY, *each, items=ITEMS) for each in years])
    put(folder, [year_table(Scope.HOURLY, station, 2021) for station in (2, 80)])
    return folder


@pytest.fixture(autouse=True)
def _data_dir(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(root))


@pytest.fixture
def store(root: Path) -> Iterator[Store]:
    with open_store(root) as opened:
        yield opened


@pytest.fixture
def daily(store: Store) -> pl.DataFrame:
    return store.daily()


def _frame(text: str) -> pl.DataFrame:
    return pl.read_csv(io.StringIO(text))


def test_the_list_names_every_question_with_its_parameters(typed: Typed) -> None:
    found = json.loads(typed("sql", "--list", "--json").out)
    assert [row["name"] for row in found] == sorted(named_queries())
    frost = next(row for row in found if row["name"] == "frost-nights")
    assert frost["description"].startswith("Nights with frost")
    assert frost["parameters"][0].startswith("threshold=0: ")


@pytest.mark.parametrize("name", sorted(named_queries()))
def test_every_named_question_is_asked_by_its_name(
    name: str, typed: Typed, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By argument and by standard input, and as from Python; of some stations the same rows."""
    whole = typed("sql", name, "--allow-empty")
    assert whole.code == 0, whole.err
    monkeypatch.setattr("sys.stdin", io.StringIO(name + "\n"))
    assert typed("sql", "--allow-empty").out == whole.out
    some = typed("sql", name, "--stations", "2,80", "--allow-empty")
    rows = [r for r in whole.out.splitlines() if r.split(",")[0] in {"station", "2", "80"}]
    assert some.out.splitlines() == rows
    named = store.named(name, stations=[80, 2]).pl()
    assert named.height == len(rows) - 1


@pytest.mark.parametrize("threshold", ["0", "-3", "4.5"])
def test_frost_nights(threshold: str, typed: Typed, daily: pl.DataFrame) -> None:
    """Nights at or below the threshold, by season, and of how many nights there is a value."""
    found = _frame(typed("sql", "frost-nights", "--param", f"threshold={threshold}").out)
    cold = C("air_tmp_min") <= float(threshold)
    due = (
        daily.group_by("station", C("date").dt.offset_by("6mo").dt.year().alias("season"))
        .agg(
            cold.sum().alias("frost_nights"),
            C("date").filter(cold).min().cast(pl.String).alias("first_frost"),
            C("date").filter(cold).max().cast(pl.String).alias("last_frost"),
            C("air_tmp_min").min().alias("coldest_c"),
            C("air_tmp_min").count().alias("nights"),
        )
        .sort("station", "season")
    )
    assert found.drop("name").rows() == due.rows()
    assert found["frost_nights"].sum() > 0


def test_growing_degree_days(typed: Typed, daily: pl.DataFrame) -> None:
    """The mean of both temperatures within the thresholds, less the lower; gaps are counted."""
    given = ("start=2021-03-01", "end=2021-09-30", "base=9", "upper=18")
    asked = [word for text in given for word in ("--param", text)]
    found = _frame(typed("sql", "growing-degree-days", *asked).out)
    season = C("date").is_between(dt.date(2021, 3, 1), dt.date(2021, 9, 30))
    mean = (C("air_tmp_max").clip(9, 18) + C("air_tmp_min").clip(9, 18)) / 2 - 9
    due = daily.filter(season).with_columns(mean.alias("days")).sort("station", "date")
    per_station = found.group_by("station").agg(C("degree_days_total").max()).sort("station")
    totals = due.group_by("station").agg(C("days").sum()).sort("station")
    assert per_station["station"].to_list() == totals["station"].to_list()
    for got, want in zip(per_station["degree_days_total"], totals["days"], strict=True):
        assert got == pytest.approx(want, abs=0.01)
    last = found.group_by("station").last().sort("station")
    counted = due.drop_nulls("days").group_by("station", maintain_order=True)
    spans = counted.agg(C("date").min().alias("first"), C("date").max().alias("end"), pl.len())
    gone = [(r["end"] - r["first"]).days + 1 - r["len"] for r in spans.iter_rows(named=True)]
    assert last["days_missing"].to_list() == gone
    assert sum(gone) > 0


def test_what_is_no_parameter_or_no_name_is_refused(typed: Typed) -> None:
    assert typed("sql", "frost-nights", "--param", "heat=3").code == 2
    assert typed("sql", "no-such-question").code == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [("80", "80"), ("2.5", "2.5"), ("true", "true"), ("2021-06-01", "2021-06-01"), ("R", "R")],
)
def test_a_parameter_has_the_type_that_it_looks_like(value: str, text: str, typed: Typed) -> None:
    kinds = {"80": "INTEGER", "2.5": "DOUBLE", "true": "BOOLEAN", "2021-06-01": "DATE"}
    found = typed("sql", "select $v as v, typeof($v) as t", "--param", f"v={value}").out
    assert found == f"v,t\n{text},{kinds.get(value, 'VARCHAR')}\n"


def test_parameters_narrow_questions_of_ones_own(typed: Typed, daily: pl.DataFrame) -> None:
    text = "select count(*) as n from daily where station = $s and date >= $d"
    found = typed("sql", text, "--param", "s=80", "--param", "d=2022-01-01").out
    due = daily.filter((C("station") == 80) & (C("date").dt.year() >= 2022)).height
    assert found == f"n\n{due}\n"


@pytest.mark.parametrize("given", ["s", "=3", "a b=3", "d=2021-02-30"])
def test_a_parameter_that_is_none_is_refused(given: str, typed: Typed) -> None:
    answer = typed("sql", "select $s", "--param", given)
    assert answer.code == 2
    assert given in answer.err


def test_stations_narrow_named_questions_only(typed: Typed) -> None:
    assert typed("sql", "select 1", "--stations", "2").code == 2


def test_the_plan_shows_what_is_pushed_down(typed: Typed) -> None:
    text = "select avg(asce_eto) from daily where station = $s"
    assert typed("cache", "clear").code == 0
    plan = typed("sql", text, "--param", "s=80", "--explain").out
    assert "Filters: station = 80" in plan
    assert "Projections: asce_eto" in plan
    assert "Table: stored_daily.main.daily" in plan
    rows = typed("sql", "select count(*) as n from daily").out.split()[1]
    assert f"mirror      9 chunks, {int(rows):,} rows held, 9 chunks refreshed\n" in plan
    assert "chunks      0 considered, 0 skipped, 0 read\n" in plan


def test_the_plan_tells_what_is_read_of_chunks(typed: Typed) -> None:
    asked = ("sql", "frost-nights", "--stations", "80", "--explain", "--json")
    kept, read = (json.loads(typed(*asked, *more).out) for more in ((), ("--cache", "0")))
    assert "memory.loose.daily" in read["physical_plan"]
    assert (kept["mirror_chunks"], kept["chunks_read"]) == (9, 0)
    assert (read["mirror_chunks"], read["chunks_considered"], read["chunks_read"]) == (0, 9, 9)


def test_the_flag_policy_reaches_sql(typed: Typed, daily: pl.DataFrame) -> None:
    text = "select count(asce_eto) as n from daily"
    strict = daily.filter(C("asce_eto_qc").is_null() & C("asce_eto").is_not_null()).height
    assert typed("sql", text, "--qc", "strict").out == f"n\n{strict}\n"
    assert typed("sql", text).out == f"n\n{daily['asce_eto'].count()}\n"


def test_python_asks_by_name_too(store: Store, daily: pl.DataFrame) -> None:
    found = store.named("rain-days", stations=[2], threshold=3).pl()
    rain = daily.filter((C("station") == 2) & (C("precip") >= 3)).height
    assert found["rain_days"].sum() == rain
    with pytest.raises(UsageError, match="no parameter 'depth'"):
        store.named("rain-days", depth=3)
