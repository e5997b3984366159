"""Follows a tutorial word by word: in a shell on a terminal and one Python process, in a folder."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import re
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.installed import Installed
from tests.project.screen import lines_on_screen
from tests.project.tutorial import Command, Step, is_install, rewritten, steps

__all__ = ["Came", "Walk", "write_outputs"]

_COLUMNS = 100
_END = "\x1e"
_LOOP = f"""
while IFS= read -r -d '' -u 3 typed; do
    eval "$typed" 3<&-
    printf '{_END}%s{_END}' "$?"
done
"""
_READER = f"""
import ast, json, sys
names = {{"__name__": "__main__"}}
for line in sys.stdin:
    tree, last, failed = ast.parse(json.loads(line)), None, 0
    if isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    try:
        exec(compile(tree, "<page>", "exec"), names)
        value = eval(compile(last, "<page>", "eval"), names) if last else None
        if value is not None:
            print(repr(value))
    except Exception:
        failed = 1
        import traceback
        traceback.print_exc(file=sys.stdout)
    print("{_END}%d{_END}" % failed, end="", flush=True)
"""
_PASSING = re.compile(r"━|^(building|bringing|writing) the read cache ")
"""Bars, and lines that are told only where a thing takes its time; a page shows neither."""
_PORTS = (8321, 8322, 9812)
"""Which the pages name; a walk takes free ones in their place, as others may have taken these."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a command: lines on the screen, and the exit code."""

    lines: tuple[str, ...]
    code: int = 0


class Shell:
    """A shell on a terminal of its own, in which commands are typed one by one."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._there, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, _COLUMNS, 0, 0))
        typing, self._typing = os.pipe()
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-c", f"exec 3<&{typing} {typing}<&-; {_LOOP}"],
            cwd=folder,
            env=dict(environment) | {"TERM": "xterm", "LANG": "C.UTF-8"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            pass_fds=[typing],
            start_new_session=True,
        )
        os.close(terminal)
        os.close(typing)

    def type(self, line: str, *, lines: int | None = None, deadline_s: float = 300) -> Came:
        """Type a command and wait for its end, or until it has written so many lines."""
        os.write(self._typing, f"{line}\0".encode())
        written, code = _until_end(self._there, lines, deadline_s)
        shown = [line for line in lines_on_screen(written) if not _PASSING.search(line)]
        return Came(tuple(shown[:-1] if shown[-1] == "" else shown), code)

    def variables(self) -> tuple[str, dict[str, str]]:
        """Return the folder and the environment in which the next command would run."""
        with tempfile.NamedTemporaryFile() as told:
            assert self.type(f"env -0 > {told.name}").code == 0
            pairs = [pair.partition("=") for pair in Path(told.name).read_text().split("\0")]
        found = {name: value for name, _, value in pairs if name}
        return found["PWD"], found

    def unread(self) -> str:
        """Return what has been written since the last command was waited for."""
        text = b""
        with suppress(OSError):  # where the shell has ended
            while select.select([self._there], [], [], 0)[0]:
                text += os.read(self._there, 1 << 16)
        return text.decode(errors="replace")

    def close(self) -> None:
        """Press Ctrl-C, and end the shell."""
        os.write(self._there, b"\x03")
        os.close(self._typing)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            self._process.wait()
        os.close(self._there)


class Notebook:
    """A Python process that is given code block by block, and shows what a notebook shows."""

    def __init__(self, folder: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["python", "-c", _READER],
            executable=shutil.which("python", path=environment["PATH"]),
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, code: str, *, deadline_s: float = 300) -> Came:
        """Run a block and wait for its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(code)}\n".encode())
        self._process.stdin.flush()
        written, failed = _until_end(self._process.stdout.fileno(), None, deadline_s)
        return Came(tuple(line.rstrip() for line in written.splitlines()), failed)

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def _until_end(source: int, lines: int | None, deadline_s: float) -> tuple[str, int]:
    """Return what is written up to the sign of a command's end, or so many lines, and its code."""
    text, ends = b"", time.monotonic() + deadline_s
    while text.count(_END.encode()) < 2 and (lines is None or text.count(b"\n") < lines):
        assert time.monotonic() < ends, f"not done after {deadline_s} s:\n{text.decode()}"
        if select.select([source], [], [], 0.2)[0]:
            piece = os.read(source, 1 << 16)
            assert piece, f"ended early:\n{text.decode()}"
            text += piece
    written, _, code = text.decode().removesuffix(_END).partition(_END)
    return written, int(code or 0)


class Walk:
    """One reader on the way through one page; a context manager, which ends what was started."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, fresh: bool) -> None:
        self._folder, self._environment, self._fresh = folder, environment, fresh
        free = _free_ports(len(_PORTS))
        self._ports = {str(port): other for port, other in zip(_PORTS, free, strict=True)}
        self._others: list[Shell] = []
        self._notebook: Notebook | None = None
        self._shell = Shell(folder, environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for one in (self._notebook, *reversed(self._others), self._shell):
            if one is not None:
                one.close()

    def follow(self, step: Step) -> list[Came]:
        """Do what a block says; what is not done here came as it is shown."""
        if step.marked("not run"):
            return [Came(command.shown or ()) for command in step.commands]
        if file := step.marked("saved as"):
            (self._folder / file.removeprefix("saved as ")).write_text(step.commands[0].typed)
            return [Came(())]
        if step.language == "python":
            if self._notebook is None:
                self._notebook = Notebook(*self._shell.variables())
            return [self._back(self._notebook.run(step.commands[0].typed))]
        shell = self._shell
        beside = step.marked("another terminal") is not None
        if beside:
            shell = Shell(self._folder, self._environment)
            self._others.append(shell)
        return [
            self._typed(shell, command, stays=beside and command is step.commands[-1])
            for command in step.commands
        ]

    def elsewhere(self) -> list[str]:
        """Return what the other terminals show that nobody has read; it may say what failed."""
        return [f"another terminal: {text}" for one in self._others if (text := one.unread())]

    def _typed(self, shell: Shell, command: Command, *, stays: bool) -> Came:
        if is_install(command.typed) and not self._fresh:
            return Came(command.shown or ())
        line = command.typed
        for port, free in self._ports.items():
            line = re.sub(rf"\b{port}\b", free, line)
        lines = max(1, len(command.shown or ())) if stays else None
        deadline_s = 1800 if is_install(command.typed) else 300
        return self._back(shell.type(line, lines=lines, deadline_s=deadline_s))

    def _back(self, came: Came) -> Came:
        """Return what came with the page's ports in it, and no folder of this machine."""
        text = "\n".join(came.lines).replace(f"{self._folder}{os.sep}", "")
        for port, free in self._ports.items():
            text = text.replace(f"127.0.0.1:{free}", f"127.0.0.1:{port}")
        return Came(tuple(text.split("\n")) if text else (), came.code)


def _free_ports(count: int) -> list[str]:
    """Return ports of four digits, as those of the pages, so that tables keep their widths."""
    with ExitStack() as held:
        found: list[str] = []
        for port in random.sample(range(2000, 10000), 100):
            with suppress(OSError):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                found.append(str(port))
        return found[:count]


def write_outputs(page: Path, installed: Installed) -> list[str]:
    """Walk a page, write into it what came where it shows something else; return what failed."""
    text = page.read_text("utf-8")
    with tempfile.TemporaryDirectory(prefix="walk-") as place:
        folder = Path(place) / "desk"
        (folder / "home").mkdir(parents=True)
        with Walk(folder, installed.variables(folder), fresh=False) as walk:
            came = [walk.follow(step) for step in steps(text)]
    page.write_text(rewritten(text, [[one.lines for one in ones] for ones in came]), "utf-8")
    return [
        f"{page.name}:{step.line}: exit code {one.code}: {command.typed}"
        for step, ones in zip(steps(text), came, strict=True)
        for command, one in zip(step.commands, ones, strict=True)
        if one.code != step.code_of(command)
    ]
