"""The prompt of ``cimis sql``: question after question, with history and completion."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.cli.showing.answers import Form, deliver_answer
from cimis.cli.showing.output import Output
from cimis.pipeline.errors import CimisError, NoDataError

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer

    from cimis.store import Store

__all__ = ["HELP", "completer", "converse"]

HELP = """\
A question is SQL that ends with a semicolon, or the name of one of the library.
.named   the named questions        .views   the views and their columns
.help    this                       .quit    leave; so does Ctrl-D
"""

_VIEWS = ("daily", "hourly", "spatial_daily", "stations", "chunks")
_WORDS = (
    "select from where group by order limit having distinct between in is not null and or as on "
    "join left using with case when then else end count sum avg min max round year month "
    "date_trunc extract over partition rank lag lead filter cast interval desc asc union all"
)


def converse(
    store: Store,
    *,
    form: Form,
    out: Output,
    qc: str,
    unsafe: bool,
    perf: bool,
    history: Path | None = None,
) -> None:
    """Answer questions until the input ends; an error is told and does not end it.

    Parameters
    ----------
    store : Store
    form : Form
    out : Output
    qc : str
    unsafe, perf : bool
    history : Path, optional
        File of the questions asked before; by default in the user's own folder.
    """
    columns = {name: _columns(store, name) for name in _VIEWS}
    session = _session(columns, history or _history())
    out.note("SQL over daily, hourly, spatial_daily, stations and chunks; .help tells more")
    while (question := _read(session)) is not None:
        try:
            if not _command(question, columns, out):
                _answer(store, question, form, out, qc=qc, unsafe=unsafe, perf=perf)
        except NoDataError:
            out.note("no rows")
        except CimisError as error:
            out.note(f"error: {error}")
            if error.hint:
                out.note(f"hint: {error.hint}")
        except KeyboardInterrupt:
            out.note("given up")


def _read(session: PromptSession[str]) -> str | None:
    """Return the next question, of one line or more; None at the end of the input."""
    lines: list[str] = []
    while True:
        try:
            line = session.prompt("  ...> " if lines else "cimis> ").strip()
        except KeyboardInterrupt:
            lines = []
            continue
        except EOFError:
            return None
        if not lines and line in (".quit", ".exit"):
            return None
        if line:
            lines.append(line)
        text = "\n".join(lines)
        if line.endswith(";") or (len(lines) == 1 and re.fullmatch(r"\.?[a-z]+(-[a-z]+)*", line)):
            return text.rstrip("; \n") if not text.startswith(".") else text.rstrip(";")


def _command(text: str, columns: dict[str, list[str]], out: Output) -> bool:
    """Do what a line asks that is no question; tell whether it was one."""
    if not text.startswith("."):
        return not text
    if text == ".named":
        from cimis.queries.answers.named import named_queries

        for query in named_queries().values():
            out.line(f"{query.name:<22}{query.description}")
    elif text == ".views":
        for view, names in columns.items():
            out.line(f"{view}: {', '.join(names)}")
    elif text == ".help":
        out.line(HELP.rstrip("\n"))
    else:
        out.note(f"error: no command '{text}'\nhint: .help lists them")
    return True


def _answer(
    store: Store, text: str, form: Form, out: Output, *, qc: str, unsafe: bool, perf: bool
) -> None:
    if re.fullmatch(r"[a-z]+(-[a-z]+)*", text):
        answer = store.named(text, qc=qc)
    else:
        answer = store.sql(text, qc=qc, unsafe=unsafe)
    shown = form._replace(allow_empty=False)
    try:
        deliver_answer(answer, form=shown, out=out)
    finally:
        if perf:
            out.timings(answer.timings.stop())


def _columns(store: Store, view: str) -> list[str]:
    rows = store.sql(f"SELECT column_name FROM (DESCRIBE {view})").fetchall()
    return [str(name) for (name,) in rows]


def _history() -> Path:
    from platformdirs import user_state_path

    return user_state_path("cimis", appauthor=False) / "sql_history"


def completer(columns: dict[str, list[str]]) -> Completer:
    """Return what completes views, their columns, SQL's words, named questions and commands."""
    from prompt_toolkit.completion import WordCompleter

    from cimis.queries.answers.named import named_queries

    words = {*_VIEWS, *_WORDS.split(), *named_queries(), ".help", ".named", ".views", ".quit"}
    words.update(name for names in columns.values() for name in names)
    return WordCompleter(sorted(words), ignore_case=True, pattern=re.compile(r"[\w.-]+"))


def _session(columns: dict[str, list[str]], history: Path) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory

    kept: History = InMemoryHistory()
    try:
        history.parent.mkdir(parents=True, exist_ok=True)
        history.touch()
        kept = FileHistory(str(history))
    except OSError:  # a home that cannot be written: the prompt works, and forgets
        pass
    return PromptSession(history=kept, completer=completer(columns))
