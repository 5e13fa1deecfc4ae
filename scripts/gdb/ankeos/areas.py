"""`ankeos areas`: what a process may touch, whether it has done so or not."""

from __future__ import annotations

from collections.abc import Iterator

import gdb
from ankeos import kernel
from ankeos.command import Command, number
from ankeos.ranges import size_text

FLAGS = ((1, "shared"), (2, "grows down"), (4, "touched"), (8, "small frames"))


def in_order(node: gdb.Value) -> Iterator[gdb.Value]:
    """The nodes of a subtree (kernel/lib/tree.h), lowest first."""
    if int(node):
        yield from in_order(node["child"][0])
        yield node
        yield from in_order(node["child"][1])


def areas(space: gdb.Value) -> list[gdb.Value]:
    """struct area pointers, lowest first: a node is the area's first member."""
    area = gdb.lookup_type("struct area").pointer()
    return [node.cast(area) for node in in_order(space["areas"]["root"])]


def object_text(area: gdb.Value) -> str:
    """What its pages come from."""
    if not int(area["object"]):
        return "anonymous"
    operations = str(area["object"]["ops"])
    name = operations.split("<")[-1].split(">")[0] if "<" in operations else operations
    return f"{name} from {int(area['offset']) * 4096:#x}"


class Areas(Command):
    """List the areas of a process: range, rights, flags, and what the pages come from.

    Usage: ankeos areas PID
    """

    name = "areas"

    def run(self, words: list[str]) -> None:
        self.expect(words, 1, 1)
        process = kernel.process(number(words[0]))
        space = process["space"]
        if not int(space):
            raise gdb.GdbError(f"process {words[0]} has no memory any more")
        found = areas(space)
        gdb.write(f"process {int(process['pid'])} {kernel.program_path(process)}: {len(found)} areas, "
                  f"{int(space['mapped_pages'])} pages, {int(space['resident_pages'])} of them mapped\n")
        for area in found:
            start, end = int(area["start"]), int(area["end"])
            rights = "".join(letter if int(area["rights"]) & bit else "-" for bit, letter in
                             ((1, "r"), (2, "w"), (4, "x")))
            flags = ", ".join(name for bit, name in FLAGS if int(area["flags"]) & bit)
            line = (f"{start:#018x}-{end - 1:#018x} {size_text(end - start):>10} {rights}  {object_text(area):<32} "
                    f"{flags}")
            gdb.write(line.rstrip() + "\n")
        gdb.write(f"break at {int(space['brk']):#x}, mappings are placed below {int(space['mmap_top']):#x}\n")


Areas()
