"""``cimis demo``: the main job end to end on an embedded server, each step as one would type it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack

from cimis.cli.options import data_dir, declare
from cimis.cli.showing.output import Output

__all__ = ["STEPS", "command"]

_STATIONS = "2,80,105"
_QUERY = (
    "query --stations 80 --start 2024-07-01 --end 2024-07-07 "
    "--items air_tmp_avg,rel_hum_avg,precip,asce_eto --cache 50MB --perf"
)
_SQL = (
    "select station, count(*) as days, round(sum(asce_eto), 1) as eto_mm, "
    "round(sum(precip), 1) as rain_mm from daily where year(date) = 2024 "
    "group by station order by station"
)

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Make a data directory", ("init",)),
    (
        "Fetch three stations' 2024, day by day",
        ("fetch", "--stations", _STATIONS, "--year", "2024"),
    ),
    (
        "Fetch one of them hour by hour, for a month",
        (
            *("fetch", "--stations", "80", "--scope", "hourly"),
            *("--start", "2024-07-01", "--end", "2024-07-31"),
        ),
    ),
    ("See what is stored", ("stats",)),
    ("Check every byte of it", ("verify",)),
    ("Ask for a week, for the first time", tuple(_QUERY.split())),
    ("Ask again", tuple(_QUERY.split())),
    ("Ask a question in SQL over all that is stored", ("sql", _SQL)),
)
"""What the demo does: in words, and as the arguments of the command."""


@declare("demo", examples=["cimis demo", "cimis demo --data-dir demo-data"])
@data_dir
def command(*, data_dir: str | None) -> int:
    """Fetch, verify and query, end to end, on an embedded server with made-up weather.

    Needs no key and no network. Each step is printed as the command that is run. The data go to a
    temporary directory, or stay in --data-dir.
    """
    from cimis.pipeline.emulator import Emulator, GeneratedSource

    out = Output()
    with ExitStack() as stack:
        folder = data_dir or stack.enter_context(tempfile.TemporaryDirectory(prefix="cimis-demo-"))
        server = stack.enter_context(Emulator(GeneratedSource()))
        settings = {
            "CIMIS_BASE_URL": server.base_url,
            "CIMIS_APP_KEY": server.app_key,
            "CIMIS_DATA_DIR": folder,
        }
        out.note("An embedded server answers in place of the service; its weather is made up.")
        for name, value in settings.items():
            out.note(f"  $ export {name}={shlex.quote(value)}")
        for words, arguments in STEPS:
            code = _run(words, arguments, os.environ | settings, out)
            if code != 0:
                return code
    out.note("\nDone. 'cimis --help' lists the commands; the README has a short tour.")
    return 0


def _run(
    words: str, arguments: tuple[str, ...], environment: Mapping[str, str], out: Output
) -> int:
    """Print one step, run it as a process of its own, and return its exit code."""
    out.note(f"\n# {words}\n  $ {shlex.join(['cimis', *arguments])}")
    began = time.perf_counter()
    done = subprocess.run(  # noqa: S603 -- our own command with our own arguments
        [sys.executable, "-m", "cimis", *arguments], env=environment, check=False
    )
    out.note(f"({time.perf_counter() - began:.2f} s)")
    return done.returncode
