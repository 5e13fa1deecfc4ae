"""`ankeos log`: the kernel's last text, as its records hold it."""

from __future__ import annotations

import gdb
from ankeos import kernel
from ankeos.command import Command

SOURCE = "kernel/lib/log.c"


def lines() -> list[str]:
    """The records that are there, oldest first, without levels and times."""
    records, texts = kernel.static(SOURCE, "log_lines"), kernel.static(SOURCE, "log_text")
    content = bytes(gdb.selected_inferior().read_memory(int(texts.address), texts.type.sizeof))
    count = records.type.sizeof // records[0].type.sizeof
    found = []
    for number in range(int(kernel.static(SOURCE, "first_line")), int(kernel.static(SOURCE, "next_line"))):
        record = records[number % count]
        at = int(record["at"]) % len(content)
        found.append((content[at:] + content[:at])[:int(record["size"])].decode("utf-8", "replace"))
    return found


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
