"""Metrics to a file, for ``--metrics-file``; what cannot be written is a warning, not a failure."""

from __future__ import annotations

from pathlib import Path

from cimis.cli.showing.output import Output
from cimis.pipeline.errors import StoreError

__all__ = ["write_metrics"]


def write_metrics(file: str, root: Path, out: Output) -> None:
    """Write the metrics of a data directory to a file that a reader sees whole or not at all."""
    from cimis.arguments import keeping
    from cimis.pipeline.care.metrics import write
    from cimis.queries.mirror.mirrors import mirror_sizes

    try:
        write(Path(file).expanduser(), root, lambda: mirror_sizes(root, keeping(None)))
    except StoreError as error:
        out.warn(f"no metrics written: {error}")
