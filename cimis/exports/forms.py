"""The forms of an export: how a year of a table is written, put in another's place, and removed."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from cimis.exports.plan import Year
from cimis.pipeline.extras import needing
from cimis.queries.export.replacing import replacing

__all__ = ["FORMS", "Form"]

YEAR = "year"

_LACKING = "the package that writes {form} is not installed ({{error}})"


class Form(Protocol):
    """Writes years of tables into a folder; a reader sees the old year or the new one, whole."""

    def put(self, year: Year, rows: pa.RecordBatchReader) -> None:
        """Write a year in the place of what there was of it."""
        ...

    def remove(self, year: Year) -> None:
        """Remove a year."""
        ...

    def stations(self, rows: pa.Table) -> None:
        """Write the list of stations in the place of the one there was."""
        ...

    def close(self) -> None:
        """End what is open, and let readers see what was written."""
        ...


class Parquet:
    """``daily/year=2024/rows.parquet``: the partitions that every engine knows as Hive's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, year: Year, rows: pa.RecordBatchReader) -> None:
        """Write the year's one file."""
        place = self._folder / year.name
        place.mkdir(parents=True, exist_ok=True)
        self._write(place / "rows.parquet", rows)

    def remove(self, year: Year) -> None:
        """Remove the year's folder."""
        shutil.rmtree(self._folder / year.name, ignore_errors=True)

    def stations(self, rows: pa.Table) -> None:
        """Write ``stations.parquet``."""
        self._write(self._folder / "stations.parquet", rows.to_reader())

    def close(self) -> None:
        """Leave all as it is: each file was put in place when it was whole."""

    @staticmethod
    def _write(path: Path, rows: pa.RecordBatchReader) -> None:
        import pyarrow.parquet as pq

        with (
            replacing(path) as stream,
            pq.ParquetWriter(
                pa.PythonFile(stream, mode="w"), rows.schema, compression="zstd"
            ) as file,
        ):
            for batch in rows:
                file.write_batch(batch)


class Database:
    """``cimis.duckdb``: a table each; changed in a copy that takes its place at the end."""

    def __init__(self, folder: Path) -> None:
        from cimis.queries.native import opened, with_arrow

        with_arrow()
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "cimis.duckdb"
        self._draft = folder / "cimis.duckdb.draft"
        self._draft.unlink(missing_ok=True)
        if self._path.exists():
            shutil.copyfile(self._path, self._draft)
        self._connection = opened(str(self._draft))

    def put(self, year: Year, rows: pa.RecordBatchReader) -> None:
        """Replace the year's rows."""
        run = self._connection.execute
        self._connection.register("given", rows)
        run("BEGIN")
        try:
            run(f"CREATE TABLE IF NOT EXISTS {year.table} AS SELECT * FROM given LIMIT 0")
            self.remove(year)
            run(f"INSERT INTO {year.table} SELECT * FROM given")
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise
        finally:
            self._connection.unregister("given")

    def remove(self, year: Year) -> None:
        """Delete the year's rows."""
        where = f"date BETWEEN '{year.year}-01-01' AND '{year.year}-12-31'"
        self._connection.execute(f"DELETE FROM {year.table} WHERE {where}")

    def stations(self, rows: pa.Table) -> None:
        """Replace the table of stations."""
        self._connection.register("given", rows)
        self._connection.execute("CREATE OR REPLACE TABLE stations AS SELECT * FROM given")
        self._connection.unregister("given")

    def close(self) -> None:
        """Write the file whole, and put it in place."""
        self._connection.execute("CHECKPOINT")
        self._connection.close()
        self._draft.replace(self._path)


class Delta:
    """A Delta table a folder, by year; each year is one transaction."""

    def __init__(self, folder: Path) -> None:
        with needing("delta", _LACKING.format(form="delta")):
            import deltalake
        folder.mkdir(parents=True, exist_ok=True)
        self._lake = deltalake
        self._folder = folder

    def put(self, year: Year, rows: pa.RecordBatchReader) -> None:
        """Overwrite the year's partition."""
        place = str(self._folder / year.table)
        there = self._lake.DeltaTable.is_deltatable(place)
        self._lake.write_deltalake(
            place,
            _with_year(year.year, rows),
            mode="overwrite",
            partition_by=[YEAR],
            predicate=f"{YEAR} = {year.year}" if there else None,
        )

    def remove(self, year: Year) -> None:
        """Delete the year's partition."""
        table = self._lake.DeltaTable(str(self._folder / year.table))
        table.delete(f"{YEAR} = {year.year}")

    def stations(self, rows: pa.Table) -> None:
        """Overwrite the table of stations."""
        self._lake.write_deltalake(str(self._folder / "stations"), rows, mode="overwrite")

    def close(self) -> None:
        """Leave all as it is: each transaction has ended."""


class Iceberg:
    """Iceberg tables in the namespace ``cimis`` of a catalog in SQLite, by year."""

    def __init__(self, folder: Path) -> None:
        with needing("iceberg", _LACKING.format(form="iceberg")):
            from pyiceberg.catalog.sql import SqlCatalog
            from pyiceberg.exceptions import NoSuchTableError
        folder.mkdir(parents=True, exist_ok=True)
        self._none = NoSuchTableError
        self._catalog = SqlCatalog(
            "cimis",
            uri=f"sqlite:///{(folder / 'catalog.sqlite').absolute()}",
            warehouse=folder.absolute().as_uri(),
        )
        self._catalog.create_namespace_if_not_exists("cimis")

    def put(self, year: Year, rows: pa.RecordBatchReader) -> None:
        """Overwrite the year's rows, which are held in memory for that."""
        found = _with_year(year.year, rows).read_all()
        name = f"cimis.{year.table}"
        try:
            table = self._catalog.load_table(name)
        except self._none:
            from pyiceberg.transforms import IdentityTransform

            table = self._catalog.create_table(name, schema=found.schema)
            with table.update_spec() as spec:
                spec.add_field(YEAR, IdentityTransform(), YEAR)
        with _nothing_to_replace():
            table.overwrite(found, overwrite_filter=f"{YEAR} = {year.year}")

    def remove(self, year: Year) -> None:
        """Delete the year's rows."""
        self._catalog.load_table(f"cimis.{year.table}").delete(f"{YEAR} = {year.year}")

    def stations(self, rows: pa.Table) -> None:
        """Replace the table of stations."""
        try:
            table = self._catalog.load_table("cimis.stations")
        except self._none:
            table = self._catalog.create_table("cimis.stations", schema=rows.schema)
        with _nothing_to_replace():
            table.overwrite(rows)

    def close(self) -> None:
        """Let go of the catalog."""
        self._catalog.close()


@contextmanager
def _nothing_to_replace() -> Iterator[None]:
    """Let pyiceberg keep to itself that a year which is written first replaces nothing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Delete operation did not match any records")
        yield


def _with_year(year: int, rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Return rows with the year in a column, as tables need it that are parted by one."""
    field = pa.field(YEAR, pa.int32())
    schema = rows.schema.append(field)

    def added() -> Iterator[pa.RecordBatch]:
        with closing(rows):
            for batch in rows:
                years = pa.repeat(pa.scalar(year, pa.int32()), batch.num_rows)
                yield pa.RecordBatch.from_arrays([*batch.columns, years], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, added())


FORMS: dict[str, Callable[[Path], Form]] = {
    "parquet": Parquet,
    "duckdb": Database,
    "delta": Delta,
    "iceberg": Iceberg,
}
"""Each form's writer, by the name that users give."""
