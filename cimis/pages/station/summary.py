"""The figures that matter most of a station's days, and what must be known before they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cimis.charts.axes import DAY
from cimis.pages.page import Tile
from cimis.pages.station.cold import Cold
from cimis.pages.station.heat import Heat, between_words
from cimis.pages.station.running import Running
from cimis.pages.station.sensors import worst_of
from cimis.pages.station.subject import Subject

if TYPE_CHECKING:
    from cimis.pipeline.field.items import Item
    from cimis.soundness.judging import Quality

__all__ = ["tiles"]


def tiles(
    subject: Subject,
    totals: dict[str, Running],
    heat: Heat | None,
    cold: Cold | None,
    quality: list[Quality],
) -> list[Tile]:
    """Return the figures in large type."""
    eto, rain = subject.eto, subject.item("precip")
    found = [_sum("Reference ET", "eto-total", eto, subject, totals)]
    found.append(_sum("Rain", "rain-total", rain, subject, totals))
    found.append(_mean(subject))
    found.append(_extreme(subject, "air_tmp_max", "Hottest", "hottest", highest=True))
    found.append(_extreme(subject, "air_tmp_min", "Coldest", "coldest", highest=False))
    found.append(_heat(heat))
    found.append(_cold(cold))
    found.append(_complete(subject))
    found.append(_flagged(subject))
    found.append(_sensors(quality))
    return [tile for tile in found if tile is not None]


def _sum(
    label: str, key: str, item: Item | None, subject: Subject, totals: dict[str, Running]
) -> Tile | None:
    made = None if item is None else totals.get(item.column)
    if item is None or made is None or made.total is None:
        return None
    lacking = subject.rows.height - subject.count(item)
    notes = []
    if made.normal:
        percent = f"{100 * made.total / made.normal:.0f} %"
        notes.append(f"{percent} of the median of {len(made.seasons)} other seasons")
    if lacking:
        notes.append(f"{_days(lacking)} missing")
    decimals = 0 if made.total >= 100 else item.decimals(subject.standard)
    return Tile(
        label,
        f"{made.total:,.{decimals}f}",
        subject.symbol(item),
        "; ".join(notes),
        f"{key}-{subject.station}",
        round(made.total, 6),
    )


def _days(count: int) -> str:
    return f"{count:,} day{'s' * (count != 1)}"


def _mean(subject: Subject) -> Tile | None:
    item = subject.item("air_tmp_avg")
    mean = None if item is None else subject.rows[item.column].mean()
    if item is None or not isinstance(mean, float):
        return None
    return Tile(
        "Mean temperature",
        _signed(mean),
        subject.symbol(item),
        "",
        f"mean-temperature-{subject.station}",
        round(mean, 6),
    )


def _extreme(subject: Subject, column: str, label: str, key: str, *, highest: bool) -> Tile | None:
    item = subject.item(column)
    if item is None or not subject.count(item):
        return None
    rows = subject.rows.drop_nulls(column).sort(column, descending=highest, maintain_order=True)
    row = rows.row(0, named=True)
    flag = row[item.flag_column]
    note = f"{row['date']:{DAY}}" + (f", flagged {flag}" if flag else "")
    return Tile(
        label,
        _signed(row[column]),
        subject.symbol(item),
        note,
        f"{key}-{subject.station}",
        row[column],
    )


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "\N{MINUS SIGN}")


def _heat(heat: Heat | None) -> Tile | None:
    if heat is None or heat.running.total is None:
        return None
    lacking = f"; {_days(heat.lacking)} missing" if heat.lacking else ""
    return Tile(
        "Degree days",
        f"{heat.running.total:,.0f}",
        heat.symbol,
        f"{between_words(heat)}{lacking}",
        f"degree-days-{heat.station}",
        heat.running.total,
    )


def _cold(cold: Cold | None) -> Tile | None:
    if cold is None or cold.row["chill_portions"] is None:
        return None
    portions = float(cold.row["chill_portions"])
    return Tile(
        "Chill portions",
        f"{portions:.1f}",
        "",
        f"winter {cold.winter - 1}/{cold.winter % 100:02}",
        f"chill-portions-{cold.row['station']}",
        portions,
    )


def _complete(subject: Subject) -> Tile:
    stored = int(subject.rows["stored"].sum())
    return Tile(
        "Days stored",
        f"{stored:,}",
        f"of {subject.rows.height:,}",
        "",
        f"days-{subject.station}",
        stored,
    )


def _flagged(subject: Subject) -> Tile:
    flagged = sum(
        subject.rows.filter(
            subject.rows[item.flag_column].is_not_null() & subject.rows[item.column].is_not_null()
        ).height
        for item in subject.items
    )
    values = sum(map(subject.count, subject.items))
    return Tile(
        "Flagged values",
        f"{flagged:,}",
        "",
        f"of {values:,}",
        f"flagged-{subject.station}",
        flagged,
    )


def _sensors(quality: list[Quality]) -> Tile | None:
    if not quality:
        return None
    verdict, count = worst_of(quality)
    every = sum(len(one.findings) for one in quality)
    return Tile("Sensors", verdict.value, "", f"{count} of {every} checks", "sensors")
