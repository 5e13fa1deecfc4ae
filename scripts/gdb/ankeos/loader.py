"""The loader's symbols at its real image base, wherever the firmware has put it.

The firmware itself tells what it has loaded (UEFI 2.10, "EFI Debug Support Table"): a pointer on a multiple of 4 MiB
leads to the system table, from there to a list of images. Where that cannot be found, for instance on the firmware of
another maker, the image that the CPU is in is looked for by its PE headers, from RIP downward.
"""

from __future__ import annotations

import functools
import re
import struct
import threading
import uuid

import gdb
from ankeos import memory
from contract import BUILD

SYMBOLS = BUILD / "loader.so"
IMAGE = BUILD / "loader.efi"

ALIGNMENT = 4 << 20
SIGNATURE = b"IBI SYST"
DEBUG_TABLE = uuid.UUID("49152e77-1ada-4764-b7a2-7afefed95e8b").bytes_le
# Offsets in EFI_SYSTEM_TABLE, EFI_DEBUG_IMAGE_INFO_NORMAL and EFI_LOADED_IMAGE_PROTOCOL (UEFI 2.10).
TABLE_COUNT, INFO_PROTOCOL, PROTOCOL_BASE = 104, 8, 64
IMAGES_LIMIT = 4096

SEARCH_BELOW = 16 << 20  # bytes below RIP in which the headers may be
ENTRY_BYTES = 16  # compared at the entry point: enough, since its address has to fit too
POLL_SECONDS = 0.05


class NotFound(Exception):
    """The firmware has no such table (yet), or no such image in it."""


def entry_of(image: bytes) -> int:
    """AddressOfEntryPoint of PE headers; -1 when they are none."""
    if image[:2] != b"MZ" or len(image) < 64:
        return -1
    start, = struct.unpack_from("<I", image, 60)
    if start + 44 > len(image) or image[start:start + 4] != b"PE\0\0":
        return -1
    return struct.unpack_from("<I", image, start + 40)[0]


@functools.cache
def _entry() -> tuple[int, bytes]:
    """Where in the image the loader starts, and with which instructions, as its file says."""
    content = IMAGE.read_bytes()
    entry = entry_of(content)
    start, = struct.unpack_from("<I", content, 60)
    count, optional = struct.unpack_from("<H12xH", content, start + 6)
    for index in range(count):
        size, address, _, offset = struct.unpack_from("<IIII", content, start + 24 + optional + 40 * index + 8)
        if address <= entry < address + size:
            place = offset + entry - address
            return entry, content[place:place + ENTRY_BYTES]
    raise gdb.GdbError(f"{IMAGE}: its entry point {entry:#x} lies in no section")


def is_loader(base: int) -> bool:
    """Whether the image at that physical address is ours."""
    entry, instructions = _entry()
    if entry_of(memory.physical(base, 1024)) != entry:
        return False
    # The very first byte may be a breakpoint's.
    return memory.physical(base + entry + 1, ENTRY_BYTES - 1) == instructions[1:]


# ---- the firmware's own list ----


def find_debug_table(top: int) -> int:
    """The address of EFI_DEBUG_IMAGE_INFO_TABLE_HEADER; `top`: where to stop looking."""
    for address in range(ALIGNMENT, top, ALIGNMENT):
        try:
            signature, system = struct.unpack("<8sQ", memory.physical(address, 16))
        except gdb.MemoryError:
            continue
        if signature == SIGNATURE:
            count, tables = struct.unpack("<QQ", memory.physical(system + TABLE_COUNT, 16))
            for index in range(min(count, IMAGES_LIMIT)):
                name, table = struct.unpack("<16sQ", memory.physical(tables + 24 * index, 24))
                if name == DEBUG_TABLE:
                    return table
    raise NotFound


def find_in_list(header: int) -> int:
    """The base of the loader's image, from the list of images."""
    _, count, entries = struct.unpack("<IIQ", memory.physical(header, 16))
    for index in reversed(range(min(count, IMAGES_LIMIT))):
        info, = struct.unpack("<Q", memory.physical(entries + 8 * index, 8))
        if not info:
            continue
        protocol, = struct.unpack("<Q", memory.physical(info + INFO_PROTOCOL, 8))
        if protocol:
            base, = struct.unpack("<Q", memory.physical(protocol + PROTOCOL_BASE, 8))
            if is_loader(base):
                return base
    raise NotFound


# ---- where RIP is ----


def find_below(address: int) -> int:
    """The base of the loader's image, when `address` is in it."""
    page = address & ~(memory.PAGE - 1)
    for base in range(page, max(page - SEARCH_BELOW, 0), -memory.PAGE):
        try:
            if memory.physical(base, 2) == b"MZ" and is_loader(base):
                return base
        except gdb.MemoryError:
            break
    raise NotFound


# ---- symbols ----

_loaded_at: int | None = None


def load_symbols(base: int) -> None:
    """Put the loader's symbols where its image is."""
    global _loaded_at  # pylint: disable=global-statement
    if _loaded_at == base:
        return
    forget_symbols()
    gdb.execute(f"add-symbol-file {SYMBOLS} -o {base:#x}", to_string=True)
    _loaded_at = base
    gdb.write(f"loader: image base {base:#x}, symbols from {SYMBOLS.name}\n")


def forget_symbols() -> None:
    """The loader is gone: its addresses will mean something else."""
    global _loaded_at  # pylint: disable=global-statement
    if _loaded_at is not None:
        _loaded_at = None
        gdb.execute(f"remove-symbol-file {SYMBOLS}", to_string=True)


# ---- getting there ----


def _interrupt() -> None:
    gdb.post_event(lambda: gdb.execute("interrupt"))


def run_for(seconds: float) -> None:
    """Let the machine run for about that long."""
    timer = threading.Timer(seconds, _interrupt)
    timer.start()
    try:
        gdb.execute("continue", to_string=True)
    finally:
        timer.cancel()
        timer.join()


def run_to(address: int) -> None:
    """Let the machine run up to the instruction at that address, whether it is mapped already or not."""
    there = gdb.Breakpoint(f"*{address:#x}", gdb.BP_HARDWARE_BREAKPOINT, internal=True)
    there.silent = True
    try:
        gdb.execute("continue", to_string=True)
    finally:
        there.delete()
    if memory.register("rip") != address:
        raise gdb.GdbError(f"stopped on the way to {address:#x}")


def ram_top() -> int:
    """Where to stop looking: firmware puts the pointer into RAM below 4 GiB, which it has first."""
    found = re.search(r"base memory: (\d+)", gdb.execute("monitor info memory_size_summary", to_string=True))
    return min(int(found[1]) if found else 1 << 32, 1 << 32)


def run_to_entry() -> int:
    """From the reset vector to the loader's first instruction; its image base, with the symbols loaded."""
    top = ram_top()
    while True:
        run_for(POLL_SECONDS)
        try:
            header = find_debug_table(top)
            break
        except NotFound:
            pass
    # The first word of the header changes when an image has been added.
    watch = gdb.Breakpoint(f"*(unsigned int *) {header:#x}", gdb.BP_WATCHPOINT, gdb.WP_WRITE, internal=True)
    watch.silent = True
    try:
        while True:
            try:
                base = find_in_list(header)
                break
            except NotFound:
                gdb.execute("continue", to_string=True)
    finally:
        watch.delete()
    load_symbols(base)
    run_to(base + _entry()[0])
    return base
