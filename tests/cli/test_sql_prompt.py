"""The prompt of ``cimis sql``: typed through a pipe, and once on a real terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from cimis.cli.prompt.commands import COMMANDS, MODES
from cimis.cli.prompt.conversation import Conversation
from cimis.cli.prompt.terminal import completer, converse
from cimis.cli.showing.answers import Form
from cimis.cli.showing.output import Output
from cimis.pipeline.field.items import Scope
from cimis.queries.export.formats import FORMATS
from cimis.store import Store, open_store
from tests.cli.conftest import ROOT
from tests.queries.conftest import put, year_table

ITEMS = "air_tmp_avg,asce_eto,precip"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stations' year."""
    folder = tmp_path_factory.mktemp("prompt")
    put(folder, [year_table(Scope.DAILY, station, 2021, items=ITEMS) for station in (2, 80)])
    return folder


@pytest.fixture
def store(root: Path) -> Iterator[Store]:
    with open_store(root) as opened:
        yield opened


class Talk(NamedTuple):
    """What was said, and the conversation as it was left."""

    out: str
    err: str
    left: Conversation


Typing = Callable[..., Talk]


@pytest.fixture
def typing(store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Typing:
    """Type lines at a prompt whose answers come as CSV; Ctrl-C is ``\\x03``, Ctrl-D ``\\x04``."""

    def type_(text: str, *, history: Path | None = None, **more: Any) -> Talk:
        form = Form(more.pop("mode", "csv"), None, None, allow_empty=False)
        talk = Conversation(store, form, Output(color=False), **more)
        capsys.readouterr()
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text(text + "\x04")
            converse(talk, history=history or tmp_path / "history")
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Talk(out, err, talk)

    return type_


def test_the_prompt_goes_on_after_errors_and_keeps_a_history(
    typing: Typing, tmp_path: Path
) -> None:
    history = tmp_path / "new" / "history"
    text = (
        "select 40 + 2\nas a;\n"
        "selekt;\n"
        "copy daily to 'x.csv';\n"
        "select station from daily where station = 9;\n"
        "rain-days\n"
        ".tables\n.named\n.help\n.nonsense\n"
        "select 7 as b;\n.quit\nselect 8 as c;\n"
    )
    out, err, _ = typing(text, history=history)
    assert out.startswith("a\n42\n")
    assert out.endswith("b\n7\n")
    assert "station,name,water_year,rain_days" in out
    assert 'daily,"records of stations, one a day"' in out
    assert "frost-nights" in out
    assert "Ctrl-D" in out
    assert err.count("error: ") == 3
    assert "no rows" in err
    kept = history.read_text()
    assert "+select 40 + 2\n+as a;\n" in kept  # a question of two lines is one entry
    assert "select 8" not in kept


def test_the_prompt_works_where_no_history_can_be_kept(typing: Typing, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert typing("select 1 as a;\n.quit\n", history=tmp_path / "file/x").out == "a\n1\n"


@pytest.mark.parametrize("word", ["exit", "quit", ".exit", ".quit", "exit;", "quit;", "\x04"])
def test_it_is_left_in_every_way(word: str, typing: Typing) -> None:
    assert typing(f"select 1 as a;\n{word}\nselect 2 as b;\n").out == "a\n1\n"


def test_ctrl_c_gives_up_what_is_typed(typing: Typing) -> None:
    found = typing("select 1\nas a from nowhere \x03select 2 as b;\n")
    assert (found.out, found.err.count("error")) == ("b\n2\n", 0)


def test_a_semicolon_within_a_text_or_a_comment_ends_nothing(typing: Typing) -> None:
    text = (
        "select ';' as a, -- one; two\n'it''s;\n' as b /* ; /* ; */ ; */, $$;$$ as c,\n"
        "e'\\';' as d;\n"
    )
    assert typing(text).out == "a,b,c,d\n;,\"it's;\n\",;,';\n"


def test_several_statements_are_answered_in_turn(typing: Typing) -> None:
    found = typing("select 1 as a; select 2 as b;; select 3\nas c; -- so\n")
    assert found.out == "a\n1\nb\n2\nc\n3\n"


def _pointed_at(err: str) -> str:
    """Return what stands above the mark."""
    line, mark = next(pair for pair in pairwise(err.splitlines()) if "^" in pair[1])
    return line[mark.index("^") :]


def test_of_several_statements_the_wrong_one_is_named_by_its_line(typing: Typing) -> None:
    """Those before it are answered, those after it are not."""
    found = typing("select 1 as a; select\n nope from daily; select 3 as c;\n")
    assert found.out == "a\n1\n"
    assert "error: line 2: SQL: " in found.err
    assert _pointed_at(found.err).startswith("nope from daily")


def test_an_error_points_at_the_place(typing: Typing) -> None:
    for mode in ("table", "line", "csv"):
        err = typing("select asce_eto, precipp from daily;\n", mode=mode).err
        assert _pointed_at(err).startswith("precipp from daily")
        assert '"precip"' in err  # what was likely meant


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_shows_the_rows(mode: str, typing: Typing) -> None:
    found = typing(f".mode {mode}\nselect 42 as answer, 'x' as t;\n")
    assert "42" in found.out
    assert "answer" in found.out
    assert found.left.form.format == mode


def test_the_modes_are_the_formats_that_are_for_a_terminal() -> None:
    assert {*MODES} == {"table", "line"} | {n for n, kind in FORMATS.items() if not kind.binary}


def test_modes_are_what_they_say(typing: Typing) -> None:
    asked = "select station, date, asce_eto from daily where station = 2 order by date limit 3;\n"
    assert [row["station"] for row in json.loads(typing(".mode json\n" + asked).out)] == [2, 2, 2]
    assert typing(".mode tsv\n" + asked).out.startswith("station\tdate\tasce_eto\n2\t2021-01-01")
    lines = typing(".mode vertical\n.units english\n" + asked).out.splitlines()
    assert (lines[0], lines[4]) == ("row 1", "row 2")
    assert lines[1].split() == ["station", "2"]
    assert lines[3].split()[:2] == ["asce_eto", "[in]"]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (".mode tabel", "did you mean table?"),
        (".mode parquet", ".output FILE.parquet"),
        (".mod csv", "did you mean .mode?"),
        (".timer maybe", "on, off"),
        (".timer", "write .timer on|off"),
        (".maxrows many", ".maxrows 40"),
        (".units metrics", "did you mean metric?"),
        (".qc none", "drop-severe"),
        (".schema dayly", "did you mean daily?"),
        (".output nowhere/answer.csv", "make it"),
        (".once", "write .once FILE"),
        (".read nowhere.sql", ""),
        (".read 'x", "quotation"),
        (".tables daily", "write .tables"),
        (".xyzzy", ".help lists them"),
    ],
)
def test_a_wrong_command_changes_nothing_and_says_what_is_right(
    line: str, hint: str, typing: Typing
) -> None:
    found = typing(f"{line}\nselect 1 as a;\n")
    assert found.out == "a\n1\n"
    assert found.err.count("error: ") == 1
    assert hint in found.err


def test_a_file_without_a_suffix_takes_the_mode(typing: Typing, tmp_path: Path) -> None:
    asked = f".once {tmp_path}/answer\nselect 1 as a;\n"
    assert "cannot tell the output format" in typing(asked, mode=None).err
    assert not (tmp_path / "answer").exists()
    typing(".mode tsv\n" + asked)
    assert (tmp_path / "answer").read_text() == "a\n1\n"


def test_help_has_a_line_for_each_command(typing: Typing) -> None:
    lines = typing(".help\n").out.splitlines()
    for name, command in COMMANDS.items():
        assert sum(line.startswith(f".{name} ") and command.does in line for line in lines) == 1
    assert typing(".help mode\n").out.startswith(".mode [MODE]")


def test_every_command_is_in_the_documentation() -> None:
    page = (ROOT / "docs/sql.md").read_text()
    assert [name for name in COMMANDS if f"`.{name}" not in page] == []


def test_timer_and_perf_say_where_the_time_went(typing: Typing) -> None:
    asked = "select 1 as a;\n"
    assert "time " not in typing(asked).err
    assert typing(".timer on\n" + asked + ".timer off\n" + asked).err.count("time 0") == 1
    both = typing(".timer on\n" + asked, perf=True).err
    assert both.count("total ") == 1
    assert "time 0" not in both
    assert "total" not in typing(".timer off\n" + asked, perf=True).err


def test_maxrows_bounds_tables_and_not_files(typing: Typing, tmp_path: Path) -> None:
    asked = "select date from daily where station = 2 order by date;\n"
    found = typing(f".mode table\n.maxrows 3\n{asked}.mode csv\n.once {tmp_path}/x.csv\n{asked}")
    assert found.out.count("2021-") == 3
    rows = len((tmp_path / "x.csv").read_text().splitlines()) - 1
    assert f"showing 3 of {rows} rows" in found.err


def test_schema_says_types_and_units(typing: Typing) -> None:
    out = typing(".schema daily\n.units english\n.schema\n").out
    assert "daily,asce_eto,double,mm," in out
    assert "daily,asce_eto,double,in," in out
    assert "daily,reference_eto,double,in," in out
    assert "daily,asce_eto_qc,varchar,,flag of asce_eto" in out
    assert "stations,station,usmallint,," in out


def test_units_and_policy_hold_for_what_follows(typing: Typing, store: Store) -> None:
    asked = "select avg(air_tmp_avg) as a, count(air_tmp_avg) as n from daily;\n"
    frame = store.daily()
    found = typing(f"{asked}.units english\n{asked}.qc strict\n{asked}latest\n").out.splitlines()
    kept, warm, strict = (
        dict(zip(("a", "n"), found[i].split(","), strict=True)) for i in (1, 3, 5)
    )
    assert float(warm["a"]) == pytest.approx(float(kept["a"]) * 1.8 + 32, abs=1e-3)
    fine = frame.filter(pl.col("air_tmp_avg_qc").is_null())["air_tmp_avg"]
    assert int(strict["n"]) == fine.count() < int(kept["n"])
    assert "air_tmp_avg_f" in found[6]


def test_output_goes_to_files_and_back(typing: Typing, tmp_path: Path) -> None:
    """By suffix; a second answer comes behind the first, and a new .output begins anew."""
    csv, parquet = tmp_path / "a b.csv", tmp_path / "x.parquet"
    csv.write_text("old\n")
    found = typing(
        f".output '{csv}'\nselect 1 as a;\nselect 2 as b;\n.output {parquet}\nselect 3 as c;\n"
        "select 4 as d;\n.output\nselect 5 as e;\n"
    )
    assert found.out == "e\n5\n"
    assert csv.read_text() == "a\n1\nb\n2\n"
    assert pl.read_parquet(parquet).to_dicts() == [{"c": 3}]
    assert "cannot hold a second one" in found.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a b.csv", "history", "x.parquet"]


def test_once_waits_for_an_answer(typing: Typing, tmp_path: Path) -> None:
    """A wrong question leaves the file to the right one; the next answer is on the screen."""
    target = tmp_path / "x.json"
    found = typing(f".once {target}\nselect nope;\nselect 1 as a;\nselect 2 as b;\n")
    assert json.loads(target.read_text()) == [{"a": 1}]
    assert found.out == "b\n2\n"


def test_a_file_is_whole_or_as_it_was(typing: Typing, tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    bad = "select 1 / (station - 2), cast('x' as int) from daily;\n"
    found = typing(f".output {target}\nselect 1 as a;\n{bad}")
    assert target.read_text() == "a\n1\n"
    assert "error: " in found.err


def test_read_takes_a_file_of_questions_and_commands(typing: Typing, tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner.sql", tmp_path / "outer.sql"
    inner.write_text("-- what follows\n.mode json\nselect 2 as b;\nselect nope\n;\n")
    outer.write_text(f"select 1 as a;\n.read {inner}\nselect 3 as c;\n")
    found = typing(f".read {outer}\nselect 4 as d;\n")
    assert found.out == 'a\n1\n[\n{"b":2}\n]\n[\n{"d":4}\n]\n'
    assert f"error: {inner}, line 4: SQL: " in found.err
    loop = tmp_path / "loop.sql"
    loop.write_text(f".read {loop}\n")
    assert "is read within itself" in typing(f".read {loop}\n").err


def test_what_looks_like_a_command_within_sql_is_none(typing: Typing, tmp_path: Path) -> None:
    """A text of SQL reaches no file, whatever its lines begin with."""
    target = tmp_path / "x.csv"
    found = typing(
        f"select '\n.output {target}\n' as a;\n/*\n.output {target}\n*/ select 1\n.output as b;\n"
    )
    assert f".output {target}" in found.out
    assert found.left.form.output is None
    assert not target.exists()
    assert "error: " in found.err


def test_show_tells_how_answers_are_wanted(typing: Typing) -> None:
    out = typing(".units english\n.timer on\n.maxrows 7\n.show\n").out
    for line in ("mode,csv", "output,the screen", "timer,on", "maxrows,7", "units,english"):
        assert line in out.splitlines()


def test_statements_share_what_they_make_without_the_sandbox(typing: Typing) -> None:
    text = "create table t as select 41 + 1 as a; select a from t;\n"
    assert typing(text, unsafe=True).out == "a\n42\n"
    assert "SQL refused" in typing(text).err


def test_completion_knows_views_columns_words_and_names() -> None:
    def of(text: str) -> list[str]:
        found = completer({"daily": ["air_tmp_avg", "air_tmp_max", "precip"]}).get_completions(
            Document(text), CompleteEvent()
        )
        return [completion.text for completion in found]

    assert of("select AIR_t") == ["air_tmp_avg", "air_tmp_max"]
    assert of("select precip fr") == ["from", "frost-nights"]
    assert of("from da") == ["daily", "date_trunc"]
    assert of(".q") == [".qc", ".quit"]
    assert of(".mode ") == list(MODES)
    assert of(".mode js") == ["json"]
    assert of(".units e") == ["english"]
    assert of("select 1\n.m") == []


class Terminal:
    """A ``cimis sql`` on a terminal of its own."""

    def __init__(self, root: Path, home: Path) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cimis", "sql", "--data-dir", str(root)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=os.environ
            | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "XDG_STATE_HOME": str(home)},
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""

    def until(self, text: str, *, seconds: float = 60) -> str:
        """Read what appears until a text does; what came before it is forgotten."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, f"no {text!r} in {self.seen!r}"
            if select.select([self._ours], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self._ours, 65_536).decode(errors="replace")
                except OSError:
                    break
        assert text in self.seen, self.seen
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def ended(self) -> int:
        self.seen = ""
        while True:
            try:
                if not os.read(self._ours, 65_536):
                    break
            except OSError:
                break
        return self._process.wait(30)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_a_real_terminal(root: Path, tmp_path: Path) -> None:
    """Answers as tables; Ctrl-C stops one that would take for ever; Ctrl-D leaves; it remembers."""
    terminal = Terminal(root, tmp_path)
    terminal.until("cimis>")
    terminal.type("select station, asce_eto from daily\r")
    terminal.until("...>")
    terminal.type("order by date limit 2;\r")
    terminal.until("[mm]")
    terminal.until("cimis>")
    for how in ("", ".mode line\r"):
        terminal.type(how + "select count(*) as n from range(1000000000000) where range % 7 = 3;\r")
        terminal.until("= 3;")
        time.sleep(1.5)  # it is being reckoned by now
        terminal.interrupt()
        terminal.until("given up")
        terminal.until("cimis>")
    terminal.type("select 6 * 7 as answer;\r")
    terminal.until("42")
    terminal.until("cimis>")
    terminal.type("\x04")
    assert terminal.ended() == 0
    again = Terminal(root, tmp_path)
    again.until("cimis>")
    again.type("\x1b[A\r")  # the question before
    again.until("42")
    again.until("cimis>")
    again.type("exit\r")
    assert again.ended() == 0
