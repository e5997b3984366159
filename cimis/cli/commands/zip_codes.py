"""``cimis zip-codes``: which stations serve a zip code, and whether the spatial network does."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from cimis.cli.options import declare, option, printing, service
from cimis.cli.showing.lists import show_list
from cimis.cli.showing.output import Output
from cimis.cli.showing.wanted import Form, listing
from cimis.pipeline.errors import NoDataError, RequestRefused

if TYPE_CHECKING:
    from cimis.pipeline.errors import DecodeError
    from cimis.pipeline.service import Settings, ZipCode

__all__ = ["command"]

_COLUMNS = ("zip_code", "stations", "spatial")


@declare(
    "zip-codes", examples=["cimis zip-codes --zip 93624,95616", "cimis zip-codes --format csv"]
)
@option(
    "--zip", "zip_codes", listed=True, metavar="LIST", help="Zip codes, as 93624,95616; else all."
)
@option("--with-closed", is_flag=True, help="Count stations that work no more as well.")
@listing()
@service
@printing(talks=True)
def command(
    *,
    zip_codes: str | None,
    with_closed: bool,
    form: Form,
    base_url: str | None,
    app_key: str | None,
    out: Output,
) -> None:
    """List zip codes with the stations that serve them, as the service says now.

    Without --zip all that a station or the spatial network serves are listed.
    """
    from cimis.cli.session import service_settings
    from cimis.cli.targets import zip_list
    from cimis.pipeline.service.loop import waited_for

    wanted = [] if zip_codes is None else list(zip_list(zip_codes))
    settings = service_settings(base_url, app_key)
    serving, spatial = waited_for(_asked(settings, wanted, out))
    known = {entry.code for entry in spatial}
    rows = []
    for code in sorted({entry.code for entry in serving} | known):
        numbers = [e.station for e in serving if e.code == code and (with_closed or e.active)]
        rows.append((code, numbers, code in known))
    lacking = [code for code in wanted if code not in {row[0] for row in rows}]
    if lacking and not rows:
        raise NoDataError(
            f"neither a station nor the spatial network serves {', '.join(lacking)}",
            hint="see 'cimis stations --near LAT,LON'",
        )
    if lacking:
        out.note(f"nobody serves {', '.join(lacking)}")
    show_list(_COLUMNS, rows, form=form, out=out)


async def _asked(
    settings: Settings, codes: list[str], out: Output
) -> tuple[list[ZipCode], list[ZipCode]]:
    """Ask both networks for all their zip codes, or for few of them one by one."""
    from cimis.naming.lists import left_out
    from cimis.pipeline.field.targets import Network
    from cimis.pipeline.service import CimisClient

    def told(error: DecodeError) -> None:
        out.warn(left_out(error))

    found: dict[Network, list[ZipCode]] = {network: [] for network in Network}
    async with CimisClient(settings) as client:
        wanted: list[str | None] = [*codes] or [None]
        for network, code in product(Network, wanted):
            try:
                found[network] += await client.zip_codes(network, code, on_odd=told)
            except RequestRefused as error:
                if error.err_code != "ERR1031":
                    raise
    return found[Network.WSN], found[Network.SCS]
