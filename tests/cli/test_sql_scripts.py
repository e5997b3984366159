"""``cimis sql`` with several questions: out of a file, standard input, or the argument."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cimis.pipeline.field.items import Scope
from tests.cli.conftest import ROOT, Typed, typed
from tests.queries.conftest import put, year_table

__all__ = ["typed"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A station's year."""
    folder = tmp_path_factory.mktemp("scripts")
    put(folder, [year_table(Scope.DAILY, 2, 2021, items="air_tmp_avg,asce_eto,precip")])
    return folder


@pytest.fixture(autouse=True)
def _data_dir(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMIS_DATA_DIR", str(root))


SCRIPT = """\
-- two questions and how they are wanted
.mode json
select 1 as a;
.mode tsv
.units english
select asce_eto, avg(precip) as rain
from daily group by all order by asce_eto limit 1;
rain-days
.exit
select 2 as never;
"""


def test_standard_input_is_a_script(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(SCRIPT))
    answer = typed("sql")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert json.loads("".join(lines[:3])) == [{"a": 1}]
    assert lines[3] == "asce_eto\train"
    assert lines[5].startswith("station\tname\twater_year\train_days\tprecip_in")
    assert "never" not in answer.out


def test_a_script_runs_in_a_process_as_in_duckdbs_shell(root: Path, tmp_path: Path) -> None:
    """``cimis sql < script.sql`` writes what it says where it says."""
    (tmp_path / "script.sql").write_text(f".output {tmp_path}/a.csv\n{SCRIPT}")
    with (tmp_path / "script.sql").open() as stream:
        done = subprocess.run(
            [sys.executable, "-m", "cimis", "sql", "--data-dir", str(root)],
            stdin=stream,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
        )
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "a.csv").read_text().startswith("a\n1\nasce_eto,rain\n")


def test_ctrl_c_ends_a_script_while_a_question_is_reckoned(root: Path) -> None:
    """Every form of an answer: one line and the exit code of interruptions, at once."""
    endless = "select count(*) as n from range(1000000000000) where range % 7 = 3;"
    for mode in ("csv", "line"):
        with subprocess.Popen(
            [sys.executable, "-m", "cimis", "sql", "--data-dir", str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"select 1 as a;\n.mode {mode}\n{endless}\nselect 2 as b;\n")
            process.stdin.close()
            process.stdin = None
            assert process.stdout.readline() == "a\n"
            time.sleep(2)  # the second one is being reckoned by now
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert (process.returncode, "b" in out) == (130, False), err
        assert "interrupted" in err
        assert "Traceback" not in err


def test_a_file_is_a_script(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "q.sql"
    file.write_text("\ufeffselect 1 as a;\r\n.mode json\r\nselect 2 as b;\r\n")
    assert typed("sql", "--file", file).out == 'a\n1\n[\n{"b":2}\n]\n'


def test_a_wrong_question_ends_a_script_and_is_named_by_its_line(
    typed: Typed, tmp_path: Path
) -> None:
    file = tmp_path / "q.sql"
    file.write_text("select 1 as a;\n\nselect\n  nope\nfrom daily;\nselect 2 as b;\n")
    answer = typed("sql", "--file", file)
    assert (answer.code, answer.out) == (2, "a\n1\n")
    assert f"error: {file}, line 4: SQL: " in answer.err
    file.write_text("select 1 as a;\n.moed json\n")
    answer = typed("sql", "--file", file)
    assert answer.code == 2
    assert f"{file}, line 2: no command '.moed'" in answer.err
    assert "did you mean .mode?" in answer.err


def test_an_answer_without_rows_stops_nothing_and_is_told(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "select 1 as a where false;\nselect 2 as b;\nselect 3 as c where false;\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    answer = typed("sql")
    assert (answer.code, answer.out) == (3, "a\nb\n2\nc\n")
    assert "line 1: nothing matched" in answer.err
    assert "line 3: nothing matched" in answer.err
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert typed("sql", "--allow-empty").code == 0


def test_the_argument_may_be_several_statements_but_no_command(
    typed: Typed, tmp_path: Path
) -> None:
    """Text that a program puts there reaches no file."""
    assert typed("sql", "select 1 as a; select 2 as b").out == "a\n1\nb\n2\n"
    target = tmp_path / "x.csv"
    for text in (f".output {target}\nselect 1", f"select 1 as a;\n.output {target}\nselect 2"):
        answer = typed("sql", text)
        assert answer.code == 2
        assert "a dot command is a line of its own, at the prompt or in a script" in answer.err
        assert not target.exists()
    copied = typed("sql", f"select 1 as a; copy daily to '{target}'")
    assert copied.code == 2
    assert "line 1: SQL refused" in copied.err
    assert not target.exists()


def test_each_question_gets_the_parameters_that_it_names(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("select $x as a; select $y as b; select 3 as c"))
    answer = typed("sql", "--param", "x=1", "--param", "y=2")
    assert answer.out == "a\n1\nb\n2\nc\n3\n"


def test_several_answers_go_behind_each_other_into_a_file(typed: Typed, tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    assert typed("sql", "select 1 as a; select 2 as b", "-o", target).code == 0
    assert target.read_text() == "a\n1\nb\n2\n"
    answer = typed("sql", "select 1 as a; select 2 as b", "-o", tmp_path / "x.parquet")
    assert answer.code == 2
    assert "cannot hold a second one" in answer.err


def test_nothing_to_ask_is_refused(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("", "-- nothing\n", " ;; /* so */"):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        assert typed("sql").code == 2


def test_units_and_their_heads(typed: Typed) -> None:
    text = "select asce_eto, air_tmp_avg, asce_eto * 2 as double from daily limit 1"
    asked = ("sql", text, "--header", "units")
    assert typed(*asked).out.startswith("asce_eto [mm],air_tmp_avg [°C],double\n")
    english = typed(*asked, "--units", "english")
    assert english.out.startswith("asce_eto [in],air_tmp_avg [°F],double\n")
    units = json.loads(typed(*asked, "--units", "english", "--format", "json").out)["units"]
    assert units == {"asce_eto": "in", "air_tmp_avg": "°F"}
    table = typed("sql", text, "--units", "english", "--format", "table").out
    assert table.splitlines()[1].split() == ["[in]", "[°F]"]


def test_the_library_is_listed_in_the_units_asked_for(typed: Typed) -> None:
    found = {
        r["name"]: r for r in json.loads(typed("sql", "--list", "--json", "--units", "english").out)
    }
    assert found["frost-nights"]["parameters"] == [
        "threshold=32: minimum air temperature in °F at or below which a night counts"
    ]
    assert "°C" not in json.dumps(found, ensure_ascii=False)


def test_an_explained_question_is_in_its_units(typed: Typed) -> None:
    asked = ("sql", "select avg(asce_eto) from daily where station = 2", "--explain")
    assert "round" in typed(*asked, "--units", "english").out
    assert "round" not in typed(*asked).out
