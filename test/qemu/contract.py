"""Read the numbers that headers promise: the map of paging/layout.h, the handoff's structures, the kernel's symbols.

The layout's constants are read from the header's text. Offsets of fields come from the compiler, so that no
second definition of a structure can drift.
"""

from __future__ import annotations

import functools
import os
import re
import struct
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ANKEOS_BUILD", ROOT / "build"))
KERNEL = BUILD / "kernel.elf"

FIELDS = (
    "magic version size flags hhdm hhdm_excess trampoline memmap memmap_count tables table_frames table_spare segments "
    "segment_count framebuffer.pa framebuffer.size framebuffer.width framebuffer.height framebuffer.pitch rsdp smbios "
    "smbios_major efi_system_table efi_map efi_map_size efi_descriptor_size cmdline cmdline_size initrd initrd_size "
    "initrd_outside initrd_outside_size "
    "seed_size seed tsc firmware_tsc"
).split()
ENUMERATORS = (
    "MEM_USABLE MEM_BOOT_SERVICES MEM_LOADER MEM_LOW MEM_ACPI_RECLAIM MEM_ACPI_NVS MEM_RUNTIME_DATA MEM_RUNTIME_CODE "
    "MEM_MMIO MEM_RESERVED MEM_FRAMEBUFFER MEM_INITRD MEM_TABLES MEM_IMAGE STAMP_ENTRY STAMP_INPUT STAMP_MEMORY STAMP_TABLES "
    "STAMP_EXIT STAMP_KERNEL STAMP_COUNT BOOT_LA57_DROPPED BOOT_OPTIONS BOOT_INFO_VERSION PROT_W PROT_X "
    "PAT_VALUE"
).split()


@functools.cache
def layout() -> dict[str, int]:
    """Return HHDM_BASE, HHDM_SIZE, … as the header's text says."""
    text = (ROOT / "paging" / "layout.h").read_text()
    constants = re.findall(r"^#define (\w+_(?:BASE|SIZE)) LAYOUT_U64\((0x[0-9a-f]+)\)$", text, re.MULTILINE)
    return {name: int(value, 16) for name, value in constants}


@functools.cache
def _compiled() -> dict[str, int]:
    """Return offsets, sizes and enumerators, from a program that the compiler made of the headers."""
    lines = [f'P("boot_info.{field}", offsetof(struct boot_info, {field}));' for field in FIELDS]
    lines += [f'P("{name}", {name});' for name in ENUMERATORS]
    lines += [f'P("sizeof.{name}", sizeof(struct {name}));' for name in ("boot_info", "boot_segment", "mem_range")]
    program = "\n".join((
        '#include "kernel/boot/boot_info.h"', '#include "paging/pte.h"', "#include <stdio.h>",
        '#define P(name, value) printf("%s %llu\\n", name, (unsigned long long)(value))',
        "int main(void)", "{", *lines, "return 0;", "}", ""))
    with tempfile.TemporaryDirectory(prefix="ankeos-contract-") as directory:
        binary = f"{directory}/contract"
        subprocess.run(["gcc", "-std=gnu17", f"-I{ROOT}", "-x", "c", "-", "-o", binary], input=program, text=True,
                       check=True)
        output = subprocess.run([binary], capture_output=True, text=True, check=True).stdout
    return {name: int(value) for name, value in (line.split() for line in output.splitlines())}


def number(name: str) -> int:
    """Return the value of an enumerator or macro, "boot_info.FIELD" (its offset) or "sizeof.STRUCT"."""
    return _compiled()[name]


@functools.cache
def symbols() -> dict[str, int]:
    """Return the addresses of the kernel's symbols."""
    output = subprocess.run(["nm", str(KERNEL)], capture_output=True, text=True, check=True).stdout
    return {name: int(value, 16) for value, _, name in (line.split() for line in output.splitlines() if line[0] != " ")}


@functools.cache
def static_address(source: str, variable: str) -> int:
    """Return the address of a variable that only its own file can name."""
    command = f"output/x (unsigned long)&'{source}'::{variable}"
    output = subprocess.run(["gdb", "-nx", "-batch", "-ex", command, str(KERNEL)], capture_output=True, text=True,
                            check=True).stdout
    return int(output, 16)


class BootInfo:
    """The bytes of a struct boot_info, with its fields by name."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def field(self, name: str, form: str = "Q") -> int:
        return struct.unpack_from("<" + form, self.content, number("boot_info." + name))[0]

    def __getattr__(self, name: str) -> int:
        try:
            return self.field(name)
        except KeyError as error:
            raise AttributeError(name) from error

    def stamps(self, name: str) -> tuple[int, ...]:
        """Return the stamps `tsc` or `firmware_tsc` of each phase."""
        return struct.unpack_from(f"<{number('STAMP_COUNT')}Q", self.content, number("boot_info." + name))

    def seed(self) -> bytes:
        start = number("boot_info.seed")
        return self.content[start:start + 32]

    def segments(self) -> list[tuple[int, int, int, int]]:
        """Return (va, pa, pages, prot) of each piece of the kernel image."""
        start = number("boot_info.segments")
        step = number("sizeof.boot_segment")
        return [struct.unpack_from("<4Q", self.content, start + index * step) for index in range(self.segment_count)]
