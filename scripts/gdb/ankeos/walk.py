"""`ankeos walk`: one address through the tables, entry by entry."""

from __future__ import annotations

import struct

import gdb
import walker
from ankeos import kernel, memory
from ankeos.command import Command, number
from ankeos.ranges import range_name, size_text

ENTRY_NAMES = {4: "PML4E", 3: "PDPTE", 2: "PDE", 1: "PTE"}
BITS = ((walker.PRESENT, "P"), (walker.WRITABLE, "W"), (walker.USER, "U"), (walker.PWT, "PWT"), (walker.PCD, "PCD"),
        (1 << 5, "A"), (1 << 6, "D"), (walker.LARGE, "PS"), (walker.GLOBAL, "G"), (1 << 9, "pinned"), (walker.NX, "NX"))


def entry_text(entry: int) -> str:
    """The names of its bits."""
    return " ".join(name for bit, name in BITS if entry & bit) or "0"


def steps(root: int, address: int) -> list[tuple[int, int, int]]:
    """(level, physical address of the entry, entry) down to a leaf or to an entry that is not present."""
    found, table = [], root
    for level in (4, 3, 2, 1):
        place = table + 8 * (address >> 12 + 9 * (level - 1) & 511)
        entry, = struct.unpack("<Q", memory.physical(place, 8))
        found.append((level, place, entry))
        if not entry & walker.PRESENT or level == 1 or (entry & walker.LARGE and level < 4):
            break
        table = entry & memory.ROOT_MASK
    return found


class Walk(Command):
    """Follow an address through the tables: each entry with its bits, then what the CPU grants.

    In the loaded context, or in the one named as for `ankeos map`.
    Usage: ankeos walk ADDRESS [kernel|PID|PML4]
    """

    name = "walk"

    def run(self, words: list[str]) -> None:
        self.expect(words, 1, 2)
        address = number(words[0])
        if walker.canonical(address & (1 << 48) - 1) != address:
            raise gdb.GdbError(f"{address:#x} is not canonical")
        context = kernel.context(words[1] if len(words) > 1 else None)
        gdb.write(f"{address:#018x} ({range_name(address)}) in {context.name}\n")
        found = steps(context.root, address)
        for level, place, entry in found:
            index = place % memory.PAGE // 8
            gdb.write(f"  {ENTRY_NAMES[level]:<5} {index:3} at {place:#014x}: {entry:#018x}  {entry_text(entry)}\n")
        gdb.write(f"  {verdict(found, address)}\n")


def verdict(found: list[tuple[int, int, int]], address: int) -> str:
    """The physical address and the effective rights, or what is missing."""
    level, _, leaf = found[-1]
    if not leaf & walker.PRESENT:
        return f"not mapped: the {ENTRY_NAMES[level]} is not present"
    size = walker.SIZES[level]
    target = (leaf & memory.ROOT_MASK & ~(size - 1)) + address % size
    writable = all(entry & walker.WRITABLE for _, _, entry in found)
    user = all(entry & walker.USER for _, _, entry in found)
    executable = not any(entry & walker.NX for _, _, entry in found)
    rights = f"r{'w' if writable else '-'}{'x' if executable else '-'}"
    return (f"physical {target:#x}, {rights}, {'user' if user else 'kernel only'}"
            f"{', global' if leaf & walker.GLOBAL else ''}, {size_text(size)} page")


Walk()
