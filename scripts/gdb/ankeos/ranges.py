"""The memory map of paging/layout.h, and how addresses, sizes and rights are written."""

from __future__ import annotations

import functools
import re

import walker
from contract import ROOT, layout

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
PAGE_NAMES = {1 << 12: "4K", 1 << 21: "2M", 1 << 30: "1G"}


@functools.cache
def ranges() -> list[tuple[int, int, str]]:
    """(first address, end, what it holds) of each range, lowest first."""
    source = (ROOT / "paging" / "layout.h").read_text()
    names = re.findall(r'X\((\w+), \1_BASE, \1_SIZE, "([^"]+)"\)', source)
    numbers = layout()
    return [(numbers[f"{name}_BASE"], numbers[f"{name}_BASE"] + numbers[f"{name}_SIZE"], what) for name, what in names]


def range_name(address: int) -> str:
    """What the map says that `address` is for."""
    for start, end, what in ranges():
        if start <= address < end:
            return what
    return "outside the map"


def size_text(size: int) -> str:
    """In the largest unit that leaves no fraction, or one digit of it."""
    unit = 0
    while size >= 1024 << 10 * unit and unit + 1 < len(UNITS):
        unit += 1
    whole, rest = divmod(size, 1 << 10 * unit)
    return f"{whole} {UNITS[unit]}" if not rest else f"{size / (1 << 10 * unit):.1f} {UNITS[unit]}"


def rights_text(leaf: walker.Leaf) -> str:
    """As the monitor writes them: rwxg, and u for user memory."""
    return "r{}{}{}{}".format("w" if leaf.write else "-", "x" if leaf.execute else "-", "g" if leaf.glob else "-",
                              "u" if leaf.user else "")
