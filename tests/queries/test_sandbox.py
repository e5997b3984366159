"""Questions in SQL see the views and nothing else: every way out is refused in one clear line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from cimis.pipeline.errors import UsageError
from cimis.store import Store, open_store
from tests.queries.conftest import Network

ATTEMPTS = {
    "read a CSV file": "SELECT * FROM read_csv('{file}')",
    "read a file by its name": "SELECT * FROM '{file}'",
    "read a text file": "SELECT * FROM read_text('{file}')",
    "read a binary file": "SELECT * FROM read_blob('{file}')",
    "read a JSON file": "SELECT * FROM read_json('{file}')",
    "read Parquet": "SELECT * FROM read_parquet('{file}')",
    "list files": "SELECT * FROM glob('{folder}/*')",
    "sniff a file": "SELECT * FROM sniff_csv('{file}')",
    "read a file in a subquery": "SELECT (SELECT count(*) FROM read_text('{file}')) FROM daily",
    "read a file in a query text": "SELECT * FROM query('SELECT * FROM read_text(''{file}'')')",
    "reach the network": "SELECT * FROM read_parquet('https://example.invalid/x.parquet')",
    "reach the network by name": "SELECT * FROM 'http://example.invalid/x.csv'",
    "write a file": "COPY (SELECT 1) TO '{folder}/out.csv'",
    "write to standard output": "COPY (SELECT 1) TO '/dev/stdout'",
    "load a file into a table": "COPY t FROM '{file}'",
    "export everything": "EXPORT DATABASE '{folder}/out'",
    "import a database": "IMPORT DATABASE '{folder}'",
    "attach a database": "ATTACH '{folder}/other.db'",
    "install an extension": "INSTALL httpfs",
    "load an extension": "LOAD httpfs",
    "load a library": "LOAD '{folder}/evil.so'",
    "update extensions": "UPDATE EXTENSIONS",
    "allow external access": "SET enable_external_access = true",
    "reset a setting": "RESET enable_external_access",
    "unlock the configuration": "SET lock_configuration = false",
    "set threads by pragma": "PRAGMA threads = 1",
    "write a profile": "PRAGMA profiling_output = '{folder}/p.json'",
    "set a temporary folder": "SET temp_directory = '{folder}'",
    "log to a file": "CALL enable_logging(storage = 'file')",
    "make a secret": "CREATE SECRET s (TYPE s3)",
    "make a table": "CREATE TABLE x AS SELECT 1",
    "replace a view": "CREATE OR REPLACE VIEW daily AS SELECT 1",
    "drop a view": "DROP VIEW daily",
    "insert rows": "INSERT INTO daily VALUES (1)",
    "delete rows": "DELETE FROM daily",
    "update rows": "UPDATE daily SET asce_eto = 0",
    "smuggle a second statement": "SELECT 1; COPY (SELECT 1) TO '{folder}/out.csv'",
    "explain a write": "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/out.csv'",
    "see a variable of the caller": "SELECT * FROM secret_frame",
    "read the mirror": "SELECT * FROM read_blob('{mirror}')",
    "read the mirror as text": "SELECT * FROM read_text('{mirror}')",
    "open the mirror by name": "SELECT * FROM '{mirror}'",
    "attach the mirror": "ATTACH '{mirror}' AS mine",
    "attach the mirror for reading": "ATTACH '{mirror}' AS mine (READ_ONLY)",
    "write beside the mirror": "COPY (SELECT 1) TO '{mirror}.wal'",
    "write into the mirror": "INSERT INTO stored_daily.main.daily (station) VALUES (1)",
    "forget the mirror": "DETACH stored_daily",
    "open file systems": "SET disabled_filesystems = ''",
    "read the environment": "SELECT getenv('HOME')",
}


def _mirror(store: Store) -> Path:
    store.refresh()
    (path,) = (store.root / ".cache").glob("daily-*.duckdb")
    return path


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_every_way_out_is_refused(attempt: str, store: Store, tmp_path: Path) -> None:
    import polars as pl

    secret_frame = pl.DataFrame({"secret": [1]})
    assert secret_frame.height == 1
    file = tmp_path / "file.csv"
    file.write_text("a,b\n1,2\n")
    text = ATTEMPTS[attempt].format(file=file, folder=tmp_path, mirror=_mirror(store))
    with pytest.raises(UsageError) as caught:
        store.sql(text).fetchall()
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert caught.value.exit_code == 2
    assert [p.name for p in tmp_path.iterdir()] == ["file.csv"]


@pytest.mark.parametrize(
    "attempt", [a for a in ATTEMPTS if "{f" in ATTEMPTS[a] or "{m" in ATTEMPTS[a]]
)
def test_a_connection_of_its_own_is_in_the_same_sandbox(
    attempt: str, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "file.csv"
    file.write_text("a,b\n1,2\n")
    connection = store.connect()
    try:
        text = ATTEMPTS[attempt].format(file=file, folder=tmp_path, mirror=_mirror(store))
        with pytest.raises(duckdb.Error):
            connection.execute(text).fetchall()
    finally:
        connection.close()
    assert [p.name for p in tmp_path.iterdir()] == ["file.csv"]


def test_unsafe_lifts_the_sandbox(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    text = f"CREATE TABLE x AS SELECT 41 + 1 AS a; COPY x TO '{target}'; SELECT a FROM x"
    assert store.sql(text, unsafe=True).fetchall() == [(42,)]
    assert target.read_text() == "a\n42\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selec 1", 'syntax error at or near "selec"'),
        ("SELECT nope FROM daily", '"nope" not found'),
        ("SELECT * FROM nowhere", "nowhere does not exist"),
        ("SELECT 'a'::int", "Could not convert string 'a'"),
        ("", "no SQL given"),
        ("-- nothing", "no SQL given"),
        ("SELECT ? + 1", "parameter"),
    ],
)
def test_wrong_sql_is_told_in_one_line_with_a_hint(text: str, message: str, store: Store) -> None:
    with pytest.raises(UsageError, match="(?i)" + message) as caught:
        store.sql(text).fetchall()
    assert "\n" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "FROM daily LIMIT 1",
        "WITH x AS (SELECT 1 AS a) SELECT * FROM x",
        "VALUES (1)",
        "DESCRIBE daily",
        "SUMMARIZE SELECT asce_eto FROM daily WHERE station = 2",
        "SHOW TABLES",
        "EXPLAIN SELECT * FROM daily WHERE station = 2",
        "EXPLAIN ANALYZE SELECT count(*) FROM daily WHERE station = 2",
        "PIVOT daily ON station USING count(*)",
        "SELECT 1;",
    ],
)
def test_every_kind_of_question_is_allowed(text: str, store: Store) -> None:
    assert store.sql(text).fetchall()


def test_nothing_is_printed_when_a_store_is_left_open(network: Network) -> None:
    """An open DuckDB connection at the end of a process would print its leaks."""
    code = (
        "import cimis, sys\n"
        f"store = cimis.open({str(network.root)!r})\n"
        "first = next(store.sql('select * from daily').batches())\n"
        "kept = store.connect()\n"
        "lazy = store.scan_daily().head(3).collect()\n"
        "print(first.num_rows > 0, lazy.height)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True 3\n", "")


def test_a_closed_store_says_so(network: Network) -> None:
    from cimis.pipeline.errors import StoreError

    with open_store(network.root) as opened:
        pass
    with pytest.raises(StoreError, match="closed"):
        opened.sql("SELECT 1")
    with pytest.raises(StoreError, match="closed"):
        opened.daily()
