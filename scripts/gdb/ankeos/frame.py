"""`ankeos frame`: who has a frame of physical memory."""

from __future__ import annotations

import firmware_map
import contract
import gdb
import walker
from ankeos import kernel, memory
from ankeos.command import Command, number
from ankeos.ranges import range_name, rights_text
from contract import layout


def memory_map() -> list[firmware_map.Range]:
    """The map that the loader handed over."""
    info = kernel.boot_info()
    size = info.memmap_count * contract.number("sizeof.mem_range")
    return firmware_map.handed_over(memory.physical(info.memmap, size))


def uses(address: int, root: int, walk: walker.Walk) -> list[str]:
    """How the tables below `root` reach the frame at `address`, and whether it is one of them."""
    found = ["its PML4"] if address == root else []
    found += [f"a table of level {table.level} for {table.va:#018x}" for table in walk.tables if table.pa == address]
    for leaf in walk.leaves:
        if leaf.pa <= address < leaf.pa + leaf.size:
            va = leaf.va + address - leaf.pa
            found.append(f"{va:#018x} {rights_text(leaf):<5} {leaf.memory:<3} {range_name(va)}")
    return found


class Frame(Command):
    """Show who maps the frame at a physical address, in which contexts, and whether it is a page table.

    What slot 511 has is the same in every context and is told once.
    Usage: ankeos frame ADDRESS
    """

    name = "frame"

    def run(self, words: list[str]) -> None:
        self.expect(words, 1, 1)
        address = number(words[0]) & ~(memory.PAGE - 1)
        kinds = [r.kind for r in memory_map() if r.start <= address < r.end]
        kind = kinds[0].removeprefix("MEM_").lower().replace("_", " ") if kinds else "in no range of the memory map"
        gdb.write(f"frame {address:#x}: {kind} at the handoff\n")
        total = 0
        for context in kernel.contexts():
            walk = kernel.tables(context.root)
            if context.kind == "kernel":
                shared = layout()["HEAP_BASE"]
                upper = walker.Walk(walk.root, [leaf for leaf in walk.leaves if leaf.va >= shared],
                                    [table for table in walk.tables if table.va >= shared])
                total += self.tell("every context", uses(address, -1, upper))
            own = walker.Walk(walk.root, [leaf for leaf in walk.leaves if leaf.va < layout()["HEAP_BASE"]],
                              [table for table in walk.tables if table.va < layout()["HEAP_BASE"]])
            total += self.tell(context.name, uses(address, context.root, own))
        if not total:
            gdb.write("  nobody maps it\n")

    def tell(self, who: str, lines: list[str]) -> int:
        """Print them below their owner; how many."""
        if lines:
            gdb.write(f"  {who}:\n" + "".join(f"    {line}\n" for line in lines))
        return len(lines)


Frame()
