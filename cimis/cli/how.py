"""How a service is asked: requests at once, retries, waits, as options say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cimis.cli.options import gathered, option
from cimis.parsing import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from cimis.pipeline.service import RetryPolicy, Timeouts

__all__ = ["How", "Told", "how_options", "told_options"]


@dataclass(frozen=True, slots=True)
class How:
    """How requests are made, as texts and numbers of options."""

    concurrency: int
    retries: int
    backoff: str
    timeout: str
    gzip: bool
    full: bool
    dry_run: bool

    def policy(self) -> RetryPolicy:
        """Return when and how often to try again."""
        from cimis.pipeline.service import RetryPolicy

        return RetryPolicy(tries=max(self.retries, 0) + 1, base_s=parse_duration(self.backoff))

    def timeouts(self) -> Timeouts:
        """Return the longest waits for the service."""
        from cimis.pipeline.service import Timeouts

        return Timeouts.of(parse_duration(self.timeout))

    def request(self) -> dict[str, Any]:
        """Return the fields of a request that say how, but for ``full``."""
        return {
            "concurrency": self.concurrency,
            "retries": self.retries,
            "gzip": self.gzip,
            "dry_run": self.dry_run,
            "timeouts": self.timeouts(),
            "policy": self.policy(),
        }


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a run, and where."""

    verbose: bool
    log_format: str
    metrics_file: str | None


def how_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of :class:`How`; pass them as ``how``."""
    made: Callable[..., Any] = gathered("how", *How.__dataclass_fields__, into=How)(function)
    for add in reversed(_HOW):
        made = add(made)
    return made


def told_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of :class:`Told`; pass them as ``told``."""
    made: Callable[..., Any] = gathered("told", *Told.__dataclass_fields__, into=Told)(function)
    for add in reversed(_TOLD):
        made = add(made)
    return made


_HOW = (
    option(
        "--concurrency",
        type=int,
        default=4,
        show_default=True,
        metavar="N",
        help="Requests at once.",
    ),
    option(
        "--retries",
        type=int,
        default=3,
        show_default=True,
        metavar="N",
        help="Retries of a request.",
    ),
    option(
        "--backoff",
        metavar="TIME",
        default="1s",
        show_default=True,
        help="Wait before the first retry; it doubles with each next.",
    ),
    option(
        "--timeout",
        metavar="TIME",
        default="120s",
        show_default=True,
        help="Longest wait for the service, between bytes too.",
    ),
    option("--gzip/--no-gzip", default=True, show_default=True, help="Ask for compressed answers."),
    option("--full", is_flag=True, help="Ask again for days that are stored and final."),
    option(
        "--dry-run", is_flag=True, help="Change nothing; print the requests that would be made."
    ),
)
_TOLD = (
    option("-v", "--verbose", is_flag=True, help="Log every request on standard error."),
    option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Tell what happens in words, or as one JSON object a line.",
    ),
    option(
        "--metrics-file",
        metavar="FILE",
        help="Write metrics for node_exporter's textfile collector, at the end.",
    ),
)
