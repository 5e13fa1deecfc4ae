"""`ankeos map`: what a context maps now."""

from __future__ import annotations

import dataclasses

import gdb
import walker
from ankeos import kernel
from ankeos.command import Command
from ankeos.ranges import PAGE_NAMES, range_name, rights_text, size_text


@dataclasses.dataclass
class Run:
    """Leaves that follow each other, with the same rights, in one range of the map."""

    start: int
    end: int
    rights: str
    memory: str
    name: str
    sizes: dict[int, int]

    def takes(self, leaf: walker.Leaf) -> bool:
        """Whether the leaf continues it; physical addresses do not matter."""
        return (leaf.va == self.end and rights_text(leaf) == self.rights and leaf.memory == self.memory
                and range_name(leaf.va) == self.name)

    def line(self) -> str:
        """One line of the table."""
        leaves = " ".join(f"{PAGE_NAMES[size]}:{count}" for size, count in sorted(self.sizes.items(), reverse=True))
        return (f"{self.start:#018x}-{self.end - 1:#018x} {size_text(self.end - self.start):>10} {self.rights:<5} "
                f"{self.memory:<3} {leaves:<19} {self.name}")


def runs(leaves: list[walker.Leaf]) -> list[Run]:
    """The leaves, merged."""
    found: list[Run] = []
    for leaf in leaves:
        if not found or not found[-1].takes(leaf):
            found.append(Run(leaf.va, leaf.va, rights_text(leaf), leaf.memory, range_name(leaf.va), {}))
        run = found[-1]
        run.end += leaf.size
        run.sizes[leaf.size] = run.sizes.get(leaf.size, 0) + 1
    return found


class Map(Command):
    """Show what a context maps, from its live tables, merged and named by the ranges of the map.

    Without an argument the loaded context; else `kernel`, a pid, or the physical address of a PML4.
    Usage: ankeos map [kernel|PID|PML4]
    """

    name = "map"

    def run(self, words: list[str]) -> None:
        self.expect(words, 0, 1)
        context = kernel.context(words[0] if words else None)
        walk = kernel.tables(context.root)
        gdb.write(f"{context.name}, PML4 at {context.root:#x}\n")
        for run in runs(walk.leaves):
            gdb.write(run.line() + "\n")
        gdb.write(f"page tables: {len(walk.tables) + 1} frames, {size_text((len(walk.tables) + 1) * 4096)}\n")


Map()
