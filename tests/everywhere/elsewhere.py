"""A process that takes itself for one on Windows or macOS: what is not there is taken away first.

Run with ``windows`` or ``macos`` and a folder; prints as JSON the modules that were imported, and
the exit code of each command. What it cannot show is what those systems do by themselves: how they
lock files, what their file systems refuse.
"""

from __future__ import annotations

import builtins
import importlib
import io
import json
import os
import pkgutil
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
CALLS = (
    *("chown", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups"),
    *("getloadavg", "getpgid", "getpgrp", "getsid", "getuid", "killpg", "lchown", "mkfifo"),
    *("mknod", "nice", "openpty", "posix_fadvise", "posix_fallocate", "pread", "preadv", "pwrite"),
    *("pwritev", "register_at_fork", "sched_getaffinity", "sendfile", "set_blocking", "setpgid"),
    *("setsid", "statvfs", "fstatvfs", "sync", "fdatasync", "sysconf", "tcgetpgrp", "uname"),
    *("wait", "wait3", "wait4", "O_DIRECTORY", "O_DSYNC", "O_NOCTTY", "O_NOFOLLOW", "O_SYNC"),
)
EXTRAS = ("daft", "pyspark")
"""Packages that the lock leaves out: modules of ours that need them cannot be imported."""
SIGNALS = ("SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGTSTP", "SIGUSR1", "SIGUSR2")
DAYS = ("--start", "2024-01-01", "--end", "2024-01-20")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("init",),
    ("fetch", "--stations", "2,80", *DAYS),
    ("fetch", "--stations", "80", *DAYS, "--scope", "hourly"),
    ("fetch", "--stations", "80", "--start", "2024-01-01", "--end", "2024-01-25"),
    ("stations", "--refresh"),
    ("query", "--stations", "2", *DAYS),
    ("query", "--stations", "2,80", *DAYS, "--output", "out.csv"),
    ("sql", "select station, count(*) as n from daily group by station"),
    ("sql", "select max(time) as last from hourly"),
    ("compact",),
    ("export", "lake"),
    ("plot", "--stations", "2", *DAYS),
    ("verify",),
    ("cache", "clear"),
    ("config",),
)


class _Other(ModuleType):
    """A module of the standard library as another system has it."""

    def __init__(self, real: ModuleType, *, gone: Sequence[str] = (), **changed: object) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(_real=real, _gone=frozenset(gone), **changed)

    def __getattr__(self, name: str) -> Any:
        if name in self._gone:
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'", name=name)
        return getattr(self._real, name)


def _seen_by_cimis(others: Sequence[_Other], absent: Sequence[str]) -> None:
    """Give our own modules these in place of the real ones; others' packages choose by the real.

    The data base of time zones that a package may bring is kept from everybody.
    """
    given = {other.__name__: other for other in others}
    real = builtins.__import__

    def seen(name: str, caller: Any = None, *rest: Any, **named: Any) -> Any:
        ours = str((caller or {}).get("__name__", "")).startswith("cimis")
        if name == "tzdata" or (ours and name.partition(".")[0] in absent):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return given[name] if ours and name in given else real(name, caller, *rest, **named)

    builtins.__import__ = seen  # type: ignore[assignment] # of any arguments


def _windows() -> None:
    others = [
        _Other(os, gone=CALLS, name="nt", O_BINARY=0),
        _Other(signal, gone=SIGNALS),
        _Other(socket, gone=("AF_UNIX", "SO_REUSEPORT")),
    ]
    _seen_by_cimis(others, MODULES)


def _macos() -> None:
    _seen_by_cimis([_Other(sys, platform="darwin")], ())

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).startswith("/proc/"):
            raise FileNotFoundError(2, "No such file or directory", arguments[0])

    sys.addaudithook(heard)


def _imported() -> int:
    import cimis

    names = [
        found.name
        for found in pkgutil.walk_packages(cimis.__path__, "cimis.")
        if not found.name.endswith("__main__")
    ]
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in EXTRAS:
                raise
    return len(names)


@contextmanager
def _service() -> Iterator[None]:
    from cimis.pipeline.emulator import Emulator, GeneratedSource

    with Emulator(GeneratedSource()) as service:
        os.environ |= {"CIMIS_BASE_URL": service.base_url, "CIMIS_APP_KEY": service.app_key}
        yield


def main(system: str, folder: Path) -> None:
    """Take away what the system lacks, import everything, run commands in a folder."""
    {"windows": _windows, "macos": _macos}[system]()
    count = _imported()
    from cimis.cli.main import run

    os.chdir(folder)
    codes = {}
    with _service():
        for words in COMMANDS:
            with redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")):
                codes[" ".join(words)] = run(words)
    sys.stdout.write(json.dumps({"modules": count, "codes": codes}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
