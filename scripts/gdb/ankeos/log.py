"""`ankeos log`: the kernel's last text, as its ring holds it."""

from __future__ import annotations

import gdb
from ankeos import kernel
from ankeos.command import Command

SOURCE = "kernel/lib/log.c"


def lines() -> list[str]:
    """What the ring holds, from the oldest whole line on."""
    ring, end = kernel.static(SOURCE, "ring"), int(kernel.static(SOURCE, "ring_end"))
    size = ring.type.sizeof
    content = bytes(gdb.selected_inferior().read_memory(int(ring.address), size))
    at = end % size
    text = content[:end] if end <= size else (content[at:] + content[:at]).split(b"\n", 1)[-1]
    return text.decode("utf-8", "replace").splitlines()


class Log(Command):
    """Print the kernel's log, or its last lines.

    Usage: ankeos log [LINES]
    """

    name = "log"

    def run(self, words: list[str]) -> None:
        self.expect(words, 0, 1)
        found = lines()
        if words:
            found = found[-int(words[0]):]
        gdb.write("".join(line + "\n" for line in found))


Log()
