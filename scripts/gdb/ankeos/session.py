"""From `target remote` to where the user wants to stand, and at each stop the symbols that fit.

What `make qemu-gdb` was asked for (STOP=) is in the name of the virtual machine, which its monitor tells.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import gdb
from ankeos import kernel, loader, memory, program
from contract import layout

RESET_RIP = 0xFFF0
CR0_PE = 1

_busy = 0


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Within it a stop is a step on a way, and no symbols are looked for."""
    global _busy  # pylint: disable=global-statement
    _busy += 1
    try:
        yield
    finally:
        _busy -= 1


def follow(event: object = None) -> None:
    """Load the symbols that fit to where the machine has stopped. Says what is wrong, and never fails."""
    del event
    if _busy:
        return
    try:
        if kernel.is_there():
            loader.forget_symbols()
            program.follow()
        elif memory.register("cr0") & CR0_PE:
            loader.load_symbols(loader.find_below(memory.register("rip")))
    except loader.NotFound:
        pass  # in the firmware
    except (gdb.error, gdb.MemoryError, gdb.GdbError, OSError) as error:
        gdb.write(f"ankeos: no symbols for what is below the kernel: {error}\n", gdb.STDERR)


def wanted_stop() -> str:
    """What STOP= was: "efi", "kernel" or "none"; "none" as well when nobody knows."""
    try:
        found = re.search(r"\bSTOP=(\w+)", gdb.execute("monitor info name", to_string=True))
    except gdb.error:
        return "none"
    return found[1] if found else "none"


def at_reset() -> bool:
    """Whether not a single instruction has been executed."""
    return memory.register("rip") == RESET_RIP and not memory.register("cr0") & CR0_PE


def start() -> None:
    """After `target remote`: get to the first instruction of what STOP= names, unless the machine is past it."""
    wanted = wanted_stop()
    if at_reset() and wanted == "efi":
        with quietly():
            base = loader.run_to_entry()
        gdb.write(f"stopped at the loader's first instruction, image base {base:#x}\n")
    elif at_reset() and wanted == "kernel":
        with quietly():
            # The page is not mapped before the loader's last step: nothing can be written there.
            loader.run_to(int(gdb.parse_and_eval("(unsigned long)&kernel_entry")))
        gdb.write("stopped at the kernel's first instruction\n")
    follow()
    gdb.execute("frame")
    if memory.register("rip") >= layout()["HHDM_BASE"] and not kernel.is_there():
        gdb.write("ankeos: this is not the kernel of build/kernel.elf\n", gdb.STDERR)


gdb.events.stop.connect(follow)
