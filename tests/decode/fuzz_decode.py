"""Mutated bodies against the plain reference: an error, or exactly the reference's rows.

Run at length with ``PYTHONPATH=. python tests/decode/fuzz_decode.py --count 1000000 --jobs 2`` from
the project's root; a short form is part of the tests.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from decode_bodies import body, envelope, generated, text
from decode_reference import BadBodyError, Rows, reference, rows_of, same

from cimis.pipeline.decode import StreamDecoder, stream, unify
from cimis.pipeline.errors import DecodeError
from cimis.pipeline.field.items import Item, Scope, Standard, scope_items

ROOT = Path(__file__).resolve().parents[2]

Seed = tuple[bytes, Scope, Standard, str]

_TOKENS = rb"""
null "" "--" "R" "N/A" "ABCD" "NaN" NaN true [] {} "1e1" 1e1 "+5" ".5" "5." "-.5" "-0" "0.00" "08.1"
12.5 -0.25 "12345678" "1234567" "-123456.7" "99999" "8.123" "-" "." "9223372036854775807"
"0.0000000000000001" "2400" "0000" "2024-02-29" "2023-02-29" { } [ ] , : " \ \u0031 \\ \" }},{ }]
]}]}} ,, "Records":[ "Data":{ "Date":"2015-01-03", "Station":"5", "Hour":"0100", "Hour":null,
"Standard":"metric", "Scope":"hourly", "(F)" "(C)" Value Qc Unit english "DayPrecip":null, 0 9 - .
e <html> /**/ 00 1E5 {}{} [[[[ {"Value":
""".split()
_TOKENS += [b" ", b"\n", b"\t", b'" "', b'" 8.1"', b"\x00", b"\xff", b"\xc2\xb0", b"\xc2"]
_TOKENS += [b"\xef\xbb\xbf", b'"\xc2\xb0C"']


def seeds(real: Path | None) -> list[Seed]:
    """Return bodies to mutate: generated ones in several styles, and the heads of real ones."""
    found: list[Seed] = []
    for number, scope in enumerate(Scope):
        items = scope_items(scope)
        for count, stations in ((2, (2,)), (4, (2,)), (6, (2, 80, 5))):
            few = generated(
                scope, count, items=items[: 2 + count // 2], stations=stations, seed=number
            )
            found.append((body(*few), scope, Standard.METRIC, "station"))
            found.append((body(*few, indent=1), scope, Standard.METRIC, "station"))
            two = text(envelope(few[:1], [], few[1:]))
            found.append((two, scope, Standard.METRIC, "station"))
    spatial = generated(Scope.DAILY, 4, items=scope_items(Scope.DAILY)[:2], stations=(2, 5))
    for number, record in enumerate(spatial):
        record["Station"] = f"lat=34.99,lng=-118.{number // 2}"
    places = body(*spatial).replace(b'"Station"', b'"Coordinate"')
    found.append((places, Scope.DAILY, Standard.METRIC, "target"))
    return found + [seed for path in _real(real) for seed in _heads(path)]


def _real(folder: Path | None) -> list[Path]:
    if folder is None or not folder.is_dir():
        return []
    paths = sorted(folder.glob("*/*.json"))
    return [p for p in paths if "stations" not in p.name and p.stat().st_size > 200]


def _heads(path: Path) -> list[Seed]:
    whole = json.loads(path.read_bytes())
    records = whole["Data"]["Providers"][0]["Records"]
    scope = Scope.HOURLY if "Hour" in records[0] else Scope.DAILY
    standard = Standard(records[0]["Standard"])
    style: dict[str, Any] = {"indent": 4} if "english" in path.name else {}
    return [(body(*records[:3], **style), scope, standard, "station")]


def mutated(data: bytes, rng: random.Random, others: list[Seed]) -> bytes:
    """Return the bytes with one to four changes."""
    work = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        at = rng.randrange(len(work) + 1)
        kind = rng.choice((0, 1, 2, 3, 4, 6, 8, 5, 5, 5, 5, 5, 7, 7, 7))
        if kind == 0 and at < len(work):
            work[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            work[at:at] = rng.choice(_TOKENS)
        elif kind == 2:
            del work[at : at + rng.choice((1, 1, 2, 8, 60))]
        elif kind == 3:
            size = rng.choice((1, 10, 60, 300))
            work[at:at] = work[rng.randrange(len(work) + 1) :][:size]
        elif kind == 4:
            del work[at:]
        elif kind == 5:
            _replace_value(work, rng)
        elif kind == 6 and at < len(work):
            work[at] = rng.randrange(256)
        elif kind == 7:
            _swap_strings(work, rng)
        elif kind == 8:
            other = rng.choice(others)[0]
            work[at:] = other[rng.randrange(len(other)) :]
        if not work:
            break
    return bytes(work)


def _strings(work: bytearray) -> list[tuple[int, int]]:
    marks = [i for i, byte in enumerate(work) if byte == 0x22]
    return [(a, b + 1) for a, b in zip(marks[::2], marks[1::2], strict=False)]


def _replace_value(work: bytearray, rng: random.Random) -> None:
    spots = _strings(work)
    if spots:
        start, stop = rng.choice(spots)
        work[start:stop] = rng.choice(_TOKENS)


def _swap_strings(work: bytearray, rng: random.Random) -> None:
    spots = _strings(work)
    if len(spots) > 1:
        (a, b), (c, d) = sorted(rng.sample(spots, 2))
        work[a:d] = work[c:d] + work[b:c] + work[a:b]


def judge(data: bytes, seed: Seed, rng: random.Random) -> str:
    """Return what came of a body; AssertionError where the two decoders disagree."""
    _, scope, standard, key = seed
    items = scope_items(scope)[1:4] if rng.random() < 0.2 else None
    decoder = StreamDecoder(scope, items, standard=standard, key=key, fast=rng.random() < 0.8)  # type: ignore[arg-type]  # one of the two texts
    stream.WINDOW = rng.choice((786_432, 786_432, 700, 2_000))
    size = rng.choice((len(data) + 1, len(data) + 1, 1000, 64, 7))
    try:
        found = [b for i in range(0, len(data), size) for b in decoder.feed(data[i : i + size])]
        found += decoder.finish()
    except DecodeError:
        return "refused" if _read(data, scope, items, standard, key) is None else "stricter"
    due = _read(data, scope, items, standard, key)
    assert due is not None, "accepted what the reference refuses"
    got = rows_of(unify(found)) if found else {}
    assert same(got, due), "other rows than the reference's"
    return "fast" if decoder.stats.fast_records else "general"


def _read(
    data: bytes, scope: Scope, items: tuple[Item, ...] | None, standard: Standard, key: str
) -> Rows | None:
    try:
        return reference(data, scope, items, standard, key)
    except BadBodyError:
        return None


def run(count: int, number: int, real: Path | None = None) -> Counter[str]:
    """Judge `count` mutated bodies; raises with the body at the first disagreement."""
    rng = random.Random(number)
    bodies = seeds(real)
    usual = stream.WINDOW
    outcomes: Counter[str] = Counter()
    try:
        for _ in range(count):
            seed = rng.choice(bodies)
            data = mutated(seed[0], rng, bodies)
            faulthandler.dump_traceback_later(60, exit=True)
            try:
                outcomes[judge(data, seed, rng)] += 1
            except Exception as error:
                raise AssertionError(f"{error!r} for {seed[1:]} {data!r}") from error
    finally:
        faulthandler.cancel_dump_traceback_later()
        stream.WINDOW = usual
    return outcomes


def main() -> None:
    """Run at length and print the counts."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=Path, default=ROOT.parent / "shared" / "real" / "api")
    options = parser.parse_args()
    began = time.monotonic()
    share = 10_000
    tasks = [
        (min(share, options.count - i), options.seed + i) for i in range(0, options.count, share)
    ]
    total: Counter[str] = Counter()
    with ProcessPoolExecutor(options.jobs) as pool:
        for done in pool.map(run, *zip(*tasks, strict=True), [options.real] * len(tasks)):
            total += done
    seconds = time.monotonic() - began
    count = sum(total.values())
    sys.stdout.write(f"{count} bodies in {seconds:.0f} s, seed {options.seed}: {dict(total)}\n")


if __name__ == "__main__":
    main()
