"""The constant bytes that prime the footer's compression: usual column descriptors (format V2).

Part of the format: it never changes, whatever becomes of the registry of items. Its text is in
``docs/format-v2.md``, and its checksum is checked when it is first used.
"""

from __future__ import annotations

import zlib
from functools import cache

__all__ = ["descriptor", "dictionary_of", "footer_dictionary"]

_DESCRIPTORS = """\
day-sol-rad-net (W./sq.m) 0
day-soil-tmp-max (C) 1
day-soil-tmp-min (C) 1
day-vap-pres-max (kPa) 1
day-vap-pres-min (kPa) 1
hly-eto (mm) 2
hly-air-tmp (C) 1
hly-dew-pnt (C) 1
hly-net-rad (W./sq.m) 0
hly-asce-eto (mm) 2
hly-asce-etr (mm) 2
hly-precip (mm) 2
hly-rel-hum (%) 0
hly-res-wind (m/s) 1
hly-soil-tmp (C) 1
hly-sol-rad (W./sq.m) 0
hly-vap-pres (kPa) 1
hly-wind-dir (°) 0
hly-wind-spd (m/s) 1
day-asce-eto (mm) 2
day-asce-etr (mm) 2
day-precip (mm) 2
day-rel-hum-avg (%) 0
day-vap-pres-avg (kPa) 1
day-wind-run (MPH) 1
day-wind-spd-avg (m/s) 1
day-air-tmp-avg (C) 1
day-air-tmp-max (C) 1
day-air-tmp-min (C) 1
day-dew-pnt (C) 1
day-eto (mm) 2
day-precip (mm) 2
day-rel-hum-avg (%) 0
day-rel-hum-max (%) 0
day-rel-hum-min (%) 0
day-soil-tmp-avg (C) 1
day-sol-rad-avg (W./sq.m) 0
day-vap-pres-avg (kPa) 2
day-wind-run (km) 1
day-wind-spd-avg (m/s) 1
"""
_CRC32 = 0xFF8F2DDF


def descriptor(
    code: str, unit: str, decimals: int, *, is_double: bool, from_v1: bool = False
) -> bytes:
    """Return a column's descriptor: code, unit, decimals, kind (1: doubles; 2: from V1)."""
    name, text = code.encode("ascii"), unit.encode()
    kind = is_double | from_v1 << 1
    return bytes([len(name)]) + name + bytes([len(text)]) + text + bytes([decimals, kind])


@cache
def footer_dictionary() -> bytes:
    """Return the raw-content dictionary of the footer's zstd frame."""
    return dictionary_of(_DESCRIPTORS, _CRC32)


def dictionary_of(descriptors: str, crc32: int) -> bytes:
    """Return the dictionary of descriptors, one a line, checked by its checksum."""
    rows = [line.rsplit(" ", 2) for line in descriptors.splitlines()]
    data = b"".join(descriptor(c, u, int(d), is_double=False) for c, u, d in rows)
    if zlib.crc32(data) != crc32:
        raise ValueError(f"footer dictionary has checksum {zlib.crc32(data):#010x}")
    return data
