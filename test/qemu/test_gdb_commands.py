"""Test each `ankeos` command in gdb, in a user context and in the kernel's, against what QEMU and the source say."""

import re
import struct

import pytest
from contract import KERNEL, layout
from gdb_session import session
from guest import elf_loads
from test_gdb import CALLS, frames

LINE = re.compile(r"^(0x[0-9a-f]{16})-(0x[0-9a-f]{16}) +[\d.]+ \w+ (\S+) +(\w+) +((?:\d+[KMG]:\d+ ?)+) +(\S.*)$", re.MULTILINE)
HHDM = layout()["HHDM_BASE"]
TEXT = layout()["IMAGE_BASE"]
TEXT_OF_SPIN = 0x401000  # where the second segment of `spin` starts; init maps it, and since a fork its child does
CHILD = 3  # the number of init's child; number 2 was the task that looks for devices
TOUCHED = ("the kernel context", "user context of 1 /init", f"user context of {CHILD} /init")


@pytest.fixture(name="said", scope="module")
def _said():
    """Return what every command printed; a key has "kernel: " before it if the command ran in the kernel context."""
    said = {}

    def ask(*steps):
        """Run all steps in one attach: each has a prefix for the answers, commands to get there, and commands to keep."""
        commands = [command for _, setup, words in steps for command in (*setup, *words)]
        outputs = iter(machine.gdb(*commands, leave="detach")[1:])
        for prefix, setup, words in steps:
            for _ in setup:
                next(outputs)
            said.update({prefix + word: next(outputs) for word in words})
        said["complaints"] = said.get("complaints", "") + machine.complaints

    with session(**CALLS) as machine:
        # Stop at the child's first write to memory that it has from its parent, in its sleep, then in a system call of
        # init.
        ask(("kernel: ", [f"hbreak user_frame_is_sole if percpu.current->tid == {CHILD}", "continue"],
             ["backtrace", f"ankeos in {CHILD} backtrace", "print/x $cr3", "ankeos in 77 backtrace", "ankeos map",
              "ankeos walk 0x401000", "ankeos walk 0x401000 1",
              "ankeos tasks", "ankeos areas 1", "ankeos frame 0x100000", "ankeos log 2", "ankeos audit"]),
            ("", ["delete", "hbreak sleep_until", "continue", "delete", "hbreak sys_getrandom", "continue"],
             ["ankeos map", "ankeos map kernel", f"ankeos map {CHILD}", "ankeos walk 0x401000", "ankeos walk $rip",
              f"ankeos walk {HHDM + 0x100000:#x}", f"ankeos walk {HHDM + 0x100000:#x} kernel", "ankeos tasks",
              "ankeos areas 1", "ankeos log", "ankeos log 2", "ankeos audit", "monitor gva2gpa 0x401000",
              f"monitor gva2gpa {TEXT:#x}", "ankeos areas 77", "ankeos walk", "ankeos map 77",
              "ankeos walk 0x800000000000"]))
        # gdb writes to stderr what a monitor command prints.
        frame, text = re.findall(r"gpa: (0x[0-9a-f]+)", said["complaints"])
        ask(("", [], [f"ankeos frame {frame}", f"ankeos frame {text}", "ankeos frame 0xfee00000"]))
        said["frame of spin"] = frame
        said["of spin"], said["of text"] = said[f"ankeos frame {frame}"], said[f"ankeos frame {text}"]
        said["serial"] = machine.serial()
    return said


def test_maps(said):
    """A user context has user memory and slot 511; the kernel's has direct map, MMIO and the same slot 511."""
    user, kernel, other = (LINE.findall(said[name]) for name in ("ankeos map", "ankeos map kernel", f"ankeos map {CHILD}"))
    assert user and {line[-1] for line in user} == {"user memory", "kernel heap", "kernel image"}, said["ankeos map"]
    assert {line[-1] for line in kernel} == {"direct map (HHDM)", "MMIO window", "kernel heap", "kernel image"}, kernel
    for name in ("kernel heap", "kernel image"):
        assert [line for line in user if line[-1] == name] == [line for line in kernel if line[-1] == name]
    assert said["ankeos map"].startswith("user context of 1 /init, PML4 at 0x"), said["ankeos map"]
    assert said[f"ankeos map {CHILD}"].startswith(f"user context of {CHILD} /init, PML4 at 0x"), said[f"ankeos map {CHILD}"]
    assert other, said[f"ankeos map {CHILD}"]
    for start, end, rights, memory, _, name in user + kernel:
        assert int(start, 16) % 4096 == 0 and int(end, 16) % 4096 == 4095
        assert rights.endswith("u") == (name == "user memory") and not {"w", "x"} <= set(rights)
        assert memory == "WB" or name == "MMIO window"
    # The image's segments, by its file.
    rights = {0x4: "r--g", 0x5: "r-xg", 0x6: "rw-g"}
    for va, _, size, flags in elf_loads(KERNEL):
        assert any(int(start, 16) <= va and va + size - 1 <= int(end, 16) and found == rights[flags & 7]
                   for start, end, found, *_ in user), f"{va:#x}"


def test_map_in_the_kernel_context(said):
    """When the machine stops in the kernel context, that context is the loaded one."""
    assert said["kernel: ankeos map"].startswith("the kernel context, PML4 at 0x"), said["kernel: ankeos map"]
    root = int(re.search(r"PML4 at (0x[0-9a-f]+)", said["kernel: ankeos map"])[1], 16)
    assert int(re.search(r"= (0x[0-9a-f]+)", said["kernel: print/x $cr3"])[1], 16) & ~0xfff == root


def test_backtrace_from_the_kernel_context(said):
    """The kernel context lacks the user's stack: with the program's context the backtrace goes on into the program."""
    assert "<#PF page fault>" in frames(said["kernel: backtrace"]), said["kernel: backtrace"]
    names = frames(said[f"kernel: ankeos in {CHILD} backtrace"])
    trap = names.index("<#PF page fault>")
    assert names[0] == "user_frame_is_sole" and "user_fault" in names[:trap], names
    assert len(names) > trap + 1, names


def test_walk(said):
    """The physical address is the one that QEMU's own walk gives; what is not mapped says where it ends."""
    for word in ("0x401000", "$rip"):
        levels = re.findall(r"^  (PML4E|PDPTE|PDE|PTE) +\d+ at 0x", said[f"ankeos walk {word}"], re.MULTILINE)
        assert levels == ["PML4E", "PDPTE", "PDE", "PTE"], said[f"ankeos walk {word}"]
    wanted = said["frame of spin"]
    assert f"physical {wanted}, r-x, user, 4 KiB page" in said["ankeos walk 0x401000"], said["ankeos walk 0x401000"]
    assert "kernel only, global" in said["ankeos walk $rip"] and "(kernel image)" in said["ankeos walk $rip"]
    direct = f"ankeos walk {HHDM + 0x100000:#x}"
    assert "not mapped: the PML4E is not present" in said[direct], said[direct]
    assert "physical 0x100000, rw-, kernel only" in said[direct + " kernel"], said[direct + " kernel"]
    assert "not mapped: the PML4E is not present" in said["kernel: ankeos walk 0x401000"]
    assert f"physical {wanted}, r-x, user" in said["kernel: ankeos walk 0x401000 1"]


def test_tasks(said):
    """The command lists all tasks, with the task of devices, which one runs, and where the sleeping ones wait."""
    lines = {int(line.split()[0]): line for line in said["ankeos tasks"].splitlines()[1:]}
    assert set(lines) == {0, 1, 2, CHILD}, said["ankeos tasks"]
    assert [lines[tid].split()[2] for tid in (0, 1, CHILD)] == ["S", "*", "S"], said["ankeos tasks"]
    assert "process_wait_init at kernel/task/exit.c:" in lines[0] and "sleep_until at kernel/sys/" in lines[CHILD]
    current = {line.split()[0] for line in said["kernel: ankeos tasks"].splitlines() if line.split()[2] == "*"}
    assert current == {str(CHILD)}, said["kernel: ankeos tasks"]


def test_areas(said):
    """The program's areas are its segments, what its mmap and mprotect made, and a stack, from either context."""
    text = said["ankeos areas 1"]
    rights = re.findall(r"^0x[0-9a-f]+-0x[0-9a-f]+ +[\d.]+ \w+ (\S+)  (\w+)", text, re.MULTILINE)
    for wanted in (("r-x", "object_ops"), ("rw-", "object_ops"), ("r--", "anonymous"), ("r-x", "anonymous"),
                   ("---", "anonymous"), ("rw-", "anonymous")):
        assert wanted in rights, text
    assert "grows down" in text and text.startswith("process 1 /init: "), text
    place = re.compile(r"^0x\S+", re.MULTILINE)
    assert place.findall(text) == place.findall(said["kernel: ankeos areas 1"])


def test_frame(said):
    """A frame of the program is mapped by both processes and the direct map, one of the kernel by every context."""
    owners = re.findall(r"^  (\S.*):$", said["of spin"], re.MULTILINE)
    assert sorted(owners) == sorted(TOUCHED), said["of spin"]
    assert said["of spin"].count(f"{TEXT_OF_SPIN:#018x} r-x-u") == 2, said["of spin"]
    assert "initrd at the handoff" in said["of spin"] or "usable at the handoff" in said["of spin"], said["of spin"]
    assert re.findall(r"^  (\S.*):$", said["of text"], re.MULTILINE) == ["every context", "the kernel context"]
    assert f"{TEXT:#018x} r-xg" in said["of text"] and re.search(r"0xffff8\S+ r---", said["of text"]), said["of text"]
    assert "direct map" not in said["ankeos frame 0xfee00000"] and "MMIO window" in said["ankeos frame 0xfee00000"]
    assert re.findall(r"^  (\S.*):$", said["kernel: ankeos frame 0x100000"], re.MULTILINE) == ["the kernel context"]


def test_log(said):
    """The command prints what the console got, or its last lines."""
    lines = said["ankeos log"].splitlines()
    assert any(line.endswith("6 files, 33.3 KiB") or "initramfs: " in line for line in lines), lines
    assert said["ankeos log 2"].splitlines() == lines[-2:] == said["kernel: ankeos log 2"].splitlines()
    for line in lines[-4:]:
        assert line[-20:] in said["serial"], line


def test_audit(said):
    """The audit finds nothing wrong in any context, run from either."""
    for prefix in ("", "kernel: "):
        text = said[prefix + "ankeos audit"]
        assert text.endswith("audit: all rules are kept\n") and "user context of 1 /init: " in text, text


def test_refusals(said):
    """A command that cannot be done says so in a line."""
    for line in ("ankeos areas: no process 77", "ankeos walk: 0 arguments. Usage: ankeos walk ADDRESS",
                 "ankeos map: no process 77", "ankeos in: no process 77", "ankeos walk: 0x800000000000 is not canonical"):
        assert line in said["complaints"], said["complaints"]
    assert "Traceback" not in said["complaints"]


def test_audit_finds_a_bad_entry():
    """The audit finds a page of kernel text that has become writable, and says where."""
    with session(**CALLS) as machine:
        _, _, _, walk = machine.gdb("hbreak sys_getrandom", "continue", f"ankeos walk {TEXT:#x}", leave="detach")
        place, entry = re.search(r"PTE +0 at (0x[0-9a-f]+): (0x[0-9a-f]+)", walk).groups()
        spoilt = struct.unpack("<q", struct.pack("<Q", int(entry, 16) | 2))[0]
        *_, audit = machine.gdb("maintenance packet Qqemu.PhyMemMode:1", f"set {{long}}{place} = {spoilt}",
                                "maintenance packet Qqemu.PhyMemMode:0", "ankeos audit")
    assert f"W+X: {TEXT:#018x}" in audit and "all rules are kept" not in audit, audit
