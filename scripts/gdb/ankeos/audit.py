"""`ankeos audit`: do the live tables of every context keep the rules? Judged by the specification of test/qemu."""

from __future__ import annotations

import gdb
import spec
import walker
from ankeos import kernel
from ankeos.command import Command
from ankeos.frame import memory_map
from contract import layout

ACCESSED = 1 << 5


def user_complaints(walk: walker.Walk, kernel_walk: walker.Walk) -> list[str]:
    """What a user context may not have: anything but user memory and the one shared slot."""
    found = [f"PML4 entry {index}: {entry:#x}" for index, entry in enumerate(walk.root[:511])
             if index >= 256 and entry & walker.PRESENT]
    if walk.root[511] | ACCESSED != kernel_walk.root[511] | ACCESSED:
        found.append(f"slot 511 is {walk.root[511]:#x}, in the kernel context {kernel_walk.root[511]:#x}")
    for leaf in walk.leaves:
        lower = leaf.va < layout()["USER_SIZE"]
        if leaf.user != lower or leaf.glob == lower or (leaf.write and leaf.execute):
            found.append(f"bad rights: {leaf}")
    return found


def kernel_complaints(walk: walker.Walk) -> list[str]:
    """The whole specification of a kernel context."""
    largest = walker.SIZES[int(gdb.parse_and_eval("kernel_context.space.max_leaf"))]
    return spec.check_context(walk, kernel.boot_info(), memory_map(), largest)


class Audit(Command):
    """Check the live tables of every context against the specification of the memory map.

    The rules are those of test/qemu/spec.py: nothing of the kernel's own audit is used.
    Usage: ankeos audit
    """

    name = "audit"

    def run(self, words: list[str]) -> None:
        self.expect(words, 0, 0)
        total = 0
        kernel_walk = None
        for context in kernel.contexts():
            walk = kernel.tables(context.root)
            kernel_walk = kernel_walk or walk
            if context.kind == "other":
                gdb.write(f"{context.name} at {context.root:#x}: the firmware's, no rules of ours\n")
                continue
            found = kernel_complaints(walk) if context.kind == "kernel" else user_complaints(walk, kernel_walk)
            total += len(found)
            gdb.write(f"{context.name}: {len(walk.leaves)} leaves, {len(walk.tables) + 1} tables, "
                      f"{len(found)} complaint{'' if len(found) == 1 else 's'}\n")
            gdb.write("".join(f"  {line}\n" for line in found))
        gdb.write("audit: " + (f"{total} complaints\n" if total else "all rules are kept\n"))


Audit()
