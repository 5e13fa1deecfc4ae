"""A page-table walker of its own, written from the Intel SDM vol. 3A, "4-Level Paging", and from nothing of ours.

Takes whole tables with one read each and reports every leaf with the rights that the CPU would grant: an entry
above a leaf restricts it. Reserved bits that must be zero are errors here, as they are to the CPU.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable, Iterator

PRESENT = 1 << 0
WRITABLE = 1 << 1
USER = 1 << 2
PWT = 1 << 3
PCD = 1 << 4
LARGE = 1 << 7
GLOBAL = 1 << 8
NX = 1 << 63
PAT_4K = 1 << 7
PAT_LARGE = 1 << 12

SIZES = {1: 1 << 12, 2: 1 << 21, 3: 1 << 30}
ENTRY_SPAN = {1: 1 << 12, 2: 1 << 21, 3: 1 << 30, 4: 1 << 39}

# Encodings of a memory type in IA32_PAT ("Page Attribute Table (PAT)").
PAT_TYPES = {0: "UC", 1: "WC", 4: "WT", 5: "WP", 6: "WB", 7: "UC-"}

Read = Callable[[int, int], bytes]


class TableError(AssertionError):
    """A page table holds what the CPU would refuse, or what cannot be walked."""


@dataclasses.dataclass(frozen=True, order=True)
class Leaf:
    """One entry that maps memory, with its effective rights."""

    va: int
    pa: int
    size: int
    write: bool
    execute: bool
    user: bool
    glob: bool
    memory: str  # "WB", "WC", "UC-", …

    def __str__(self) -> str:
        rights = "".join(letter if have else "-" for letter, have in
                         zip("WXUG", (self.write, self.execute, self.user, self.glob)))
        return f"{self.va:#018x} -> {self.pa:#014x} {self.size:#x} {rights} {self.memory}"


@dataclasses.dataclass(frozen=True)
class Table:
    """A table frame below the root."""

    pa: int
    level: int  # the level of the table's entries
    va: int  # the first address that the table spans
    entries: int  # how many entries are present


@dataclasses.dataclass
class Walk:
    """All that hangs from one CR3."""

    root: tuple[int, ...]
    leaves: list[Leaf]
    tables: list[Table]

    def in_range(self, base: int, size: int) -> list[Leaf]:
        return [leaf for leaf in self.leaves if base <= leaf.va < base + size]

    def translate(self, va: int) -> int:
        """Return the physical address behind `va`."""
        for leaf in self.leaves:
            if leaf.va <= va < leaf.va + leaf.size:
                return leaf.pa + (va - leaf.va)
        raise TableError(f"{va:#x} is not mapped")


def canonical(va: int) -> int:
    """Return the address with bit 47 extended through 63."""
    return va | 0xFFFF_0000_0000_0000 if va & 1 << 47 else va


def pat_names(pat: int) -> list[str]:
    """Return the memory types that the eight PAT indices stand for."""
    return [PAT_TYPES[pat >> 8 * index & 7] for index in range(8)]


class _Walker:
    def __init__(self, read: Read, physical_bits: int, pat: int, nxe: bool) -> None:
        self._read = read
        self._types = pat_names(pat)
        self._nx = NX if nxe else 0
        self._address = (1 << physical_bits) - 1 & ~0xFFF
        self._reserved = (1 << 52) - (1 << physical_bits) | (0 if nxe else NX)
        self.leaves: list[Leaf] = []
        self.tables: list[Table] = []

    def table(self, pa: int) -> tuple[int, ...]:
        return struct.unpack("<512Q", self._read(pa, 4096))

    def walk(self, entries: tuple[int, ...], level: int, base: int, above: int) -> None:
        """Walk one table.

        `above` holds the W and U bits that all entries so far grant, and the NX bit that any has set.
        """
        for index, entry in enumerate(entries):
            if not entry & PRESENT:
                continue
            va = canonical(base + index * ENTRY_SPAN[level])
            if entry & self._reserved or (level == 4 and entry & LARGE):
                raise TableError(f"reserved bits in the level-{level} entry for {va:#x}: {entry:#x}")
            grant = above & entry & (WRITABLE | USER) | (above | entry) & self._nx
            if level == 1 or entry & LARGE:
                self._leaf(va, entry, level, grant)
                continue
            pa = entry & self._address
            below = self.table(pa)
            self.tables.append(Table(pa, level - 1, va, sum(e & PRESENT for e in below)))
            self.walk(below, level - 1, va & (1 << 48) - 1, grant)

    def _leaf(self, va: int, entry: int, level: int, grant: int) -> None:
        pa = entry & self._address
        pat_bit = PAT_4K
        if level > 1:
            pat_bit = PAT_LARGE
            pa &= ~PAT_LARGE
            if pa & SIZES[level] - 1:
                raise TableError(f"unaligned large leaf at {va:#x}: {entry:#x}")
        index = (entry & PWT) >> 3 | (entry & PCD) >> 3 | (4 if entry & pat_bit else 0)
        self.leaves.append(Leaf(va, pa, SIZES[level], bool(grant & WRITABLE), not grant & self._nx,
                                bool(grant & USER), bool(entry & GLOBAL), self._types[index]))


def walk(read: Read, cr3: int, *, physical_bits: int, pat: int, nxe: bool = True) -> Walk:
    """Walk the tables of a CPU in 4-level mode; `read` gives physical memory."""
    walker = _Walker(read, physical_bits, pat, nxe)
    root = walker.table(cr3 & ~0xFFF)
    walker.walk(root, 4, 0, WRITABLE | USER)
    return Walk(root, walker.leaves, walker.tables)


def merge(leaves: list[Leaf]) -> Iterator[tuple[Leaf, int]]:
    """Return runs of leaves that continue each other in both address spaces with the same rights: (leaf, bytes)."""
    first: Leaf | None = None
    length = 0
    for leaf in leaves:
        same = first is not None and leaf.va == first.va + length and leaf.pa == first.pa + length
        if same and dataclasses.replace(leaf, va=0, pa=0, size=0) == dataclasses.replace(first, va=0, pa=0, size=0):
            length += leaf.size
            continue
        if first is not None:
            yield first, length
        first, length = leaf, leaf.size
    if first is not None:
        yield first, length
