"""`ankeos tasks`: every task, and where it waits."""

from __future__ import annotations

import gdb
from ankeos import kernel
from ankeos.command import Command
from contract import layout

LETTERS = {"TASK_NEW": "N", "TASK_RUNNABLE": "R", "TASK_BLOCKED": "S", "TASK_STOPPED": "T", "TASK_DEAD": "X"}


def function_at(address: int) -> gdb.Symbol | None:
    """The function, perhaps an inlined one, that a kernel address is in; blocks within it have none of their own."""
    block = gdb.block_for_pc(address)
    while block is not None and block.function is None:
        block = block.superblock
    return block.function if block is not None else None


def place(address: int) -> str:
    """The function and line of a kernel address."""
    function = function_at(address)
    found = gdb.find_pc_line(address)
    if function is None or found.symtab is None:
        return f"{address:#x}"
    return f"{function.name} at {found.symtab.filename}:{found.line}"


def waits_in(task: gdb.Value) -> str:
    """The first function on its stack that is not the scheduler's."""
    word = gdb.lookup_type("unsigned long")
    switched = task["sp"].cast(gdb.lookup_type("struct switch_frame").pointer())
    frame_pointer, address = int(switched["rbp"]), int(switched["rip"])
    while True:
        function = function_at(address - 1)
        source = function.symtab.filename if function else ""
        if not source.endswith(("task/sched.c", "task/task.c")) or frame_pointer < layout()["HEAP_BASE"]:
            return place(address - 1)
        frame = gdb.Value(frame_pointer).cast(word.pointer())
        frame_pointer, address = int(frame[0]), int(frame[1])


class Tasks(Command):
    """List all tasks: number, process, state, context, user pages, name, and where one that waits does so.

    The letter is * for the one that has the CPU, else R ready, S blocked, T stopped, N new, X dead, Z zombie.
    Usage: ankeos tasks
    """

    name = "tasks"

    def run(self, words: list[str]) -> None:
        self.expect(words, 0, 0)
        current = kernel.current_task()
        if current is None:
            raise gdb.GdbError("there are no tasks yet")
        gdb.write("  tid   pid  S        context      pages  name             waits in\n")
        for task in kernel.tasks():
            running = int(task) == int(current)
            process = task["process"]
            space = process["space"] if int(process) else None
            root = gdb.parse_and_eval("kernel_context.space.root.raw")
            if space is not None and int(space):
                root = space["context"]["space"]["root"]["raw"]
            pages = int(space["resident_pages"]) if space is not None and int(space) else 0
            state = "*" if running else LETTERS.get(str(task["state"]), "?")
            where = waits_in(task) if state in "ST" else ""
            pid = int(process["pid"]) if int(process) else 0
            line = (f"{int(task['tid']):5} {pid:5}  {state}  {int(root):#14x} {pages:10}  "
                    f"{kernel.text(task['name']):<16} {where}")
            gdb.write(line.rstrip() + "\n")
        for process in kernel.processes():
            if process["zombie"]:
                gdb.write(f"    - {int(process['pid']):5}  Z  ended with status {int(process['status']):#x}, "
                          "not waited for\n")


Tasks()
