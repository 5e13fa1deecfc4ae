"""Read the kernel's state out of a stopped machine: its registers, its tables, the handoff, the memory maps."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import contract
import firmware_map
import spec
import walker
from machine import Machine

CR0_WP, CR0_PG = 1 << 16, 1 << 31
CR4_PGE, CR4_UMIP, CR4_LA57, CR4_SMEP, CR4_SMAP = 1 << 7, 1 << 11, 1 << 12, 1 << 20, 1 << 21
EFER_LMA, EFER_NXE = 1 << 10, 1 << 11
MSR_PAT = 0x277


class Guest:
    """One look at a machine; the look stops the machine, which stays stopped."""

    def __init__(self, machine: Machine, pat: int | None = None) -> None:
        """Stop the machine. `pat`: the memory types to assume, instead of those in the CPU's register."""
        machine.stop()
        self.machine = machine
        self.registers = machine.registers()
        self.pat = read_pat(machine) if pat is None else pat
        self.physical_bits = machine.config.address_bits()
        self.root = self.registers["CR3"] & ~0xFFF
        self.walk = self.walk_from(self.root)
        pointer = struct.unpack("<Q", self.read_virtual(contract.symbols()["boot_info"], 8))[0]
        self.info = contract.BootInfo(self.read_virtual(pointer, contract.number("sizeof.boot_info")))
        self.info_va = pointer

    def walk_from(self, root: int) -> walker.Walk:
        return walker.walk(self.machine.read, root, physical_bits=self.physical_bits, pat=self.pat,
                           nxe=bool(self.registers["EFER"] & EFER_NXE))

    def read_virtual(self, va: int, size: int) -> bytes:
        """Read kernel memory; the range must lie in one leaf or in leaves that continue each other."""
        return self.machine.read(self.walk.translate(va), size)

    def memmap(self) -> list[firmware_map.Range]:
        """Return the map that the loader handed over."""
        size = self.info.memmap_count * contract.number("sizeof.mem_range")
        return firmware_map.handed_over(self.machine.read(self.info.memmap, size))

    def firmware_claims(self) -> list[firmware_map.Range]:
        raw = self.machine.read(self.info.efi_map, self.info.efi_map_size)
        return firmware_map.firmware_claims(raw, self.info.efi_descriptor_size, self.physical_bits)

    def expected_memmap(self) -> list[firmware_map.Range]:
        """Return what the handed-over map should be, computed from the firmware's own."""
        return firmware_map.resolve(self.firmware_claims() + firmware_map.loader_claims(self.info))

    def largest_page(self) -> int:
        """Return the size of the largest page: of the CPU models that the tests use only `max` can have 1 GiB pages."""
        name, *features = self.machine.config.cpu.split(",")
        return 1 << 30 if name == "max" and "pdpe1gb=off" not in features else 1 << 21

    def complaints(self) -> list[str]:
        """Return whatever is wrong with the handed-over map and the live tables."""
        found, wanted = self.memmap(), self.expected_memmap()
        wrong = [f"memory map: {'unexpected' if r in found else 'missing'} {r}"
                 for r in sorted_difference(found, wanted)]
        return wrong + spec.check_context(self.walk, self.info, wanted, self.largest_page())


    def image_complaints(self) -> list[str]:
        """Check that read-only memory holds the bytes of the kernel's file, and those that the kernel puts there."""
        complaints = []
        patches = smap_patches() if self.registers["CR4"] & CR4_SMAP else {}
        for va, content, _, flags in elf_loads(contract.KERNEL):
            memory = b"".join(self.read_virtual(va + at, 4096) for at in range(0, len(content), 4096))[:len(content)]
            wanted = bytearray(content)
            for at, code in patches.items():
                if va <= at < va + len(content):
                    wanted[at - va:at - va + len(code)] = code
            if not flags & 2 and memory != wanted:
                first = next(at for at in range(len(wanted)) if memory[at] != wanted[at])
                complaints.append(f"image: {va + first:#x} of the segment at {va:#x} holds {memory[first]:#04x} "
                                  f"and not {wanted[first]:#04x} as its file")
        return complaints


def smap_patches() -> dict[int, bytes]:
    """Return what kernel/arch/smap.c writes into the text on a CPU with SMAP: STAC or CLAC, by address."""
    symbols, loads = contract.symbols(), elf_loads(contract.KERNEL)

    def words(va: int, count: int) -> tuple[int, ...]:
        start, content = next((start, content) for start, content, _, _ in loads if start <= va < start + len(content))
        return struct.unpack_from(f"<{count}Q", content, va - start)

    count, = words(symbols["smap_site_count"], 1)
    sites = words(symbols["smap_sites"], 2 * count)
    return {at: b"\x0f\x01\xca" if clears else b"\x0f\x01\xcb" for at, clears in zip(sites[::2], sites[1::2])}


def sorted_difference(left: list[firmware_map.Range], right: list[firmware_map.Range]) -> list[firmware_map.Range]:
    """Return what only one of the two lists has."""
    return sorted(set(left) ^ set(right), key=lambda r: r.start)


def elf_loads(path: Path) -> list[tuple[int, bytes, int, int]]:
    """Return (va, file bytes, bytes in memory, flags) of each PT_LOAD of a 64-bit ELF file."""
    content = path.read_bytes()
    offset, = struct.unpack_from("<Q", content, 32)
    step, count = struct.unpack_from("<HH", content, 54)
    loads = []
    for index in range(count):
        kind, flags, start, va, _, file_size, size, _ = struct.unpack_from("<IIQQQQQQ", content, offset + index * step)
        if kind == 1:
            loads.append((va, content[start:start + file_size], size, flags))
    return loads


def read_msr(machine: Machine, msr: int) -> int:
    """Have the stopped CPU execute one RDMSR, and put its registers back as they were.

    QEMU shows no MSR to the outside. Any bytes 0F 32 in the kernel's text are that instruction.
    """
    va, text, _, _ = next(load for load in elf_loads(contract.KERNEL) if load[3] & 1)
    rdmsr = va + text.index(b"\x0f\x32")
    commands = (
        "set $saved_rip = $rip", "set $saved_rax = $rax", "set $saved_rcx = $rcx", "set $saved_rdx = $rdx",
        f"set $rip = {rdmsr:#x}", f"set $rcx = {msr:#x}", "stepi",
        'printf "msr %x %x at %lx\\n", (unsigned)$rdx, (unsigned)$rax, $rip',
        "set $rip = $saved_rip", "set $rax = $saved_rax", "set $rcx = $saved_rcx", "set $rdx = $saved_rdx")
    # On a host under load gdb sometimes gives up before QEMU answers, or steps another CPU. The registers are as before
    # then, so try again.
    for _ in range(3):
        output = machine.gdb(*commands)
        match = re.search(r"^msr ([0-9a-f]+) ([0-9a-f]+) at ([0-9a-f]+)$", output, re.MULTILINE)
        if match is not None and int(match[3], 16) == rdmsr + 2:
            break
    if match is None or int(match[3], 16) != rdmsr + 2:
        raise machine.failure(f"RDMSR could not be run: {output}")
    return int(match[1], 16) << 32 | int(match[2], 16)


def read_pat(machine: Machine) -> int:
    return read_msr(machine, MSR_PAT)
