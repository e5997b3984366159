"""Counts the round trips, and says at the end how many there were."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many shapes and cells went in by a door and came out by another."""
    reports = terminalreporter.getreports("passed")
    pairs = shapes = cells = 0
    for report in reports:
        facts = dict(getattr(report, "user_properties", ()))
        pairs += "round_trips" in facts
        shapes += int(facts.get("round_trips", 0))
        cells += int(facts.get("cells", 0))
    if pairs:
        terminalreporter.write_line(
            f"{pairs} pairs of doors: {shapes:,} shapes, {cells:,} cells came out as they went in"
        )
