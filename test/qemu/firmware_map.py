"""Compute from the firmware's memory map what a careful kernel makes of it, in another way than the loader does.

The loader lays claims over a sorted list one after the other. Here every boundary cuts the address space, and each
piece between two boundaries goes to the strongest of the claims that cover it.
"""

from __future__ import annotations

import dataclasses
import struct

from contract import BootInfo, number

PAGE = 4096
ATTRIBUTE_WB = 1 << 3
ATTRIBUTE_SPECIAL = 1 << 18
ATTRIBUTE_RUNTIME = 1 << 63
LOW_END = 1 << 20  # free RAM below this address is kept back

# UEFI 2.10, "Memory Type Usage after ExitBootServices()"; types that are not here are reserved.
TYPES = {
    1: "MEM_LOADER", 2: "MEM_LOADER", 3: "MEM_BOOT_SERVICES", 4: "MEM_BOOT_SERVICES", 5: "MEM_RUNTIME_CODE",
    6: "MEM_RUNTIME_DATA", 7: "MEM_USABLE", 9: "MEM_ACPI_RECLAIM", 10: "MEM_ACPI_NVS", 11: "MEM_MMIO", 12: "MEM_MMIO",
}
# What the direct map holds, weakest claim first, and what it never holds.
RAM = ("MEM_USABLE", "MEM_BOOT_SERVICES", "MEM_LOADER", "MEM_LOW", "MEM_ACPI_RECLAIM", "MEM_ACPI_NVS",
       "MEM_RUNTIME_DATA", "MEM_RUNTIME_CODE", "MEM_INITRD", "MEM_TABLES", "MEM_IMAGE")
NOT_RAM = ("MEM_MMIO", "MEM_RESERVED", "MEM_FRAMEBUFFER")
STRENGTH = {name: index for index, name in enumerate(RAM[:8] + NOT_RAM + RAM[8:])}


@dataclasses.dataclass(frozen=True)
class Range:
    """[start, end) of one type."""

    start: int
    end: int
    kind: str

    @property
    def ram(self) -> bool:
        return self.kind in RAM

    def __str__(self) -> str:
        return f"[{self.start:#x}, {self.end:#x}) {self.kind}"


def descriptors(raw: bytes, step: int) -> list[tuple[int, int, int, int]]:
    """Return (type, start, pages, attribute) of each EFI_MEMORY_DESCRIPTOR."""
    found = []
    for offset in range(0, len(raw) - step + 1, step):
        kind, start, _, pages, attribute = struct.unpack_from("<I4xQQQQ", raw, offset)
        found.append((kind, start, pages, attribute))
    return found


def type_name(kind: int, attribute: int) -> str:
    """Return what memory of this type is, with these attributes."""
    name = TYPES.get(kind, "MEM_RESERVED")
    if name in RAM and attribute and not attribute & ATTRIBUTE_WB:
        return "MEM_RESERVED"
    if name == "MEM_USABLE" and attribute & ATTRIBUTE_SPECIAL:
        return "MEM_RESERVED"
    if name == "MEM_BOOT_SERVICES" and attribute & ATTRIBUTE_RUNTIME:
        return "MEM_RUNTIME_CODE" if kind == 3 else "MEM_RUNTIME_DATA"
    return name


def firmware_claims(raw: bytes, step: int, address_bits: int) -> list[Range]:
    """Return the firmware's map, in its own order, as ranges of whole pages below the CPU's physical address limit."""
    claims = []
    for kind, start, pages, attribute in descriptors(raw, step):
        name = type_name(kind, attribute)
        end = min(start + pages * PAGE, 1 << address_bits)
        if name in RAM:  # RAM shrinks to whole pages, anything else grows
            start, end = start + PAGE - 1, end
        else:
            start, end = start, end + PAGE - 1
        start, end = start // PAGE * PAGE, end // PAGE * PAGE
        if start < end:
            claims.append(Range(start, end, name))
        if name in RAM[:3] and start < min(end, LOW_END):
            claims.append(Range(start, min(end, LOW_END), "MEM_LOW"))
    return claims


def loader_claims(info: BootInfo) -> list[Range]:
    """Return what the loader knows better than the firmware, from the fields of the handoff."""
    def pages(start: int, size: int, kind: str) -> Range:
        return Range(start // PAGE * PAGE, -(-(start + size) // PAGE) * PAGE, kind)

    claims = [pages(pa, count * PAGE, "MEM_IMAGE") for _, pa, count, _ in info.segments()]
    claims.append(pages(info.tables, (info.table_frames + info.table_spare) * PAGE, "MEM_TABLES"))
    if info.initrd_size:
        claims.append(pages(info.initrd, info.initrd_size, "MEM_INITRD"))
    if info.initrd_outside_size:
        claims.append(pages(info.initrd_outside, info.initrd_outside_size, "MEM_INITRD"))
    if info.field("framebuffer.width", "I"):
        claims.append(pages(info.field("framebuffer.pa"), info.field("framebuffer.size"), "MEM_FRAMEBUFFER"))
    return claims


def resolve(claims: list[Range]) -> list[Range]:
    """Return sorted ranges without overlap: the strongest claim wins each piece; neighbours of one type are joined."""
    cuts = sorted({edge for claim in claims for edge in (claim.start, claim.end)})
    result: list[Range] = []
    for start, end in zip(cuts, cuts[1:]):
        kinds = [claim.kind for claim in claims if claim.start <= start and claim.end >= end]
        if not kinds:
            continue
        kind = max(kinds, key=STRENGTH.__getitem__)
        if result and result[-1].end == start and result[-1].kind == kind:
            result[-1] = Range(result[-1].start, end, kind)
        else:
            result.append(Range(start, end, kind))
    return result


def handed_over(raw: bytes) -> list[Range]:
    """Return the memory map as the loader gives it to the kernel."""
    names = {number(name): name for name in STRENGTH}
    ranges = []
    for start, end, kind in struct.iter_unpack("<3Q", raw):
        ranges.append(Range(start, end, names.get(kind, f"type {kind}")))
    return ranges
