"""Histograms as SVG geometry, made on the server: numbers in, coordinates and words out. Knows no gate and no page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, TOP, BASE = 300, 118, 24, 96  # the view box; bars stand on BASE
MILLI = 1000


@dataclass(frozen=True, slots=True)
class Tick:
    x: str
    anchor: str
    label: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """One measure of one family and split. Coordinates are strings with one decimal in a box of 300 x 118."""

    words: str  # the whole in one sentence, for those who do not see it
    area: str
    outline: str
    mean_x: str
    mean_anchor: str
    mean_text_x: str
    mean: str
    ticks: tuple[Tick, ...]
    range_x: str = ""
    range_width: str = ""
    range_words: str = ""
    failed: bool = False


def histogram(
    name: str, summary: Mapping[str, Any], allowed: tuple[int, int] | None = None, *, failed: bool = False
) -> Histogram:
    """``summary`` as the distribution gate keeps it: bars of equal width from 0, the mean in thousandths.

    ``allowed`` is the policy's range of the mean, drawn as a strip below the bars.
    """
    bars: Sequence[int] = summary["bars"]
    span = summary["bar_width"] * len(bars)
    mean = summary["mean_milli"] / MILLI
    at = _x(mean, span)
    late = at > WIDTH * 0.75
    left, right = (min(_x(edge, span), WIDTH) for edge in allowed) if allowed else (0.0, 0.0)
    return Histogram(
        words=f"{name}: {sum(bars):,} records, mean {plain(mean)}, from {summary['min']:,} to {summary['max']:,}",
        area=_steps(bars) + "z",
        outline=_steps(bars),
        mean_x=f"{at:.1f}",
        mean_anchor="end" if late else "start",
        mean_text_x=f"{at - 5 if late else at + 5:.1f}",
        mean=plain(mean),
        ticks=_ticks(span),
        range_x=f"{left:.1f}" if allowed else "",
        range_width=f"{max(right - left, 1):.1f}" if allowed else "",
        range_words=f"{allowed[0]:,} to {allowed[1]:,}" if allowed else "",
        failed=failed,
    )


def plain(value: float) -> str:
    """``8.3``, ``412``, ``1,021``: one decimal where it tells something."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def _x(value: float, span: int) -> float:
    return WIDTH * value / span


def _steps(bars: Sequence[int]) -> str:
    most, width = max(bars), WIDTH / len(bars)
    tops = [BASE - (BASE - TOP) * bar / most for bar in bars]
    walk = "".join(f"V{top:.1f}H{width * (place + 1):.1f}" for place, top in enumerate(tops))
    return f"M0 {BASE}{walk}V{BASE}"


def _ticks(span: int) -> tuple[Tick, ...]:
    """About four round numbers from 0 on."""
    rough = span / 4
    power = 10 ** (len(str(int(rough))) - 1) if rough >= 1 else 1
    step = next((power * m for m in (1, 2, 5, 10) if power * m >= rough), power * 10)
    values = range(0, span + 1, step)
    return tuple(Tick(f"{min(max(_x(v, span), 2), WIDTH - 2):.1f}", _anchor(v, span), f"{v:,}") for v in values)


def _anchor(value: int, span: int) -> str:
    if value == 0:
        return "start"
    return "end" if _x(value, span) > WIDTH * 0.95 else "middle"
