"""``cimis version``: the version, and those of what it stands on."""

from __future__ import annotations

from cimis.cli.options import declare, option
from cimis.cli.showing.output import Output
from cimis.version import __version__

__all__ = ["command"]

_PARTS = ("duckdb", "httpx", "numpy", "polars", "pyarrow", "zstandard")


@declare("version", examples=["cimis version", "cimis version --json"])
@option(
    "--json",
    "as_json",
    is_flag=True,
    help="Answer in JSON, errors too; with Python and the libraries.",
)
def command(*, as_json: bool) -> None:
    """Print the version."""
    out = Output(as_json=as_json)
    if not out.as_json:
        out.line(f"cimis {__version__}")
        return
    import platform
    from importlib.metadata import version

    facts = {"cimis": __version__, "python": platform.python_version()}
    out.json(facts | {name: version(name) for name in _PARTS})
