"""The small network that questions are asked of, here too, and a store of spatial targets."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkKey, write_chunk
from cimis.pipeline.field.items import Scope
from cimis.pipeline.rows.schema import TARGET_FIELD
from cimis.store import create
from tests.queries.conftest import network, year_table

__all__ = ["network", "places"]


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with two years of two spatial targets."""
    root = tmp_path_factory.mktemp("places")
    create(root).close()
    with Catalog(root) as catalog:
        for number, target in enumerate(("coordinate:36.5,-120", "zip:93624"), 1):
            for year in (2021, 2022):
                table = year_table(Scope.DAILY, number, year, items="asce_eto,sol_rad_avg")
                whose = pa.array([target] * len(table))
                path = (key := ChunkKey(Scope.DAILY, year, target=target)).path(root)
                path.parent.mkdir(parents=True, exist_ok=True)
                info = write_chunk(key.path(root), table.set_column(0, TARGET_FIELD, whose))
                catalog.put_chunks([chunk_row(info, source="test")])
    return root
