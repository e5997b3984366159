"""An engine that is not installed is told in one line, with what to install."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cimis.engines.daft import to_daft
from cimis.engines.dask import to_dask
from cimis.pipeline.errors import UsageError


def test_dask_that_is_not_installed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dask.dataframe", None)
    with pytest.raises(UsageError, match="dask is not installed") as caught:
        to_dask(tmp_path)
    assert caught.value.hint == "pip install 'cimis[dask]'"


def test_daft_that_is_not_installed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "daft", None)
    with pytest.raises(UsageError, match="daft is not installed") as caught:
        to_daft(tmp_path)
    assert caught.value.hint == "pip install 'cimis[daft]'"
