"""``cimis serve-metrics``: what the data directory tells Prometheus, over HTTP."""

from __future__ import annotations

import click

from cimis.cli.options import data_dir, declare, option, printing
from cimis.cli.showing.output import Output
from cimis.pipeline.errors import UsageError

__all__ = ["command"]


@declare(
    "serve-metrics",
    examples=["cimis serve-metrics", "cimis serve-metrics --host 0.0.0.0 --port 9812"],
)
@option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=9812,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@data_dir
@printing(talks=True)
def command(*, host: str, port: int, data_dir: str | None, out: Output) -> int:
    """Serve the data directory's metrics at /metrics, until Ctrl-C.

    Runs of other processes count into the same directory, and show while they go on. Every scrape
    reads the catalog anew; docs/metrics.md lists the metrics, ops/alerts.yml has rules for them.
    """
    import threading

    from prometheus_client import start_http_server

    from cimis.arguments import keeping
    from cimis.cli.session import data_root
    from cimis.directory import data_directory
    from cimis.pipeline.care.metrics import registry
    from cimis.queries.mirror.mirrors import mirror_sizes

    root = data_directory(data_root(data_dir))
    try:
        server, _ = start_http_server(
            port, addr=host, registry=registry(root, lambda: mirror_sizes(root, keeping(None)))
        )
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}, port {port}: {error.strerror}",
            hint="another process may have the port; choose one with --port",
        ) from None
    address = f"http://{host}:{server.server_port}/metrics"
    try:
        if out.as_json:
            out.json({"address": address})
        out.note(f"serving {address}; stop with Ctrl-C")
        threading.Event().wait()
    except KeyboardInterrupt:
        out.note("stopped")
    finally:
        server.shutdown()
    return 0
