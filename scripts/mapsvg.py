"""Pictures as SVG: the memory map of two contexts and of physical memory, and the phases of a boot.

Draws what it is given; knows no machine. Colours follow the reader's light or dark mode.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from xml.sax.saxutils import escape

WIDTH = 900
MARGIN = 16
COLUMN = (WIDTH - 3 * MARGIN) / 2
LINE = 16  # pixels of a line of text
GAP = 4

# What each colour is for, and it in light and in dark mode. Every rule names its colour: some viewers know no variables.
FILLS = {
    "paper": ("#ffffff", "#0d1117"), "none": ("#f3f4f6", "#171c23"), "user": ("#bfe3c6", "#1d5130"),
    "direct": ("#bcd7f5", "#1b456e"), "mmio": ("#f6d0b0", "#6d3d17"), "heap": ("#e6cdf2", "#543168"),
    "image": ("#f7e3a1", "#5d4c10"), "tables": ("#f3bfc6", "#6b2732"), "firmware": ("#d5d9de", "#3a4048"),
    "free": ("#e6f0fb", "#15273b"),
}
INK, FAINT, LINES = ("#1b1f24", "#e6edf3"), ("#57606a", "#9aa4af"), ("#8c959f", "#6e7681")


def colours(mode: int) -> str:
    """The rules of light (0) or dark mode (1)."""
    rules = [f"text {{ fill: {INK[mode]}; }}", f".faint {{ fill: {FAINT[mode]}; }}", f"rect {{ stroke: {LINES[mode]}; }}"]
    return "\n".join(rules + [f".{name} {{ fill: {fills[mode]}; }}" for name, fills in FILLS.items()])


STYLE = f"""
text {{ font: 11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre; }}
.title {{ font: bold 15px system-ui, "DejaVu Sans", sans-serif; }}
.head {{ font-weight: bold; }} .end {{ text-anchor: end; }} rect {{ stroke-width: 1; }}
{colours(0)}
.paper {{ stroke: none; }}
@media (prefers-color-scheme: dark) {{
{colours(1)}
}}
"""

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
CHARACTER = 6.63  # pixels of one, at 11 pixels of a monospaced font


def size_text(size: int) -> str:
    """In the largest unit that leaves at least 1 before the point."""
    unit = 0
    while size >= 1024 << 10 * unit and unit + 1 < len(UNITS):
        unit += 1
    whole, rest = divmod(size, 1 << 10 * unit)
    return f"{whole} {UNITS[unit]}" if not rest else f"{size / (1 << 10 * unit):.1f} {UNITS[unit]}"


@dataclasses.dataclass(frozen=True)
class Row:
    """One box: a run of leaves, or a range of physical memory."""

    start: int
    size: int
    text: str
    kind: str  # a colour of FILLS


@dataclasses.dataclass(frozen=True)
class Range:
    """One range of the memory map, with what it holds in either context."""

    start: int
    end: int
    name: str
    kind: str  # "": nothing may ever be there
    kernel: tuple[Row, ...]
    user: tuple[Row, ...]


class Picture:
    """An SVG file that grows downward."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y = float(MARGIN)

    def text(self, x: float, y: float, content: str, kind: str = "", room: float = WIDTH) -> None:
        """A line whose middle is at `y`; squeezed when it is longer than `room`."""
        squeeze = f' textLength="{room:.0f}" lengthAdjust="spacingAndGlyphs"' if len(content) * CHARACTER > room else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y + 4:.1f}" class="{kind}"{squeeze}>{escape(content)}</text>')

    def box(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        """A rectangle of one of the colours of FILLS."""
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
                          f'class="{kind}"/>')

    def title(self, content: str, x: float = MARGIN) -> None:
        """A heading; `y` stays, so that two can stand side by side."""
        self.text(x, self.y + LINE / 2, content, "title")

    def svg(self) -> str:
        """The whole file."""
        height = math.ceil(self.y + MARGIN)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" width="{WIDTH}" height="{height}" '
                f'viewBox="0 0 {WIDTH} {height}">\n<style>{STYLE}</style>\n'
                f'<rect class="paper" width="{WIDTH}" height="{height}"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


def row_height(size: int) -> float:
    """A page gets a line, and each doubling a little more: the small ones can be seen beside the large."""
    return LINE + 0.8 * max(0.0, math.log2(max(size, 4096) / 4096))


def rows_height(rows: Iterable[Row]) -> float:
    """Of a stack of boxes."""
    return sum(row_height(row.size) for row in rows)


def draw_rows(picture: Picture, x: float, y: float, width: float, rows: Iterable[Row]) -> None:
    """Boxes, the highest address above; where addresses are left out between two there is a gap."""
    for row in rows:
        height = row_height(row.size)
        picture.box(x, y, width, height - 2, row.kind)
        picture.text(x + 6, y + height / 2 - 1, row.text, room=width - 12)
        y += height


def draw_range(picture: Picture, one: Range) -> None:
    """A range across both columns: its name and addresses, then what each context has of it."""
    size = one.end - one.start
    picture.text(MARGIN, picture.y + LINE / 2, one.name, "head" if one.kind else "faint")
    picture.text(WIDTH - MARGIN, picture.y + LINE / 2, f"{one.start:016x} - {one.end - 1:016x}   {size_text(size)}",
                 "faint end")
    picture.y += LINE + 2
    if not one.kind:
        picture.y += GAP
        return
    height = max(rows_height(one.kernel), rows_height(one.user), LINE)
    for x, rows in ((MARGIN, one.kernel), (2 * MARGIN + COLUMN, one.user)):
        if rows:
            draw_rows(picture, x, picture.y, COLUMN, rows)
        else:
            picture.box(x, picture.y, COLUMN, height - 2, "none")
            picture.text(x + 6, picture.y + height / 2 - 1, "not present", "faint")
    picture.y += height + GAP * 2


def draw_map(ranges: list[Range], memory: list[Row], user_name: str, machine: str) -> str:
    """The whole picture. `ranges` and `memory`: highest address first."""
    picture = Picture()
    picture.title("Kernel context")
    picture.title(f"User context of {user_name}", 2 * MARGIN + COLUMN)
    picture.y += LINE + GAP
    note = "start             size        rights  pages"
    picture.text(MARGIN + 6, picture.y + LINE / 2, note, "faint")
    picture.text(2 * MARGIN + COLUMN + 6, picture.y + LINE / 2, note, "faint")
    picture.y += LINE + GAP
    for one in ranges:
        draw_range(picture, one)
    picture.y += GAP
    picture.title(f"Physical memory ({machine})")
    picture.y += LINE + GAP
    half = split(memory)
    for index, rows in enumerate((memory[:half], memory[half:])):
        draw_rows(picture, MARGIN + index * (COLUMN + MARGIN), picture.y, COLUMN, rows)
    picture.y += max(rows_height(memory[:half]), rows_height(memory[half:])) + GAP
    picture.text(MARGIN, picture.y + LINE / 2, "Drawn from the live tables. A box grows with the logarithm of its size: "
                 "what is left out between two is not present.", "faint")
    picture.y += LINE
    picture.text(MARGIN, picture.y + LINE / 2, "r readable, w writable, x executable, g global, u for users; UC uncached, "
                 "WC write-combining, the rest write-back.", "faint")
    picture.y += LINE
    return picture.svg()


def split(rows: list[Row]) -> int:
    """Where a list is cut so that both parts are about as high."""
    total, height = rows_height(rows), 0.0
    for index, row in enumerate(rows):
        height += row_height(row.size)
        if height >= total / 2:
            return index + 1
    return len(rows)


def draw_boot(phases: list[tuple[str, int, int]], unit: str) -> str:
    """Bars for (name, all, of it in the firmware), one after another on one scale."""
    picture = Picture()
    picture.title(f"From the loader's first instruction to the kernel's, in {unit}")
    picture.y += LINE + 2 * GAP
    total = max(sum(whole for _, whole, _ in phases), 1)
    left, width = 130, WIDTH - 2 * MARGIN - 130 - 220
    at = 0
    for name, whole, firmware in phases:
        x, length = left + at / total * width, max(whole / total * width, 1)
        inside = min(firmware, whole) / max(whole, 1) * length
        picture.text(MARGIN, picture.y + 10, name)
        picture.box(x, picture.y, length, 18, "direct")
        if inside >= 1:
            picture.box(x, picture.y, inside, 18, "firmware")
        picture.text(x + length + 8, picture.y + 10, f"{whole:,} ({firmware:,} in the firmware)", "faint")
        at += whole
        picture.y += 24
    picture.text(MARGIN, picture.y + LINE / 2, f"total {total:,}; blue is the loader's own work, grey the firmware's", "faint")
    picture.y += LINE
    return picture.svg()
