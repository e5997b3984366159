"""How a service is asked: requests at once, retries, waits, as options say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cimis.cli.options import gathered
from cimis.parsing import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from cimis.pipeline.service import RetryPolicy, Timeouts

__all__ = ["How", "Told", "how_gathered", "told_gathered"]


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


def how_gathered(function: Callable[..., Any]) -> Callable[..., Any]:
    """Pass the options of :class:`How` as ``how``."""
    return gathered("how", *How.__dataclass_fields__, into=How)(function)


def told_gathered(function: Callable[..., Any]) -> Callable[..., Any]:
    """Pass the options of :class:`Told` as ``told``."""
    return gathered("told", *Told.__dataclass_fields__, into=Told)(function)
