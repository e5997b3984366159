"""``cimis config``: every setting, its value and where it comes from."""

from __future__ import annotations

from cimis.cli.options import data_dir, declare, printing, service
from cimis.cli.showing.output import Output

__all__ = ["command"]


@declare("config", examples=["cimis config", "cimis config --json"])
@service
@data_dir
@printing()
def command(
    *, base_url: str | None, app_key: str | None, data_dir: str | None, out: Output
) -> None:
    """Show every setting and where it comes from; the API key is masked.

    A setting is taken from the option, else the environment, else the configuration file, else the
    default. The file is TOML, with lines such as app_key = "..." and data_dir = "/srv/cimis".
    CIMIS_APP_KEY_FILE may name a file with the key alone.
    """
    from cimis.pipeline.service.settings import NAMES, config_path, resolve

    given = {"base_url": base_url, "app_key": app_key, "data_dir": data_dir}
    settings = [resolve(name, given.get(name)) for name in NAMES]
    rows = [
        (s.name, None if s.value is None else str(s.value), s.source, NAMES[s.name][0])
        for s in settings
    ]
    out.rows(("setting", "value", "source", "variable"), rows)
    if not out.as_json:
        out.note(f"configuration file: {config_path()}")
