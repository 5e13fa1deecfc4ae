"""Specify a kernel context, as lists of leaves, and compare it with what a walk found.

Every function that checks returns complaints, one line each; an empty list is a pass. Nothing here looks at page
tables: the expected map comes from the memory map and the handoff alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from contract import BootInfo, layout, number
from firmware_map import PAGE, Range
from walker import SIZES, Leaf, Walk

GIB = 1 << 30


def cover(va: int, pa: int, length: int, largest: int) -> Iterable[tuple[int, int, int]]:
    """Return (va, pa, size) of the fewest leaves that map the range; `largest` bounds their size."""
    while length:
        size = max(s for s in SIZES.values() if s <= largest and s <= length and not (va | pa) % s)
        yield va, pa, size
        va, pa, length = va + size, pa + size, length - size


def read_only_alias(info: BootInfo) -> list[tuple[int, int]]:
    """Return [start, end) of the image's frames that the image itself may not write."""
    return sorted((pa, pa + pages * PAGE) for _, pa, pages, prot in info.segments() if not prot & number("PROT_W"))


def expected_hhdm(info: BootInfo, memmap: list[Range], largest: int) -> list[Leaf]:
    """Return the leaves of RAM and nothing else, the largest that fit in a range of one type and one set of rights."""
    base, top = layout()["HHDM_BASE"], layout()["HHDM_SIZE"]
    protected = read_only_alias(info)
    leaves = []
    for ram in (r for r in memmap if r.ram and r.start < top):
        end = min(ram.end, top)
        edges = {ram.start, end}
        edges.update(edge for piece in protected for edge in piece if ram.start < edge < end)
        cuts = sorted(edges)
        for start, stop in zip(cuts, cuts[1:]):
            write = not any(low <= start < high for low, high in protected)
            leaves += [Leaf(va, pa, size, write, False, False, False, "WB")
                       for va, pa, size in cover(base + start, start, stop - start, largest)]
    return leaves


def expected_image(info: BootInfo) -> list[Leaf]:
    """Return the leaves of the kernel's segments, each with its own rights, all global."""
    leaves = []
    for va, pa, pages, prot in info.segments():
        write, execute = bool(prot & number("PROT_W")), bool(prot & number("PROT_X"))
        leaves += [Leaf(v, p, size, write, execute, False, True, "WB")
                   for v, p, size in cover(va, pa, pages * PAGE, GIB)]
    return sorted(leaves)


def difference(what: str, found: list[Leaf], expected: list[Leaf], show: int = 8) -> list[str]:
    """Complain about leaves that are there and should not be, and about those that are missing."""
    found_set, expected_set = set(found), set(expected)
    extra = sorted(found_set - expected_set)
    missing = sorted(expected_set - found_set)
    complaints = [f"{what}: unexpected {leaf}" for leaf in extra[:show]]
    complaints += [f"{what}: missing {leaf}" for leaf in missing[:show]]
    if len(extra) > show or len(missing) > show:
        complaints.append(f"{what}: {len(extra)} unexpected, {len(missing)} missing in all")
    if len(found) != len(found_set):
        complaints.append(f"{what}: a leaf was found twice")
    return complaints


def check_mmio(leaves: list[Leaf], memmap: list[Range], framebuffer: tuple[int, int]) -> list[str]:
    """Check for device memory only, writable, no-execute, not global, not write-back; and for all of the framebuffer."""
    complaints = []
    for leaf in leaves:
        if leaf.execute or leaf.user or leaf.glob or leaf.memory not in ("UC", "WT", "WC"):
            complaints.append(f"MMIO: bad rights or memory type: {leaf}")
        if any(r.ram and r.start < leaf.pa + leaf.size and leaf.pa < r.end for r in memmap):
            complaints.append(f"MMIO: RAM behind {leaf}")
    start, size = framebuffer
    combining = [leaf for leaf in leaves if leaf.memory == "WC" and start <= leaf.pa < start + size]
    mapped = sum(leaf.size for leaf in combining)
    if mapped != -(-size // PAGE) * PAGE:
        complaints.append(f"MMIO: {mapped} bytes of the framebuffer's {size} are write-combining")
    return complaints


def check_heap(leaves: list[Leaf], memmap: list[Range]) -> list[str]:
    """Check heap and stacks: RAM, no-execute, global, write-back."""
    complaints = []
    for leaf in leaves:
        if leaf.execute or leaf.user or not leaf.glob or leaf.memory != "WB":
            complaints.append(f"heap: bad rights or memory type: {leaf}")
        if not any(r.ram and r.start <= leaf.pa and leaf.pa + leaf.size <= r.end for r in memmap):
            complaints.append(f"heap: no RAM behind {leaf}")
    return complaints


def check_everywhere(walk: Walk) -> list[str]:
    """Check what holds for each leaf and table of the kernel context, whatever its range."""
    ranges = {name[:-5]: (layout()[name], layout()[name[:-5] + "_SIZE"]) for name in layout() if name.endswith("_BASE")}
    complaints = [f"PML4 entry {index} of the lower half: {entry:#x}"
                  for index, entry in enumerate(walk.root[:256]) if entry & 1]
    complaints += [f"PML4 entry {index}, outside every range: {entry:#x}"
                   for index, entry in enumerate(walk.root[320:511], 320) if entry & 1]
    for leaf in walk.leaves:
        if leaf.write and leaf.execute:
            complaints.append(f"W+X: {leaf}")
        if leaf.user:
            complaints.append(f"user-accessible in the kernel context: {leaf}")
        if leaf.glob and leaf.va < ranges["HEAP"][0]:
            complaints.append(f"global outside slot 511: {leaf}")
        inside = [name for name, (base, size) in ranges.items()
                  if name != "USER" and base <= leaf.va and leaf.va + leaf.size <= base + size]
        if len(inside) != 1:
            complaints.append(f"outside every range: {leaf}")
    return complaints


def check_tables(walk: Walk, root: int, memmap: list[Range]) -> list[str]:
    """Check that each table is a frame of RAM of its own, and maps something; slot 511's PDPT may be empty."""
    complaints = []
    seen = {root}
    for table in walk.tables:
        if table.pa in seen:
            complaints.append(f"table {table.pa:#x} for {table.va:#x} is used twice")
        seen.add(table.pa)
        if not table.entries and table.va != layout()["HEAP_BASE"]:
            complaints.append(f"empty table {table.pa:#x} for {table.va:#x}")
        if not any(r.ram and r.start <= table.pa < r.end for r in memmap):
            complaints.append(f"table {table.pa:#x} for {table.va:#x} is not in RAM")
    return complaints


def check_context(walk: Walk, info: BootInfo, memmap: list[Range], largest: int) -> list[str]:
    """Check everything above, for a kernel context whose CPU has pages of up to `largest` bytes."""
    def within(name: str) -> list[Leaf]:
        return walk.in_range(layout()[name + "_BASE"], layout()[name + "_SIZE"])

    complaints = difference("HHDM", within("HHDM"), expected_hhdm(info, memmap, largest))
    complaints += difference("image", within("IMAGE"), expected_image(info))
    complaints += check_mmio(within("MMIO"), memmap, (info.field("framebuffer.pa"), info.field("framebuffer.size")))
    complaints += check_heap(within("HEAP"), memmap)
    return complaints + check_everywhere(walk) + check_tables(walk, info.tables, memmap)
