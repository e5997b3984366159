"""The entry of the command line: run a command, and turn what went wrong into one clear line."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from cimis.cli.app import ReaderLeft, cli
from cimis.cli.failure import ABORTED, BROKEN_PIPE, TERMINATED, report, wants_json
from cimis.cli.streams import settled

__all__ = ["main", "run"]

_WITH_LAST_WORDS = {"concurrent.futures.thread", "coverage", "httpx", "logging", "pyarrow"}
"""Modules that may have something to do when the interpreter ends."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    code = run(sys.argv[1:] if arguments is None else arguments)
    if _WITH_LAST_WORDS.isdisjoint(sys.modules) or _look_up_hangs():
        # taking the interpreter down in order costs a tenth of what a small question takes
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            code = BROKEN_PIPE
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _look_up_hangs() -> bool:
    """Tell whether a thread of a run that has ended still waits for a name service."""
    loop = sys.modules.get("cimis.pipeline.service.loop")
    if loop is None:
        return False
    import threading

    own = [t for t in threading.enumerate() if t.name.startswith(loop.THREADS)]
    for thread in own:
        thread.join(0.1)
    return any(thread.is_alive() for thread in own)


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str
        What follows ``cimis`` on the command line.

    Returns
    -------
    int
        The exit code: 0, or that of the error; see ``docs/cli.md``.
    """
    settled()
    _leave_cleanly_when_terminated()
    as_json = wants_json(arguments)
    try:
        with warnings.catch_warnings():
            # what Python warns of, a command says by itself
            warnings.filterwarnings("ignore", message="less than asked")
            code = cli.main(args=list(arguments), prog_name="cimis", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, ReaderLeft):
        _forget_stdout()
        return BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\ninterrupted; what was finished is kept, the same command continues\n")
        return ABORTED
    except Exception as error:  # noqa: BLE001 -- the one place where every error becomes a message
        return report(error, arguments, as_json=as_json)
    return code if isinstance(code, int) else 0


def _leave_cleanly_when_terminated() -> None:
    """Let SIGTERM unwind the stack, so that temporary files go and finished parts stay."""

    def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(TERMINATED)

    try:
        signal.signal(signal.SIGTERM, leave)
    except ValueError:  # not the main thread: the host program owns the signals
        return


def _forget_stdout() -> None:
    """Point standard output away, so that the interpreter's last flush cannot fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
