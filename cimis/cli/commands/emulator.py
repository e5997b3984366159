"""``cimis emulator``: a server on this machine that answers like the service."""

from __future__ import annotations

import click

from cimis.cli.options import declare, option, printing
from cimis.cli.output import Output
from cimis.parsing import parse_duration

__all__ = ["command"]


@declare(
    "emulator",
    examples=[
        "cimis emulator --port 8321",
        "cimis emulator --port 8321 --latency 200ms",
        "cimis emulator --replay saved-responses",
    ],
)
@option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8321,
    show_default=True,
    help="Port on loopback; 0 takes a free one.",
)
@option(
    "--replay",
    metavar="DIR",
    type=click.Path(),
    help="Answer from real files: API JSON, FTP zips, web-report CSV; else made-up weather.",
)
@option("--latency", metavar="TIME", default="0", help="Wait before each answer, as 200ms.")
@printing(talks=True)
def command(*, port: int, replay: str | None, latency: str, out: Output) -> int:
    """Run an embedded server that answers like the service, until Ctrl-C.

    It takes the key that it prints, and refuses others as the service does.
    """
    import threading
    from pathlib import Path

    from pipeline.emulator import Emulator, GeneratedSource, ReplaySource

    source = ReplaySource(Path(replay)) if replay else GeneratedSource()
    with Emulator(source, port=port, latency_s=parse_duration(latency)) as server:
        if out.as_json:
            out.json({"base_url": server.base_url, "app_key": server.app_key})
        out.note(f"serving {len(source.stations())} stations; stop with Ctrl-C")
        out.note(f"export CIMIS_BASE_URL={server.base_url} CIMIS_APP_KEY={server.app_key}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            out.note("stopped")
    return 0
