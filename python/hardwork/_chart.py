"""Bar charts as SVG without any library, and as PNG where matplotlib is installed. For the demo and for bench/."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

OURS = "#1b6ca8"
THEIRS = "#9aa5b1"
BAD = "#c0392b"

_FONT = "font-family='DejaVu Sans, Helvetica, Arial, sans-serif'"
_WIDTH = 960
_LABEL_WIDTH = 300
_TEXT_WIDTH = 190
_ROW = 34
_TOP = 84
_BOTTOM = 56


@dataclass(frozen=True)
class Bar:
    """One line of a chart.

    Args:
        label: What it is.
        value: How long the bar is; must be positive on a logarithmic scale.
        text: What stands at its end.
        colour: An SVG colour.
        target: Where to mark what was aimed at; None for no mark.
    """

    label: str
    value: float
    text: str
    colour: str = THEIRS
    target: float | None = None


@dataclass(frozen=True)
class Chart:
    """Horizontal bars under a title.

    Args:
        title: The heading.
        subtitle: One line below it: how it was measured.
        axis: What the length of a bar means.
        bars: From top to bottom.
        logarithmic: Whether the scale is, for values that are far apart. The axis says so then.
    """

    title: str
    subtitle: str
    axis: str
    bars: Sequence[Bar]
    logarithmic: bool = False


def save(chart: Chart, folder: Path, name: str) -> list[Path]:
    """Writes the chart as SVG, and as PNG if that is possible.

    Args:
        chart: What to draw.
        folder: Where; made if need be.
        name: The files' name without its ending.

    Returns:
        The files written. The PNG is missing if matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    svg = folder / f"{name}.svg"
    svg.write_text(to_svg(chart), encoding="utf-8")
    png = folder / f"{name}.png"
    return [svg, png] if _write_png(chart, png) else [svg]


def to_svg(chart: Chart) -> str:
    """Draws the chart.

    Args:
        chart: What to draw.

    Returns:
        A complete SVG document.
    """
    scale = _Scale(chart)
    room = _WIDTH - _LABEL_WIDTH - _TEXT_WIDTH
    height = _TOP + _ROW * len(chart.bars) + _BOTTOM
    bottom = height - _BOTTOM
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' width='{_WIDTH}' {_FONT}>",
        f"<rect width='{_WIDTH}' height='{height}' fill='white'/>",
        _text(20, 34, chart.title, 20, weight="bold"),
        _text(20, 58, chart.subtitle, 12, fill="#555"),
    ]
    for tick in scale.ticks():
        x = _LABEL_WIDTH + room * scale.share(tick)
        lines.append(f"<line x1='{x:.1f}' y1='{_TOP - 6}' x2='{x:.1f}' y2='{bottom}' stroke='#e3e7eb'/>")
        lines.append(_text(x, bottom + 16, f"{tick:g}", 11, anchor="middle", fill="#555"))
    lines.append(_text(_LABEL_WIDTH + room / 2, bottom + 38, scale.axis(), 12, anchor="middle", fill="#333"))
    for index, bar in enumerate(chart.bars):
        y = _TOP + index * _ROW
        width = max(room * scale.share(bar.value), 1.0)
        lines.append(_text(_LABEL_WIDTH - 10, y + 19, bar.label, 13, anchor="end"))
        lines.append(
            f"<rect x='{_LABEL_WIDTH}' y='{y + 4}' width='{width:.1f}' height='{_ROW - 12}' rx='2' "
            f"fill='{bar.colour}'/>"
        )
        if bar.target is not None:
            x = _LABEL_WIDTH + room * scale.share(bar.target)
            lines.append(
                f"<line x1='{x:.1f}' y1='{y}' x2='{x:.1f}' y2='{y + _ROW - 4}' stroke='black' stroke-width='2'/>"
            )
        end = max(width, room * scale.share(bar.target) if bar.target is not None else 0.0)
        lines.append(_text(_LABEL_WIDTH + end + 8, y + 19, bar.text, 12, fill="#333"))
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


class _Scale:
    """Values to shares of the room from 0 to 1."""

    def __init__(self, chart: Chart) -> None:
        values = [bar.value for bar in chart.bars] + [bar.target for bar in chart.bars if bar.target is not None]
        self._values = [value for value in values if value > 0] or [1.0]
        self._logarithmic = chart.logarithmic
        self._axis = chart.axis
        self.low, self.high = self._limits()

    def _limits(self) -> tuple[float, float]:
        if not self._logarithmic:
            return 0.0, max(self._values)
        # From a whole power of ten below the smallest, so that the smallest still has a bar.
        low = 10.0 ** math.floor(math.log10(min(self._values) * 0.999))
        return low, max(max(self._values), low * 10)

    def share(self, value: float) -> float:
        if not self._logarithmic:
            return value / self.high
        if value <= self.low:
            return 0.0
        return math.log(value / self.low) / math.log(self.high / self.low)

    def ticks(self) -> list[float]:
        if self._logarithmic:
            first = round(math.log10(self.low))
            return [10.0**power for power in range(first, math.floor(math.log10(self.high)) + 1)]
        step = 10.0 ** math.floor(math.log10(self.high))
        for divisor in (1, 2, 5, 10):
            if self.high / (step / divisor) >= 4:
                step /= divisor
                break
        return [step * index for index in range(int(self.high / step) + 1)]

    def axis(self) -> str:
        return f"{self._axis} (logarithmic)" if self._logarithmic else self._axis


def _text(
    x: float, y: float, text: str, size: int, *, anchor: str = "start", weight: str = "normal", fill: str = "#111"
) -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}' font-weight='{weight}' "
        f"fill='{fill}'>{escape(text)}</text>"
    )


def _write_png(chart: Chart, path: Path) -> bool:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return False
    # Without pyplot: no display is looked for, and no global state is touched.
    figure = Figure(figsize=(_WIDTH / 100, (_TOP + _ROW * len(chart.bars) + _BOTTOM) / 100), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    places = range(len(chart.bars))
    scale = _Scale(chart)
    if chart.logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(scale.low, scale.high * (scale.high / scale.low) ** 0.3)
    else:
        axes.set_xlim(0, scale.high * 1.3)
    axes.barh(places, [bar.value for bar in chart.bars], color=[bar.colour for bar in chart.bars], height=0.65)
    for place, bar in zip(places, chart.bars, strict=True):
        end = bar.value
        if bar.target is not None:
            axes.plot([bar.target] * 2, [place - 0.45, place + 0.45], color="black", linewidth=2)
            end = max(end, bar.target)
        axes.annotate(bar.text, (end, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_yticks(places, [bar.label for bar in chart.bars])
    axes.invert_yaxis()
    axes.set_xlabel(scale.axis())
    axes.set_title(f"{chart.title}\n{chart.subtitle}", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    return True
