"""The PySpark source that docs/scale.md shows answers as SQL does and reads what it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.engines.questions import (
    QUESTIONS,
    WHERE,
    check,
    check_flags,
    check_hours,
    check_targets,
)
from tests.queries.conftest import Network

pytest.importorskip("pyspark", reason="PySpark is not installed: 'just test-engines'")
JAVA = 17


def _java() -> int:
    """Return the version of the Java that Spark would find, 0 where there is none."""
    home = os.environ.get("JAVA_HOME")
    program = f"{home}/bin/java" if home else shutil.which("java")
    if program is None:
        return 0
    told = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    number = told.stderr.partition('"')[2].partition(".")[0]
    return int(number) if number.isdigit() else 0


pytestmark = [
    pytest.mark.skipif(_java() < JAVA, reason=f"Spark needs Java {JAVA}, which is not here"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]


def recipe() -> str:
    """Return the code that docs/scale.md shows first below its heading of PySpark."""
    page = Path(__file__).parents[2] / "docs/scale.md"
    below = page.read_text("utf-8").partition("### PySpark\n")[2]
    begin = below.index("    import operator\n")
    lines = below[begin:].splitlines()
    end = next(n for n, line in enumerate(lines) if line and not line.startswith("    "))
    return dedent("\n".join(lines[:end]))


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A session of two cores that knows the source."""
    from pyspark.sql import SparkSession

    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.python.filterPushdown.enabled": "true",
    }
    session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    known: dict[str, Any] = {"__name__": "recipe"}  # no module of it: Spark sends the code itself
    exec(compile(recipe(), "docs/scale.md", "exec"), known)
    session.dataSource.register(known["CimisSource"])
    yield session
    session.stop()


def _rows(spark: Any, root: Path, schema: str | None = None, **options: str) -> Any:
    reader = spark.read.format("cimis").options(**options)
    return (reader.schema(schema) if schema else reader).load(str(root))


def _pairs(frame: Any) -> list[tuple[Any, Any]]:
    return [tuple(row) for row in frame.collect()]


def test_questions_are_answered_as_by_sql(spark: Any, network: Network) -> None:
    from pyspark.sql import functions

    rows = _rows(spark, network.root, target_rows="6000")
    for _, where in WHERE:
        # Spark counts text with nulls as a group of its own, SQL's question leaves it out
        for by in ("station", "asce_eto_qc"):
            asked = [one for one in QUESTIONS if one[2] == by]
            figures = [
                getattr(functions, figure)(column).alias(f"v{n}")
                for n, (column, figure, _) in enumerate(asked)
            ]
            some = rows.where(where).where(f"{by} IS NOT NULL").groupBy(by).agg(*figures)
            got = some.collect()
            for n, one in enumerate(asked):
                check(network, [(row[by], row[f"v{n}"]) for row in got], one, where)


@pytest.mark.parametrize(
    ("where", "chunks"),
    [
        ("station = 5 AND date >= '2022-01-01'", 1),
        ("station IN (2, 131) AND date BETWEEN '2021-05-01' AND '2021-06-01'", 2),
        ("precip IS NOT NULL", 9),
        ("station = 5 AND month(date) = 6 AND asce_eto * 2 > 30", 3),
        ("asce_eto_qc LIKE '%R%'", 15),
        ("station = 4000", 0),
    ],
)
def test_filters_reach_the_splits_or_are_left_to_the_engine(
    spark: Any, network: Network, where: str, chunks: int
) -> None:
    """With a row to a split there are as many partitions as chunks read; Spark has one at least."""
    from cimis.store import open_store

    schema = "station int, date date, asce_eto double, asce_eto_qc string, precip double"
    rows = _rows(spark, network.root, schema, target_rows="1").where(where)
    with open_store(network.root) as store:
        due = store.sql(f"SELECT count(*) FROM daily WHERE {where}").pl().item()
    assert rows.count() == due
    assert rows.rdd.getNumPartitions() == max(chunks, 1)


def test_only_the_columns_of_the_schema_come(spark: Any, network: Network) -> None:
    rows = _rows(spark, network.root, "precip double, station int", stations="5,7")
    assert rows.columns == ["precip", "station"]
    assert {row.station for row in rows.collect()} == {5, 7}


def test_hourly_rows_are_answered_as_by_sql(spark: Any, network: Network) -> None:
    rows = _rows(spark, network.root, scope="hourly", stations="80")
    some = rows.where("time > '2022-06-01' AND time <= '2022-09-01'").groupBy("hour")
    check_hours(network, _pairs(some.avg("air_tmp")))


@pytest.mark.parametrize("qc", ["strict", "drop-severe"])
def test_flagged_values_are_null_by_the_policy(spark: Any, network: Network, qc: str) -> None:
    rows = _rows(spark, network.root, "station int, precip double", qc=qc)
    check_flags(network, _pairs(rows.groupBy("station").agg({"precip": "count"})), qc)


def test_targets_have_a_frame(spark: Any, places: Path) -> None:
    rows = _rows(spark, places, stations="targets").where("date >= '2022-01-01'")
    check_targets(places, _pairs(rows.groupBy("target").avg("asce_eto")))


def test_columns_that_no_chunk_has_are_null(spark: Any, network: Network) -> None:
    rows = _rows(spark, network.root, "soil_tmp_avg double, station int")
    found = rows.agg({"soil_tmp_avg": "count", "station": "count"}).first()
    assert found["count(soil_tmp_avg)"] == 0
    assert found["count(station)"] > 0
