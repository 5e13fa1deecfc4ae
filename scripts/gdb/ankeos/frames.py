"""Backtraces say which system call or trap it is that stands between the kernel and what it interrupted."""

from __future__ import annotations

from collections.abc import Iterator

import gdb
from ankeos import kernel
from gdb.FrameDecorator import FrameDecorator

# What kernel/arch/trap_entry.S and kernel/sys/syscall_entry.S leave on the stack between a struct trap_frame and its calls.
CALL_PAD = 8
VECTOR, ERROR = 16, 17  # words of struct trap_frame


def trap_words(frame: gdb.Frame, routine: str) -> tuple[int, int] | None:
    """Vector and error code that the entry code has pushed; None while it is still pushing."""
    if frame.level() == 0:
        return None
    register, pad = ("rbx", 0) if routine == "trap_own_stack" else ("rsp", CALL_PAD)
    word = gdb.lookup_type("unsigned long").pointer()
    words = gdb.Value(int(frame.read_register(register)) + pad).cast(word)
    return int(words[VECTOR]), int(words[ERROR])


class Entry(FrameDecorator):
    """The entry code's frame, with what came in."""

    def function(self) -> str:
        frame = self.inferior_frame()
        name = frame.name() or "??"
        words = trap_words(frame, name)
        if words is None:
            return name
        vector, error = words
        if name == "syscall_entry":
            return f"<system call {error} {call_name(error)}>"
        return f"<{trap_text(vector)}>"


class Unknown(FrameDecorator):
    """A frame of the firmware, or of a program without symbols. Where a filter has run, gdb would show no name at all."""

    def function(self) -> str:
        return "??"


def call_name(number: int) -> str:
    """The kernel's name of a system call, without sys_."""
    functions = gdb.parse_and_eval("syscall_functions")
    if number > functions.type.range()[1]:
        return "(no such call)"
    return str(functions[number]).split("<sys_")[-1].rstrip(">")


def trap_text(vector: int) -> str:
    """The names that the kernel prints."""
    names = gdb.parse_and_eval("trap_name::names")
    if vector <= names.type.range()[1] and int(names[vector]):
        return kernel.text(names[vector])
    return f"interrupt {vector}"


class Filter:
    """gdb's interface for changing how frames are shown."""

    def __init__(self) -> None:
        self.name, self.priority, self.enabled = "ankeos", 100, True
        gdb.frame_filters[self.name] = self

    def filter(self, frames: Iterator[FrameDecorator]) -> Iterator[FrameDecorator]:
        """Decorate the entry code's frames."""
        for one in frames:
            if one.inferior_frame().type() == gdb.SIGTRAMP_FRAME:
                yield Entry(one)
            else:
                yield one if one.inferior_frame().name() else Unknown(one)


Filter()
