"""A conversation in SQL: how its answers are wanted, and each question answered so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.cli.prompt.pieces import Piece, pieces
from cimis.cli.prompt.stopping import stopped_by_ctrl_c
from cimis.cli.showing.answers import Form, deliver_answer, format_of_answer
from cimis.cli.showing.output import Output
from cimis.pipeline.errors import ChunkError, CimisError, NoDataError, UsageError
from cimis.queries.export.formats import FORMATS

if TYPE_CHECKING:
    from cimis.queries.engines.answer import Answer
    from cimis.queries.timing import QueryTimings
    from cimis.store import Store

__all__ = ["LINE", "Conversation"]

LINE = "line"
"""The mode that shows each row by itself, a column a line."""

_STACKED = ("csv", "tsv", "json", "ndjson", "md")
"""Formats of which a file can hold one answer behind another."""

_DEEPEST = 20


def _names() -> frozenset[str]:
    """Return the names of the library's questions."""
    from cimis.queries.answers.named import named_queries

    return frozenset(named_queries())


@dataclass
class Conversation:
    """What a conversation is about, and how its answers are wanted, which dot commands change.

    Parameters
    ----------
    store : Store
    form : Form
        ``output`` is the file to which answers go.
    out : Output
    qc, units : str
    unsafe : bool
    perf : bool
        Say after each answer where the time went; ``timer`` says its length only.
    values : mapping of str to object
        Of parameters, for the questions that name them.
    stations : sequence of int, optional
        To which named questions are narrowed.
    tell : callable, optional
        Hears at once of an answer that has no rows, or lacks damaged chunks; otherwise the first
        such error is raised when all questions have been answered.
    """

    store: Store
    form: Form
    out: Output
    qc: str = "keep"
    units: str = "metric"
    unsafe: bool = False
    perf: bool = False
    timer: bool = False
    values: Mapping[str, object] = field(default_factory=dict)
    stations: Sequence[int] | None = None
    tell: Callable[[CimisError], None] | None = None
    once: str | None = None
    depth: int = 0
    written: bool = False
    left: bool = False
    names: frozenset[str] = field(default_factory=_names)

    def take(self, text: str, source: str | None = None, *, commands: bool = True) -> None:
        """Answer all questions of a text, in order, and do what its dot commands say.

        Answers without rows, and such as lack damaged chunks, stop nothing. Any other error ends
        it, and names its line where there are several questions.

        Parameters
        ----------
        text : str
        source : str, optional
            The file that it is out of.
        commands : bool
            Whether dot commands count; otherwise all of it is SQL, or a name.
        """
        found = self._joined(pieces(text, self.names if commands else None), text)
        if not found:
            raise UsageError("no SQL given", hint="for example: select count(*) from daily")
        one = len(found) == 1 and source is None
        late: CimisError | None = None
        for piece in found:
            if self.left:
                break
            try:
                if piece.is_command:
                    self._do(piece.text)
                else:
                    self.answer(piece.text, alone=len(found) == 1)
            except (NoDataError, ChunkError) as error:
                placed = error if one else _placed(error, piece, source)
                if self.tell is not None:
                    self.tell(placed)
                elif late is None:
                    late = placed
                else:
                    self.out.note(f"{placed}")
            except CimisError as error:
                if piece.text.startswith(".") and not piece.is_command:
                    error.hint = "a dot command is a line of its own, at the prompt or in a script"
                if one:
                    raise
                raise _placed(error, piece, source) from error
        if late is not None:
            raise late

    def read(self, path: str) -> None:
        """Take the questions of a file.

        Raises
        ------
        UsageError
            Where it cannot be read, or reads itself.
        """
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read questions from {path}: {error}") from error
        if self.depth >= _DEEPEST:
            raise UsageError(f"{path} is read within itself", hint="take its .read out")
        self.depth += 1
        try:
            self.take(text, source=path)
        finally:
            self.depth -= 1

    def asked(self, text: str, *, alone: bool = True) -> Answer:
        """Return the answer to SQL or to the name of a question of the library.

        A parameter that SQL does not name is left out where the question is not ``alone``.
        """
        if re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", text):
            return self.store.named(
                text,
                stations=self.stations,
                qc=self.qc,
                units=self.units,
                unsafe=self.unsafe,
                parameters=self.values,
            )
        if self.stations is not None:
            raise UsageError(
                "--stations narrows named questions only", hint="write 'where station in (2, 80)'"
            )
        values = dict(self.values)
        if not alone:
            values = {k: v for k, v in values.items() if re.search(rf"\${k}\b", text)}
        return self.store.sql(
            text, values or None, qc=self.qc, units=self.units, unsafe=self.unsafe
        )

    def answer(self, text: str, *, alone: bool = True) -> None:
        """Answer one question where answers go."""
        begun: list[Answer] = []

        def stop() -> None:
            for answer in begun:
                answer.stop()

        try:
            with stopped_by_ctrl_c(stop):
                begun.append(self.asked(text, alone=alone))
                self._deliver(begun[0])
        finally:
            for answer in begun:
                self._tell_time(answer.timings.stop())

    def _tell_time(self, timings: QueryTimings) -> None:
        if self.perf:
            self.out.timings(timings)
        elif self.timer:
            facts = {"total_ms": round(timings.total_s * 1e3, 3)}
            self.out.aside("timer", facts, f"time {timings.total_s:.3f} s")

    def _deliver(self, answer: Answer) -> None:
        """Send an answer to the screen, or to the file that is named, after what is there."""
        target = self.once or self.form.output
        if target in (None, "-"):
            if self.form.format == LINE:
                from cimis.cli.showing.upright import show_upright

                show_upright(answer, form=self.form, out=self.out)
            else:
                deliver_answer(answer, form=self.form, out=self.out)
            return
        once, self.once = self.once, None
        form = self.form._replace(output=target, format=self._format_of(str(target)))
        try:
            if once is None and self.written:
                self._append(answer, form, Path(str(target)))
            else:
                deliver_answer(answer, form=form, out=self.out)
        except (NoDataError, ChunkError):
            self.written = self.written or once is None
            raise
        except BaseException:
            self.once = once  # the file still waits for its answer
            raise
        self.written = self.written or once is None

    def _format_of(self, target: str) -> str | None:
        """Return the format for a file: that of its suffix, else the one chosen."""
        known = {suffix for kind in FORMATS.values() for suffix in kind.suffixes}
        chosen = self.form.format
        if Path(target).suffix.lower() in known or chosen in (None, "table", LINE):
            return None
        return chosen

    def _append(self, answer: Answer, form: Form, target: Path) -> None:
        """Write an answer behind the one that the file has; the file is whole at any moment."""
        from cimis.queries.export.replacing import replacing

        if format_of_answer(form, self.out) not in _STACKED:
            raise UsageError(
                f"{target} has an answer, and cannot hold a second one",
                hint="name another file with .output or .once",
            )
        import tempfile

        with tempfile.TemporaryDirectory(prefix="cimis-") as folder:
            beside = Path(folder) / f"answer{target.suffix}"
            quiet = self.out._replace(quiet=True)
            late: CimisError | None = None
            try:
                deliver_answer(answer, form=form._replace(output=str(beside)), out=quiet)
            except (NoDataError, ChunkError) as error:
                late = error
            with replacing(target) as stream:
                with suppress(FileNotFoundError):
                    stream.write(target.read_bytes())
                stream.write(beside.read_bytes())
            self.out.note(f"added {beside.stat().st_size:,} bytes to {target}")
        if late is not None:
            raise late

    def _do(self, text: str) -> None:
        from cimis.cli.prompt.commands import obey

        obey(self, text)

    def _joined(self, pieces: Sequence[Piece], text: str) -> list[Piece]:
        """Return the pieces of a text; what the sandbox does not bind is asked in one go."""
        found: list[Piece] = []
        for piece in pieces:
            last = found[-1] if found else None
            if self.unsafe and last and not (piece.is_command or last.is_command):
                whole = text[last.start : piece.stop]
                found[-1] = last._replace(text=whole.strip(), stop=piece.stop)
            else:
                found.append(piece)
        return found


def _placed(error: CimisError, piece: Piece, source: str | None) -> CimisError:
    """Return an error that says on which line of the whole text, and of which file, it stands."""
    if piece.is_command and piece.text.startswith(".read"):
        return error  # it says the line of that file
    within = re.match(r"LINE (\d+):", error.pointer or "")
    line = piece.line + (int(within[1]) - 1 if within else 0)
    where = f"line {line}" if source is None else f"{source}, line {line}"
    made = copy(error)
    made.message = f"{where}: {error.message}"
    return made
