#!/usr/bin/env python3
"""Make cimis/charts/california.topojson again, from counties-10m.json of the npm package us-atlas.

    npm pack us-atlas@3.0.1 && tar -xzf us-atlas-3.0.1.tgz
    python scripts/make_outlines.py package/counties-10m.json [target]

The package holds the county boundaries of the US Census Bureau (2017 edition, public domain) in its
10m simplification. Of it we keep the 58 counties of California, quantised to a grid of 10,000 steps
each way (about 100 m), and no point twice: borders that two counties share are one arc in it. The
package's licence lies beside the file, as california.LICENSE.txt.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

CALIFORNIA = "06"
STEPS = 10_000
TARGET = Path(__file__).resolve().parent.parent / "cimis" / "charts" / "california.topojson"
ORIGIN = (
    "Counties of California: cartographic boundary files of the US Census Bureau, 2017 edition, "
    "public domain (made by the US government), by way of us-atlas 3.0.1 (ISC licence, copyright "
    "2013-2019 Michael Bostock), counties-10m.json; cut and quantised by scripts/make_outlines.py"
)

Point = tuple[float, float]


def places(topology: dict[str, Any]) -> list[list[Point]]:
    """Return each arc of a quantised topology as longitudes and latitudes."""
    (kx, ky), (dx, dy) = topology["transform"]["scale"], topology["transform"]["translate"]
    found = []
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for step in arc:
            x, y = x + step[0], y + step[1]
            line.append((x * kx + dx, y * ky + dy))
        found.append(line)
    return found


def renumbered(arcs: Any, numbers: dict[int, int]) -> Any:
    """Return the arcs of a geometry under new numbers; one walked backwards has the complement."""
    if isinstance(arcs, list):
        return [renumbered(one, numbers) for one in arcs]
    number = numbers.setdefault(~arcs if arcs < 0 else arcs, len(numbers))
    return ~number if arcs < 0 else number


def areas(geometry: dict[str, Any], lines: list[list[Point]]) -> Any:
    """Return the arcs of a geometry without the rings that enclose nothing."""
    several = geometry["type"] == "MultiPolygon"
    polygons = geometry["arcs"] if several else [geometry["arcs"]]
    kept = [[ring for ring in polygon if encloses(ring, lines)] for polygon in polygons]
    kept = [polygon for polygon in kept if polygon]
    return kept if several else kept[0]


def encloses(ring: list[int], lines: list[list[Point]]) -> bool:
    """Return whether a ring has three points or more."""
    return len({point for arc in ring for point in lines[~arc if arc < 0 else arc]}) > 2


def cut(topology: dict[str, Any]) -> dict[str, Any]:
    """Return the topology of California alone."""
    numbers: dict[int, int] = {}
    whole = places(topology)
    counties = [
        {
            "type": one["type"],
            "id": one["id"],
            "properties": {"name": one["properties"]["name"]},
            "arcs": renumbered(areas(one, whole), numbers),
        }
        for one in sorted(topology["objects"]["counties"]["geometries"], key=lambda one: one["id"])
        if one["id"].startswith(CALIFORNIA)
    ]
    lines = [whole[number] for number in numbers]
    west, east = (f(x for line in lines for x, _ in line) for f in (min, max))
    south, north = (f(y for line in lines for _, y in line) for f in (min, max))
    scale = [(east - west) / (STEPS - 1), (north - south) / (STEPS - 1)]
    arcs = []
    for line in lines:
        grid = [(round((x - west) / scale[0]), round((y - south) / scale[1])) for x, y in line]
        once = [grid[0], *(b for a, b in pairwise(grid) if a != b)]
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(once)]
        arcs.append([once[0], *steps])
    return {
        "type": "Topology",
        "origin": ORIGIN,
        "bbox": [round(edge, 6) for edge in (west, south, east, north)],
        "transform": {
            "scale": [round(step, 10) for step in scale],
            "translate": [round(west, 6), round(south, 6)],
        },
        "objects": {"counties": {"type": "GeometryCollection", "geometries": counties}},
        "arcs": arcs,
    }


if __name__ == "__main__":
    source = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else TARGET
    target.write_text(json.dumps(cut(source), separators=(",", ":")) + "\n", encoding="utf-8")
    sys.stdout.write(f"{target}: {target.stat().st_size:,} bytes\n")
