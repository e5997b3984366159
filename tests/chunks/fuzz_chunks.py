"""Fuzz the chunk readers with mutated golden files: ``python -m tests.chunks.fuzz_chunks 1000000``.

Half of the V2 mutants have their checksums put right again, so that the checks behind them are met.
Nothing but `ChunkError` may be raised, and what is accepted must be the golden rows.
"""

from __future__ import annotations

import random
import resource
import sys
import zlib
from collections import Counter

import pyarrow as pa

from cimis.pipeline.chunks.footer import pack
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.v1.codec import decode, encode
from cimis.pipeline.chunks.v2 import codec as v2
from cimis.pipeline.chunks.v2 import container
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope
from tests.chunks.golden_chunks import CASES, GOLDEN


def _mutated(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        place = chance.randrange(len(out))
        kind = chance.randrange(6)
        if kind == 0:
            out[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            out[place] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
        elif kind == 2:
            del out[place : place + chance.randrange(1, 9)]
        elif kind == 3:
            out[place:place] = chance.randbytes(chance.randrange(1, 9))
        elif kind == 4:
            other = chance.randrange(len(out))
            out[place : place + 8] = out[other : other + 8]
        else:
            out = out[: max(place, 1)]
        if not out:
            return b""
    return bytes(out)


def _relabelled(data: bytes, chance: random.Random) -> bytes:
    """Return a file whose footer was mutated before it was sealed again with right checksums."""
    footer = container.parse_footer(data, len(data))
    raw = _mutated(pack(footer), chance)
    packed = container._compressor().compress(raw)
    tail = (0x184D2A5F).to_bytes(4, "little") + (len(packed) + 16).to_bytes(4, "little") + packed
    tail += len(packed).to_bytes(4, "little") + len(raw).to_bytes(4, "little")
    body = data[: footer.data_end] + tail
    return body + zlib.crc32(tail).to_bytes(4, "little") + b"CIM2"


def run(count: int, seed: int = 1) -> Counter[str]:
    """Read ``count`` mutants; return how many were refused, and how many accepted unharmed."""
    chance = random.Random(seed)
    names = ("three_days", "extremes", "spatial_zip", "inches_year", "many_patterns")
    files = {name: (GOLDEN / f"{name}.zst").read_bytes() for name in names}
    rows = {name: v2.decode_scaled(data) for name, data in files.items()}
    key = ChunkKey(Scope.DAILY, 2024, station=2)
    old = encode(CASES["three_days"]()[1], key)[0]
    old_rows = decode(old, key)
    seen: Counter[str] = Counter()
    for _ in range(count):
        name = chance.choice((*files, "v1"))
        try:
            if name == "v1":
                mutant = _mutated(old, chance)
                if not decode(mutant, key).equals(old_rows):
                    raise AssertionError(f"wrong rows from a V1 mutant: {mutant.hex()}")
                seen["v1 unharmed"] += 1
                continue
            relabel = chance.random() < 0.5
            change = _relabelled if relabel else _mutated
            mutant = change(files[name], chance)
            table: pa.Table = v2.decode_scaled(mutant)
        except ChunkError:
            seen["refused"] += 1
            continue
        if relabel:
            seen["another footer, accepted"] += 1
        elif table.equals(rows[name]):
            seen["unharmed"] += 1
        else:
            raise AssertionError(f"wrong rows from a mutant of {name}: {mutant.hex()}")
    return seen


def main() -> None:
    """Run as many as the first argument says."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    seen = run(count, seed)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{count} inputs, seed {seed}: {dict(seen)}; peak memory {peak_mb:.0f} MB\n")


if __name__ == "__main__":
    main()
