"""`ankeos in`: any gdb command as if another context were loaded."""

from __future__ import annotations

import gdb
from ankeos import kernel, memory
from ankeos.command import Command


class In(Command):
    """Run a gdb command with another context's memory: CR3 is set for it, and set back.

    For a stack or a variable of another process, or the direct map from a system call:
      ankeos in 2 x/s 0x7ffc4d617f00
      ankeos in kernel print *boot_info
      ankeos in 1 backtrace
    Usage: ankeos in kernel|PID|PML4 COMMAND...
    """

    name = "in"

    def run(self, words: list[str]) -> None:
        self.expect(words, 2, 1 << 16)
        raise AssertionError("invoke() has taken it")

    def invoke(self, argument: str, from_tty: bool) -> None:
        word, _, command = argument.strip().partition(" ")
        if not command.strip():
            super().invoke(argument, from_tty)
            return
        frame = gdb.selected_frame().level()
        try:
            root = kernel.context(word).root
        except (gdb.error, gdb.GdbError) as error:
            raise gdb.GdbError(f"ankeos in: {error}") from error
        loaded = memory.register("cr3")
        memory.load_root(root)
        try:
            gdb.execute(f"frame level {frame}", to_string=True)
            gdb.execute(command, from_tty)
        finally:
            gdb.execute("frame level 0", to_string=True)
            memory.load_root(loaded)
            gdb.execute(f"frame level {frame}", to_string=True)


In()
