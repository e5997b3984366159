"""Runs a notebook as its readers do, and reads what they see."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

__all__ = ["ROOT", "Ran", "code_cells", "ran"]

ROOT = Path(__file__).resolve().parents[2]

Outputs = list[dict[str, Any]]


class Ran:
    """What a run left: the outputs of each cell by its id, and the folders it could write to."""

    def __init__(self, outputs: Mapping[str, Outputs], working: Path, temporary: Path) -> None:
        self.outputs = outputs
        self.working = working
        self.temporary = temporary

    def page(self, cell: str) -> str:
        """Return the HTML that a cell shows."""
        data = (output.get("data", {}) for output in self.outputs[cell])
        return "".join(one["text/html"] for one in data if "text/html" in one)

    def printed(self, cell: str) -> str:
        """Return what a cell prints."""
        return "".join(o["text"] for o in self.outputs[cell] if o["output_type"] == "stream")

    def table(self, cell: str, place: int = -1) -> list[tuple[str, ...]]:
        """Return the rows that a reader sees in a table of a cell, the last one's, as texts."""
        body = re.findall(r"<tbody>(.*?)</tbody>", self.page(cell), re.DOTALL)[place]
        rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
        return [
            tuple(
                html.unescape(text).strip('"')
                for text in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)
            )
            for row in rows
        ]

    def errors(self) -> list[str]:
        """Return what cells wrote to standard error, as a warning would be."""
        streams = [o for outputs in self.outputs.values() for o in outputs if "name" in o]
        return [o["text"] for o in streams if o["name"] == "stderr"]

    def left(self) -> list[Path]:
        """Return the files that it left where it could write."""
        return [*self.working.iterdir(), *self.temporary.iterdir()]


def code_cells(notebook: Path) -> list[dict[str, Any]]:
    """Return a notebook's cells of code, as they are kept."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def ran(notebook: Path, base: Path) -> Ran:
    """Run a notebook on the interpreter that runs the tests."""
    nbformat = pytest.importorskip("nbformat", reason="nbformat is missing: it reads the notebook")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is missing: it runs the notebook")
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    working, temporary = base / "working", base / "temporary"
    working.mkdir()
    temporary.mkdir()
    # with no folder to look for others in, the one kernel left is ipykernel on sys.executable
    kernel = AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        connection_file=str(base / "kernel.json"),
    )
    read = nbformat.read(notebook, as_version=4)
    client = nbclient.NotebookClient(
        read, km=kernel, timeout=300, resources={"metadata": {"path": str(working)}}
    )
    ours = ("CIMIS_", "MPLBACKEND", "POLARS_", "IPYTHON")
    environment = {name: v for name, v in os.environ.items() if not name.startswith(ours)}
    environment |= {
        "CIMIS_CONFIG": str(base / "absent.toml"),
        "IPYTHONDIR": str(base / "ipython"),
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(temporary),
    }
    client.execute(env=environment, cleanup_kc=True)  # it is ours to end
    outputs = {c["id"]: c["outputs"] for c in read["cells"] if c["cell_type"] == "code"}
    return Ran(outputs, working, temporary)
