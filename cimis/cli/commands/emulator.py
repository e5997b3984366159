"""``cimis emulator``: a server on this machine that answers like the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cimis.cli.options import declare, option, printing
from cimis.cli.showing.output import Output
from cimis.parsing import parse_duration
from cimis.pipeline.errors import UsageError

if TYPE_CHECKING:
    from cimis.pipeline.emulator import Troubles

__all__ = ["command"]


@declare(
    "emulator",
    examples=[
        "cimis emulator --port 8321",
        "cimis emulator --port 8321 --latency 200ms",
        "cimis emulator --port 8321 --fault-rate 0.2 --seed 7",
        "cimis emulator --port 8321 --fault 503=0.1 --fault reset=0.05",
        "cimis emulator --replay saved-responses",
    ],
)
@option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8321,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@option(
    "--replay",
    metavar="DIR",
    type=click.Path(),
    help="Answer from real files: API JSON, FTP zips, web-report CSV; else made-up weather.",
)
@option("--latency", metavar="TIME", default="0", help="Wait before each answer, as 200ms.")
@option("--fault-file", metavar="FILE", help="Make the faults that a TOML file describes.")
@option(
    "--fault",
    "named",
    metavar="KIND=RATE",
    multiple=True,
    help="Make a kind of fault at a rate, as 503=0.1; repeatable.",
)
@option(
    "--fault-rate",
    type=click.FloatRange(0, 1),
    help="Make faults of every kind that passes, so many in all.",
)
@option("--seed", type=int, default=0, show_default=True, help="Draws the faults.")
@printing(talks=True)
def command(
    *,
    port: int,
    replay: str | None,
    latency: str,
    fault_file: str | None,
    named: Sequence[str],
    fault_rate: float | None,
    seed: int,
    out: Output,
) -> int:
    """Run an embedded server that answers like the service, until Ctrl-C.

    It takes the key that it prints, and refuses others as the service does. docs/emulator.md has
    the kinds of faults; at /emulator/traffic it tells what it was asked and which it made.
    """
    import threading
    from pathlib import Path

    from cimis.pipeline.emulator import Emulator, GeneratedSource, ReplaySource

    source = ReplaySource(Path(replay)) if replay else GeneratedSource()
    troubles = _troubles(fault_file, named, fault_rate, seed)
    latency_s = parse_duration(latency)
    with Emulator(source, port=port, latency_s=latency_s, troubles=troubles) as server:
        try:
            if out.as_json:
                out.json({"base_url": server.base_url, "app_key": server.app_key})
            out.note(f"serving {len(source.stations())} stations; stop with Ctrl-C")
            out.note(f"export CIMIS_BASE_URL={server.base_url} CIMIS_APP_KEY={server.app_key}")
            threading.Event().wait()
        except KeyboardInterrupt:
            out.note("stopped")
    return 0


def _troubles(
    file: str | None, named: Sequence[str], rate: float | None, seed: int
) -> Troubles | None:
    """Return the faults that the options ask for; one way of asking at a time."""
    from pathlib import Path

    from cimis.pipeline.emulator import Troubles

    if sum(map(bool, (file, named, rate is not None))) > 1:
        raise UsageError(
            "--fault-file, --fault and --fault-rate exclude each other", hint="choose one of them"
        )
    if file is not None:
        return Troubles.of_file(Path(file))
    if rate is not None:
        return Troubles.evenly(rate, seed=seed)
    rates = {}
    for text in named:
        kind, sign, share = text.partition("=")
        if kind in rates:
            raise UsageError(f"--fault gives {kind} two rates", hint="give each kind once")
        try:
            rates[kind] = float(share)
        except ValueError:
            sign = ""
        if not sign:
            raise UsageError(f"'{text}' gives no fault a rate", hint="write --fault 503=0.1")
    return Troubles(rates, seed) if rates else None
