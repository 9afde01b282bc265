"""Small charts as SVG for pages that need no network: lines, bars and bands in page colours."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

# The unit of a chart; a page scales it to its column.
WIDTH, HEIGHT = 440.0, 210.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 38.0, 12.0, 24.0, 24.0

# What pages with these charts look like; the colours are those that charts name.
_STYLE = """
:root { color-scheme: light dark; --page: #fff; --raised: #f4f5f7; --ink: #2b2f36; --faint: #5d646e;
  --grid: #d8dbe0; --blue: #0072b2; --orange: #b06f00; --green: #007a59; --red: #c2500a;
  --purple: #a04a80; --grey: #8a8f98; }
@media screen and (prefers-color-scheme: dark) { :root { --page: #15181c; --raised: #1f2329;
  --ink: #e4e7eb; --faint: #a3abb5; --grid: #363c45; --blue: #4aa8e0; --orange: #f0b43c;
  --green: #2fc79b; --red: #f08445; --purple: #e09cc4; --grey: #868d98; } }
@media print { :root { color-scheme: light; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 68rem; background: var(--page);
  color: var(--ink); font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
p, ul { max-width: 46rem; }
.faint { color: var(--faint); }
ul { padding-left: 1.2rem; }
figure { margin: 0; min-width: 0; }
figure svg { display: block; width: 100%; height: auto; max-width: 36rem; overflow: visible; }
svg text { font-size: 11px; fill: var(--faint); }
figcaption { font-size: 0.9rem; color: var(--faint); max-width: 36rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1.1rem; margin: 0.2rem 0; font-size: 0.85rem;
  color: var(--faint); }
.legend i { display: inline-block; width: 1.4rem; border-top: 3px solid; margin-right: 0.4rem;
  vertical-align: middle; }
.legend i.dashed { border-top-style: dashed; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem;
  font-variant-numeric: tabular-nums; }
tbody tr + tr > * { border-top: 1px solid var(--grid); }
"""


def chart_page(title: str, style: str, parts: Sequence[str]) -> str:
    """Return a page of charts, light or dark as its reader has it.

    Args:
        title: Its title, as HTML.
        style: Style sheet of its own, beside what all such pages share.
        parts: Its body, pieces of HTML.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}{style}</style></head><body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


@dataclass(frozen=True)
class Line:
    """A line of a chart; gaps where a value is None.

    Attributes:
        label: What it is.
        colour: Name of the page's colour.
        values: One for each place.
        width: Of the stroke.
        dashed: Whether it is dashed.
    """

    label: str
    colour: str
    values: Sequence[float | None]
    width: float = 1.8
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart over evenly spaced places.

    Attributes:
        title: What it shows, for those who listen to the page.
        lines: Its lines.
        bars: Values drawn as bars from zero, behind the lines.
        bands: Levels from, to, and the colour behind them.
        labels: Place and text of ticks along it.
        unit: Of the vertical axis.
        zero: Whether the axis begins at zero.
    """

    title: str
    lines: Sequence[Line]
    bars: Sequence[float] = ()
    bands: Sequence[tuple[float, float, str]] = ()
    labels: Sequence[tuple[float, str]] = ()
    unit: str = ""
    zero: bool = False
    legend: bool = field(default=True)

    def svg(self) -> str:
        """Return the chart as an SVG element, and its legend below it."""
        known = [float(v) for line in self.lines for v in line.values if v is not None]
        known += [float(value) for value in self.bars]
        low, high = min(known, default=0.0), max(known, default=1.0)
        if self.zero or self.bars:
            low, high = min(low, 0.0), max(high, 0.0)
        ticks = nice_ticks(low, high)
        low, high = min(low, ticks[0]), max(high, ticks[-1])
        count = max([len(line.values) for line in self.lines] + [len(self.bars), 2])

        def across(place: float) -> float:
            return _LEFT + (WIDTH - _LEFT - _RIGHT) * place / (count - 1)

        def up(value: float) -> float:
            share = (value - low) / max(high - low, 1e-12)
            return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * share

        parts = []
        for bottom, top, colour in self.bands:
            bottom, top = max(bottom, low), min(top, high)
            if top > bottom:
                parts.append(
                    f'<rect x="{_LEFT:.1f}" y="{up(top):.1f}" '
                    f'width="{WIDTH - _LEFT - _RIGHT:.1f}" height="{up(bottom) - up(top):.1f}" '
                    f'fill="var(--{colour})" opacity="0.14"/>'
                )
        for tick in ticks:
            parts.append(
                f'<line x1="{_LEFT:.1f}" x2="{WIDTH - _RIGHT:.1f}" y1="{up(tick):.1f}" '
                f'y2="{up(tick):.1f}" stroke="var(--grid)"/>'
                f'<text x="{_LEFT - 5:.1f}" y="{up(tick) + 4:.1f}" text-anchor="end">'
                f"{tick:g}</text>"
            )
        if self.unit:
            parts.append(f'<text x="0" y="11">{html.escape(self.unit)}</text>')
        for place, text in self.labels:
            parts.append(
                f'<text x="{across(place):.1f}" y="{HEIGHT - 7:.1f}" text-anchor="middle">'
                f"{html.escape(text)}</text>"
            )
        thickness = max(0.6, 0.7 * (WIDTH - _LEFT - _RIGHT) / count)
        bars = [
            f"M{across(i):.1f} {up(0.0):.1f}V{up(float(value)):.1f}"
            for i, value in enumerate(self.bars)
            if value
        ]
        if bars:
            parts.append(
                f'<path d="{"".join(bars)}" stroke="var(--grey)" stroke-width="{thickness:.1f}" '
                'opacity="0.55"/>'
            )
        for line in self.lines:
            dash = ' stroke-dasharray="4 3"' if line.dashed else ""
            parts.append(
                f'<path d="{_path(line.values, across, up)}" fill="none" '
                f'stroke="var(--{line.colour})" stroke-width="{line.width:g}"{dash}/>'
            )
        drawing = (
            f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
            f'aria-label="{html.escape(self.title)}">{"".join(parts)}</svg>'
        )
        return drawing + (self._legend() if self.legend else "")

    def _legend(self) -> str:
        items = [
            f'<span><i class="{"dashed" if line.dashed else ""}" '
            f'style="border-color:var(--{line.colour})"></i>{html.escape(line.label)}</span>'
            for line in self.lines
        ]
        return f'<p class="legend">{"".join(items)}</p>' if items else ""


def nice_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round levels that span a range."""
    span = max(high - low, 1e-9)
    raw = span / most
    power = 10.0 ** np.floor(np.log10(raw))
    step = float(
        next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if raw <= power * factor)
    )
    first = np.floor(low / step + 1e-9)
    last = np.ceil(high / step - 1e-9)
    return [float(np.round(step * number, 10)) for number in np.arange(first, last + 1)]


def interval_bar(low: float, value: float, high: float, least: float, most: float) -> str:
    """Return a bar of an interval on a scale from ``least`` to ``most``, 100 units wide."""

    def place(x: float) -> float:
        return 2.0 + 96.0 * float(np.clip((x - least) / max(most - least, 1e-12), 0.0, 1.0))

    return (
        '<svg class="interval" viewBox="0 0 100 14" preserveAspectRatio="xMinYMid" '
        'aria-hidden="true">'
        '<line x1="2" x2="98" y1="7" y2="7" stroke="var(--grid)" stroke-width="2"/>'
        f'<line x1="{place(low):.1f}" x2="{place(high):.1f}" y1="7" y2="7" '
        'stroke="var(--blue)" stroke-width="5"/>'
        f'<circle cx="{place(value):.1f}" cy="7" r="4.2" fill="var(--ink)"/></svg>'
    )


def _path(values: Sequence[float | None], across, up) -> str:  # type: ignore[no-untyped-def]
    commands, pen = [], "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        commands.append(f"{pen}{across(place):.1f} {up(float(value)):.1f}")
        pen = "L"
    return "".join(commands)
