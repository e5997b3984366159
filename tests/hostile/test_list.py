"""The page that lists what the client refuses has every file of these tests, and their number."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs/hostile.md"


def listed() -> dict[str, int]:
    """Return the numbers of the page, by file."""
    rows = re.findall(r"^\| .* \| `(test_\w+\.py)` \| (\d+) \|$", PAGE.read_text(), re.MULTILINE)
    return {name: int(count) for name, count in rows}


def test_every_file_has_its_row() -> None:
    files = {path.name for path in HERE.glob("test_*.py")} - {Path(__file__).name}
    assert listed().keys() == files


def test_the_numbers_are_those_of_the_tests(request: pytest.FixtureRequest) -> None:
    """Of the files that this run has whole."""
    own = Path(__file__).name
    counts = Counter(i.path.name for i in request.session.items if i.path.parent == HERE)
    whole = not any("::" in argument for argument in request.config.args)
    if not whole or request.config.option.keyword:
        pytest.skip("a part of the tests")
    for name in counts.keys() - {own}:
        assert listed()[name] == counts[name], name
    total = re.search(r"\*\*(\d+) tests\*\*", PAGE.read_text())
    assert total is not None
    assert int(total[1]) == sum(listed().values())
