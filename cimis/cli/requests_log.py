"""The log of requests on standard error, for ``--verbose``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["requests_logged"]


@contextmanager
def requests_logged() -> Iterator[None]:
    """Write a line for each request to standard error while the block runs."""
    from cimis.pipeline.fetch.report.trace import LOGGER

    log = logging.getLogger(LOGGER)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
