"""``cimis verify``: check every byte of every chunk, and the catalog."""

from __future__ import annotations

import click

from cimis.cli.options import data_dir, declare, option, printing
from cimis.cli.showing.output import Output, counted
from cimis.pipeline.errors import CheckFailed, UsageError

__all__ = ["command"]


@declare(
    "verify",
    examples=[
        "cimis verify",
        "cimis verify --repair",
        "cimis verify --json",
        "cimis verify s3://bucket/cimis",
    ],
)
@click.argument("where", metavar="[DIR|URL]", required=False)
@option("--repair", is_flag=True, help="Mend the catalog, and put damaged files into quarantine.")
@option(
    "--metrics-file",
    metavar="FILE",
    help="Write metrics for node_exporter's textfile collector, at the end.",
)
@data_dir
@printing(talks=True)
def command(
    *,
    where: str | None,
    repair: bool,
    metrics_file: str | None,
    data_dir: str | None,
    out: Output,
) -> None:
    """Check every byte of every chunk against its checksums, and the catalog against the chunks.

    All faults are listed; with any left the exit code is 8. --repair rebuilds what the catalog says
    from the chunks, and moves damaged ones into DIR/quarantine; it deletes none. Of a published
    store (its folder or URL) the manifest, the catalog and every object are fetched and checked.
    """
    from cimis.cli.metrics_file import write_metrics
    from cimis.cli.session import data_root, refreshed
    from cimis.cli.showing.progress import counting
    from cimis.pipeline.storage import storage_of
    from cimis.tasks.care import checked

    if where is not None and data_dir is not None:
        raise UsageError("two data directories", hint="give one of them")
    root = data_root(where or data_dir)
    with counting(out, "checking chunks") as on_chunk:
        verdict = checked(root, repair=repair, on_chunk=on_chunk)
    if repair:
        refreshed(root, out)
    if metrics_file is not None:
        write_metrics(metrics_file, root, out)
    if out.as_json:
        out.json(verdict.as_dict())
    else:
        for finding in verdict.findings:
            done = f"; {finding.repair}" if finding.repair else ""
            out.line(f"{finding.path}: {finding.reason}{done}")
    for warning in verdict.warnings:
        out.warn(warning)
    left = [finding for finding in verdict.findings if finding.repair is None]
    if left:
        raise CheckFailed(
            f"{len(left)} of {verdict.chunks} chunks or their entries are faulty",
            hint="'cimis verify --repair' mends the catalog and quarantines damaged files"
            if storage_of(root).writable
            else "publishing again mends what is gone, with --resend what is damaged too",
        )
    if not verdict.chunks:
        out.note("nothing is stored: there was no chunk to check")
    mended = f"; {counted(len(verdict.findings), 'fault')} repaired" if verdict.findings else ""
    out.note(
        f"sound: {counted(verdict.chunks, 'chunk')}, {counted(verdict.rows, 'row')}, "
        f"{counted(verdict.file_bytes, 'byte')}, every checksum{mended}"
    )
