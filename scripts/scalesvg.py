"""A picture of scalecost's rows as SVG: for each a small plot of N against instructions, ours and Linux's, both logarithmic."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

WIDTH = 900
COLUMNS = 6
MARGIN = 16
PANEL_WIDTH = (WIDTH - 2 * MARGIN) / COLUMNS
PLOT_HEIGHT = 64
PANEL_HEIGHT = PLOT_HEIGHT + 34

STYLE = """
text { font: 9px system-ui, "DejaVu Sans", sans-serif; fill: #1b1f24; }
.title { font: bold 15px system-ui, "DejaVu Sans", sans-serif; }
.head { font: bold 12px system-ui, "DejaVu Sans", sans-serif; }
.faint { fill: #57606a; font-size: 8px; } .end { text-anchor: end; }
.paper { fill: #ffffff; } .plot { fill: #f3f4f6; }
polyline { fill: none; stroke-width: 1.6; } .linux { stroke: #8c959f; fill: none; } .ours { stroke: #0969da; fill: none; }
.missed { stroke: #cf222e; fill: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .faint { fill: #9aa4af; } .paper { fill: #0d1117; } .plot { fill: #171c23; }
  .linux { stroke: #6e7681; } .ours { stroke: #58a6ff; } .missed { stroke: #f85149; } }
"""


def short(value: float) -> str:
    """A count in few characters."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def line(figures: dict[int, float], kind: str, place) -> str:
    """One kernel's figures: a line through its points, or a dot when there is one alone."""
    points = [place(size, value) for size, value in sorted(figures.items()) if value > 0]
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="2.5" class="{kind}"/>'
    return f'<polyline class="{kind}" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>'


def panel(row, x: float, y: float) -> list[str]:
    """A row's plot. `row` is scalecost's Row."""
    width = PANEL_WIDTH - 10
    values = [value for value in (*row.linux.values(), *row.ours.values()) if value > 0]
    sizes = row.sizes
    name = escape(row.name)
    squeeze = f' textLength="{width:.0f}" lengthAdjust="spacingAndGlyphs"' if len(row.name) * 4.7 > width else ""
    parts = [f'<text x="{x:.1f}" y="{y + 9:.1f}"{squeeze}>{name}</text>',
             f'<rect class="plot" x="{x:.1f}" y="{y + 13:.1f}" width="{width:.1f}" height="{PLOT_HEIGHT}"/>']
    if not values:
        return parts
    least, most = math.log(min(values)), math.log(max(values))
    first, last = math.log(max(sizes[0], 1)), math.log(max(sizes[-1], 2))

    def place(size: int, value: float) -> tuple[float, float]:
        across = (math.log(max(size, 1)) - first) / max(last - first, 1e-9)
        # At least a factor of four from bottom to top: a small difference shall look small.
        middle, height = (least + most) / 2, max(most - least, math.log(4))
        up = (math.log(value) - middle) / height + 0.5
        return x + 4 + across * (width - 8), y + 13 + (PLOT_HEIGHT - 8) * (1 - up) + 4

    parts += [line(row.linux, "linux", place), line(row.ours, "missed" if row.faults else "ours", place)]
    figures = [short(side[sizes[-1]]) if side.get(sizes[-1]) else "-" for side in (row.ours, row.linux)]
    parts.append(f'<text class="faint" x="{x:.1f}" y="{y + PLOT_HEIGHT + 22:.1f}">N {short(sizes[-1])}</text>'
                 f'<text class="faint end" x="{x + width:.1f}" y="{y + PLOT_HEIGHT + 22:.1f}">{figures[0]} / {figures[1]}</text>')
    return parts


def draw(rows: list) -> str:
    """The whole file: the rooms one below the other."""
    parts: list[str] = []
    y = MARGIN + 12.0
    met = sum(not row.faults for row in rows)
    parts.append(f'<text class="title" x="{MARGIN}" y="{y:.0f}">What one more costs where N are there</text>')
    y += 18
    parts.append(f'<text x="{MARGIN}" y="{y:.0f}">N from 10 to the largest, against guest instructions of an operation, both '
                 f"logarithmic. Grey: Debian's Linux; blue: AnkeOS; red: AnkeOS, and a goal is missed ({met} of {len(rows)} rows "
                 "meet theirs).</text>")
    y += 14
    parts.append(f'<text x="{MARGIN}" y="{y:.0f}">Below each plot its largest N, and the instructions there: AnkeOS / Linux.</text>')
    for room in dict.fromkeys(row.room for row in rows):
        y += 22
        parts.append(f'<text class="head" x="{MARGIN}" y="{y:.0f}">{escape(room)}</text>')
        y += 8
        own = [row for row in rows if row.room == room]
        for index, row in enumerate(own):
            parts += panel(row, MARGIN + index % COLUMNS * PANEL_WIDTH, y + index // COLUMNS * PANEL_HEIGHT)
        y += math.ceil(len(own) / COLUMNS) * PANEL_HEIGHT
    height = math.ceil(y + MARGIN)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">\n'
            f'<style>{STYLE}</style>\n<rect class="paper" width="{WIDTH}" height="{height}"/>\n' + "\n".join(parts) + "\n</svg>\n")
