"""A command on a terminal of its own, with somebody who answers."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Seen", "on_terminal"]

_ROOT = Path(__file__).resolve().parents[2]


class Seen(NamedTuple):
    """What stood on the terminal, and the exit code."""

    text: str
    code: int


def on_terminal(
    *arguments: str, answers: Sequence[str], asked: str, deadline_s: float = 60
) -> Seen:
    """Run a command on a terminal; give an answer each time that ``asked`` stands at the end."""
    child, there = pty.fork()
    if child == 0:
        os.environ["PYTHONPATH"] = str(_ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "cimis", *arguments])
    left, text, told = list(answers), "", 0
    ends = time.monotonic() + deadline_s
    while time.monotonic() < ends:
        if not select.select([there], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(there, 1 << 16)
        except OSError:  # Linux says so where the other end is closed
            break
        if not piece:
            break
        text += piece.decode(errors="replace")
        if left and asked in text[told:]:
            told = len(text)
            os.write(there, f"{left.pop(0)}\n".encode())
    os.close(there)
    return Seen(text, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
