"""The guest's memory, by virtual and by physical address, whatever context is loaded.

Physical memory comes from QEMU (its packet Qqemu.PhyMemMode). Another stub has no such thing: then it is read through
the direct map, which is there while the kernel context is loaded.
"""

from __future__ import annotations

import re

import gdb
from contract import layout

PAGE = 4096
ROOT_MASK = 0x000F_FFFF_FFFF_F000


def virtual(address: int, size: int) -> bytes:
    """Memory as the loaded context shows it; gdb.MemoryError where nothing is mapped."""
    return gdb.selected_inferior().read_memory(address, size).tobytes()


def _set_physical(wanted: bool) -> bool:
    """Whether the stub has done it."""
    connection = gdb.selected_inferior().connection
    if not isinstance(connection, gdb.RemoteTargetConnection):
        raise gdb.GdbError("no machine: `target remote` first")
    return connection.send_packet(f"Qqemu.PhyMemMode:{int(wanted)}") == b"OK"


def physical(address: int, size: int) -> bytes:
    """Physical memory. gdb.GdbError: neither QEMU nor the direct map can show it."""
    if _set_physical(True):
        try:
            return virtual(address, size)
        finally:
            _set_physical(False)
    base, top = layout()["HHDM_BASE"], layout()["HHDM_SIZE"]
    if address + size > top:
        raise gdb.GdbError(f"physical address {address:#x} is beyond the direct map")
    try:
        return virtual(base + address, size)
    except gdb.MemoryError as error:
        raise gdb.GdbError(f"physical address {address:#x}: this stub reads it in the kernel context only") from error


def register(name: str) -> int:
    """A register of the machine, whatever frame is selected."""
    frame = gdb.newest_frame()
    return int(frame.read_register(name).cast(gdb.lookup_type("unsigned long")))


def loaded_root() -> int:
    """The physical address of the PML4 in CR3."""
    return register("cr3") & ROOT_MASK


def load_root(cr3: int) -> None:
    """Put a value into CR3. By the protocol itself: gdb cannot assign to a register that is described as flags."""
    listed = gdb.execute("maintenance print remote-registers", to_string=True)
    found = re.search(r"^ *cr3 .* (\d+) +\d+ *\S*$", listed, re.MULTILINE)
    connection = gdb.selected_inferior().connection
    value = cr3.to_bytes(8, "little").hex()
    if found is None or connection.send_packet(f"P{int(found[1]):x}={value}") != b"OK":
        raise gdb.GdbError("this stub does not let CR3 be set")
    gdb.execute("maintenance flush register-cache", to_string=True)
