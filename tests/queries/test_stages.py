"""Single stages: bodies decoded and chunks read in the units that people use."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import cimis
from cimis.pipeline.chunks import write_chunk
from cimis.pipeline.decode import decode
from cimis.pipeline.field.items import Scope
from cimis.pipeline.rows.values import to_physical
from tests.queries.conftest import year_table

BODY = (
    b'{"Data":{"Providers":[{"Name":"cimis","Type":"station","Records":[{"Date":"2024-06-01",'
    b'"Julian":"153","Station":"2","Standard":"metric","ZipCodes":"93624","Scope":"daily",'
    b'"DayAirTmpAvg":{"Value":"8.1","Qc":" ","Unit":"(C)"},'
    b'"DayPrecip":{"Value":null,"Qc":"M","Unit":"(mm)"}}]}]}}'
)


def test_a_body_is_decoded_to_what_people_read() -> None:
    (batch,) = cimis.decode([BODY[:100], BODY[100:]], scope="daily")
    rows = batch.to_pylist()
    assert rows[0]["air_tmp_avg"] == 8.1
    assert (rows[0]["precip"], rows[0]["precip_qc"]) == (None, "M")
    assert batch.schema.field("air_tmp_avg").type == pa.float64()


def test_scaled_batches_are_those_of_the_pipeline() -> None:
    (batch,) = cimis.decode(BODY, scope="daily", scaled=True)
    (due,) = decode([BODY], scope="daily")
    assert batch.equals(due, check_metadata=True)
    (physical,) = cimis.decode(BODY, scope="daily")
    whole = to_physical(pa.Table.from_batches([due]))
    assert pa.Table.from_batches([physical]).equals(whole, check_metadata=True)


def test_a_body_and_its_chunk_have_the_same_columns(tmp_path: Path) -> None:
    (batch,) = cimis.decode(BODY, scope="daily")
    path = tmp_path / "2024_daily.zst"
    cimis.write_chunk(path, pa.Table.from_batches([batch]))
    table = cimis.read_chunk(path)
    assert table.schema.equals(batch.schema, check_metadata=False)
    assert table.to_pylist() == batch.to_pylist()
    scaled = cimis.read_chunk(path, scaled=True)
    assert pa.types.is_integer(scaled.schema.field("air_tmp_avg").type)


def test_a_column_that_a_chunk_does_not_hold_is_named(tmp_path: Path) -> None:
    path = tmp_path / "2021_daily.zst"
    write_chunk(path, year_table(Scope.DAILY, 2, 2021, items="precip"))
    with pytest.warns(cimis.IncompleteAnswer, match="nothing holds eto"):
        assert cimis.read_chunk(path, columns="date,precip,eto").num_columns == 2
    with pytest.raises(cimis.UsageError, match="nonsense"):
        cimis.read_chunk(path, columns=["nonsense"])
    with pytest.raises(cimis.UsageError):
        list(cimis.decode(BODY, scope="weekly"))
