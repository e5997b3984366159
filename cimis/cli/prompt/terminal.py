"""The prompt of ``cimis sql`` on a terminal: lines are read, completed and remembered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.cli.prompt.commands import COMMANDS
from cimis.cli.prompt.conversation import Conversation
from cimis.cli.prompt.pieces import LEAVING, is_whole, pieces
from cimis.cli.prompt.schema import VIEWS, kinds_of
from cimis.pipeline.errors import CimisError, NoDataError

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.key_binding import KeyBindings

    from cimis.cli.showing.output import Output

__all__ = ["completer", "converse"]

_WORDS = (
    "select from where group by order limit having distinct between in is not null and or as on "
    "join left using with case when then else end count sum avg min max round year month "
    "date_trunc extract over partition rank lag lead filter cast interval desc asc union all"
)


def converse(talk: Conversation, *, history: Path | None = None) -> None:
    """Answer questions until the input ends; an error is told and does not end it.

    Parameters
    ----------
    talk : Conversation
    history : Path, optional
        File of the questions asked before; by default in the user's own folder.
    """
    columns = {view: [name for name, _ in kinds_of(talk.store, view)] for view in VIEWS}
    session = _session(talk.names, columns, history or _history())
    talk.tell = lambda error: _tell(error, talk.out)
    talk.out.note(f"SQL over {', '.join([*VIEWS][:-1])} and chunks; .help tells more")
    while not talk.left:
        try:
            text = session.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if not pieces(text, talk.names):
            continue
        try:
            talk.take(text)
        except CimisError as error:
            _tell(error, talk.out)
        except KeyboardInterrupt:
            talk.out.note("given up")


def _tell(error: CimisError, out: Output) -> None:
    """Say what went wrong, and at which place of the question where that is known."""
    if isinstance(error, NoDataError):
        line, _, _ = str(error).rpartition(": ")
        out.note(f"{line}: no rows" if line else "no rows")
        return
    out.note(f"error: {error}")
    if error.pointer:
        out.note(error.pointer)
    if error.hint and not error.hint.startswith("LINE "):
        out.note(f"hint: {error.hint}")


def _history() -> Path:
    from platformdirs import user_state_path

    return user_state_path("cimis", appauthor=False) / "sql_history"


def completer(columns: dict[str, list[str]]) -> Completer:
    """Return what completes views, their columns, SQL's words, named questions and commands.

    A line that begins with a dot is completed with commands and what they take, else with SQL.
    """
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion, WordCompleter
    from prompt_toolkit.document import Document

    from cimis.queries.answers.named import named_queries

    words = {*VIEWS, *_WORDS.split(), *named_queries(), *LEAVING}
    words.update(name for names in columns.values() for name in names)
    in_sql = WordCompleter(sorted(words), ignore_case=True, pattern=re.compile(r"[\w.-]+"))
    dotted = [f".{name}" for name in COMMANDS]

    class _Ours(Completer):
        def get_completions(self, document: Document, event: CompleteEvent) -> Iterator[Completion]:
            line = document.current_line_before_cursor
            name, gap, begun = line.lstrip().partition(" ")
            if document.cursor_position_row or not name.startswith("."):
                yield from in_sql.get_completions(document, event)
                return
            command = COMMANDS.get(name.removeprefix("."))
            known = dotted if not gap else () if command is None else command.choices
            typed = begun if gap else name
            for word in known:
                if word.startswith(typed):
                    yield Completion(word, start_position=-len(typed))

    return _Ours()


def _keys(names: frozenset[str]) -> KeyBindings:
    """Return what Enter does: it sends what is whole, else it begins another line."""
    from prompt_toolkit.application.current import get_app
    from prompt_toolkit.filters import Condition, has_focus
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @Condition
    def whole() -> bool:
        return is_whole(get_app().current_buffer.text, names)

    @keys.add("enter", filter=has_focus("DEFAULT_BUFFER") & whole)
    def _(event: Any) -> None:
        event.current_buffer.validate_and_handle()

    return keys


def _session(
    names: frozenset[str], columns: dict[str, list[str]], history: Path
) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory

    kept: History = InMemoryHistory()
    try:
        history.parent.mkdir(parents=True, exist_ok=True)
        history.touch()
        kept = FileHistory(str(history))
    except OSError:  # a home that cannot be written: the prompt works, and forgets
        pass
    return PromptSession(
        "cimis> ",
        prompt_continuation="  ...> ",
        multiline=True,
        key_bindings=_keys(names),
        history=kept,
        completer=completer(columns),
    )
