"""The kernel's own data, read with the types of its debugging information.

All of it lies in slot 511, which every context has; only what a comment names lies elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import contract
import gdb
import walker
from ankeos import memory
from contract import layout

# The widest that the architecture knows: the guest's own number is not to be believed while it is debugged.
PHYSICAL_BITS = 52
EFER_NXE = 1 << 11
LIST_LIMIT = 1 << 20  # a list that is longer goes in a circle


def is_there() -> bool:
    """Whether the kernel's image is mapped in the loaded context: before the loader's last step it is not."""
    try:
        text = gdb.parse_and_eval("(unsigned long)&image_text")
        memory.virtual(int(text), 1)
    except (gdb.error, gdb.MemoryError):
        return False
    return True


def static(source: str, name: str) -> gdb.Value:
    """A variable that only its own file can name."""
    return gdb.parse_and_eval(f"'{source}'::{name}")


def chain(first: gdb.Value, link: str) -> Iterator[gdb.Value]:
    """The pointers of a list that ends with NULL."""
    seen = 0
    while int(first):
        yield first
        first = first[link]
        seen += 1
        if seen > LIST_LIMIT:
            raise gdb.GdbError(f"a list by `{link}` does not end")


def text(pointer: gdb.Value) -> str:
    """A C string, or an array of characters up to its NUL."""
    return pointer.string("utf-8", errors="replace") if int(pointer.address or pointer) else ""


def entries(node: gdb.Value) -> Iterator[gdb.Value]:
    """What a radix tree (kernel/lib/radix.h) holds below that node, as void pointers, by number."""
    if not int(node):
        return
    used, inner = int(node["used"]), int(node["shift"]) > 0
    for index in range(used.bit_length()):
        if used >> index & 1:
            slot = node["slots"][index]
            if inner:
                yield from entries(slot.cast(node.type))
            else:
                yield slot


def numbers() -> Iterator[gdb.Value]:
    """struct number pointers, each of them a task's, a process's, a group's or a session's."""
    number = gdb.lookup_type("struct number").pointer()
    for entry in entries(static("kernel/task/number.c", "numbers")["root"]):
        yield entry.cast(number)


def tasks() -> list[gdb.Value]:
    """struct task pointers, by tid."""
    return [number["task"] for number in numbers() if int(number["task"])]


def processes() -> list[gdb.Value]:
    """struct process pointers, by pid; zombies too."""
    return [number["process"] for number in numbers() if int(number["process"])]


def process(pid: int) -> gdb.Value:
    """The process with that pid."""
    for one in processes():
        if int(one["pid"]) == pid:
            return one
    raise gdb.GdbError(f"no process {pid}; `ankeos tasks` lists them")


def current_task() -> gdb.Value | None:
    """The task that the CPU is in; None before there are tasks."""
    task = gdb.parse_and_eval("percpu.current")
    return task if int(task) else None


@dataclasses.dataclass(frozen=True)
class Context:
    """A PML4 and what the kernel says it is."""

    root: int
    name: str
    kind: str  # "kernel", "user" or "other"


def program_path(process: gdb.Value) -> str:
    """The path of the program that a process runs, in the tree that its file system is; "" when it has none."""
    node = process["program"]
    names: list[str] = []
    while int(node):
        entry = node.cast(gdb.lookup_type("struct tmpfs_node").pointer())["names"]
        if not int(entry):
            break
        text = entry["text"].address.cast(gdb.lookup_type("char").pointer())
        names.insert(0, text.string(length=int(entry["size"])))
        node = entry["dir"]
    return "".join("/" + name for name in names)


def contexts() -> list[Context]:
    """All contexts, the kernel's first."""
    names = {}
    for one in processes():
        if int(one["space"]):
            root = int(one["space"]["context"]["space"]["root"]["raw"])
            names.setdefault(root, []).append(f"{int(one['pid'])} {program_path(one) or '?'}")
    found = [Context(int(gdb.parse_and_eval("kernel_context.space.root.raw")), "the kernel context", "kernel")]
    for one in chain(static("kernel/mm/space/context.c", "others"), "next"):
        root = int(one["space"]["root"]["raw"])
        if root in names:
            found.append(Context(root, "user context of " + ", ".join(names[root]), "user"))
        else:
            found.append(Context(root, "a context of no process", "other"))
    return found


def context(word: str | None) -> Context:
    """The one that a user means: nothing is the loaded one, `kernel`, a pid, or a PML4's address."""
    if word is None:
        return context_at(memory.loaded_root())
    if word == "kernel":
        return contexts()[0]
    value = int(gdb.parse_and_eval(word))
    if value and value % memory.PAGE == 0:
        return context_at(value)
    space = process(value)["space"]
    if not int(space):
        raise gdb.GdbError(f"process {value} has no memory any more")
    return context_at(int(space["context"]["space"]["root"]["raw"]))


def context_at(root: int) -> Context:
    """The context with that PML4; one that the kernel does not know is told as such."""
    if is_there():
        for one in contexts():
            if one.root == root:
                return one
    return Context(root, f"the tables at {root:#x}", "other")


def tables(root: int) -> walker.Walk:
    """All that hangs from the PML4 at `root`."""
    nxe = bool(memory.register("efer") & EFER_NXE)
    return walker.walk(memory.physical, root, physical_bits=PHYSICAL_BITS, pat=contract.number("PAT_VALUE"), nxe=nxe)


def boot_info() -> contract.BootInfo:
    """The handoff, which lies in the direct map."""
    pointer = int(gdb.parse_and_eval("boot_info"))
    if not pointer:
        raise gdb.GdbError("the kernel has not read its boot_info yet")
    return contract.BootInfo(memory.physical(pointer - layout()["HHDM_BASE"], contract.number("sizeof.boot_info")))
