"""Use gdb through `make qemu-gdb` and scripts/gdb/attach, as a developer does: each STOP=, symbols, backtraces."""

import re
import shlex
import subprocess

import pytest
from bundles import busybox_archive
from contract import BUILD, ROOT, symbols
from gdb_session import session
from machine import LIMIT

CALLS = {"INITRD": str(BUILD / "user" / "spin.cpio"), "CMDLINE": "console=ttyS0 -- calls"}
MONITOR = "console=ttyS0 init=none"
COMPUTES = {"INITRD": str(BUILD / "user" / "spin.cpio"), "CMDLINE": "console=ttyS0"}


def frames(backtrace):
    """Return the functions of a backtrace, innermost first; gdb shows some frames without an address."""
    return re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(<[^>]+>|[\w?]+)", backtrace, re.MULTILINE)


def test_stop_kernel():
    """By default the machine stops at the kernel's first instruction; later a backtrace ends at the entry.

    The commands are those of the document.
    """
    words = re.search(r'^    make qemu-gdb CMDLINE="(.*)"\n    (scripts/gdb/attach -batch .*)$',
                      (ROOT / "docs/debugging.md").read_text(), re.MULTILINE)
    script = shlex.split(words[2].replace("-batch", "-batch -nx -ex 'info registers rip'"))
    with session(CMDLINE=words[1]) as machine:
        said = subprocess.run(script, cwd=ROOT, env=machine.environment, capture_output=True, text=True, timeout=LIMIT,
                              check=True).stdout
        _, magic = machine.gdb("print/x boot_info->magic")
    assert "stopped at the kernel's first instruction" in said, said
    assert re.search(rf"^rip +{symbols()['kernel_entry']:#x} ", said, re.MULTILINE), said
    assert frames(said)[-3:] == ["monitor_run", "kmain", "kernel_entry"], said
    assert re.search(r"\bkmain \(.*\) at \.?/?kernel/main\.c:\d+", said), said
    assert "= 0x534f656b6e41" in magic, magic


def test_stop_efi():
    """With STOP=efi it stops at the loader's first instruction, with symbols where the firmware put it."""
    entry = {name: int(value, 16) for value, _, name in
             (line.split() for line in subprocess.run(["nm", BUILD / "loader.so"], capture_output=True, text=True,
                                                      check=True).stdout.splitlines() if line[0] != " ")}["loader_entry"]
    with session(STOP="efi", CMDLINE=MONITOR) as machine:
        start, registers, _, there, source, backtrace, _, _, kernel, ranges = machine.gdb(
            "info registers rip", "break loader_parse_kernel", "continue", "info line", "backtrace",
            "hbreak kernel_entry", "continue", "backtrace", "info symbol loader_entry")
    base = re.search(r"stopped at the loader's first instruction, image base (0x[0-9a-f]+)", start)
    assert base, start
    assert re.search(rf"^rip +{int(base[1], 16) + entry:#x} ", registers, re.MULTILINE), registers
    assert re.search(r"Breakpoint 1, loader_parse_kernel \(l=", there), there
    assert "efi/image.c" in source, source
    assert frames(backtrace)[:3] == ["loader_parse_kernel", "prepare", "efi_main"], backtrace
    assert frames(kernel) == ["kernel_entry"], kernel
    assert "loader_entry in section" not in ranges, "the loader's symbols should be gone: " + ranges


def test_stop_none_in_user_mode():
    """gdb stops a running machine in user mode, in the program's main, with its lines and variables."""
    with session(STOP="none", **COMPUTES) as machine:
        machine.wait_for("^spinning")
        start, registers, backtrace, count = machine.gdb("info registers cs", "backtrace", "print count", leave="detach")
        assert "symbols from build/user/musl/spin.debug" in start, start
        assert re.search(r"^cs +0x33 ", registers, re.MULTILINE), registers
        assert frames(backtrace) == ["main"] and "test/user/spin.c" in backtrace, backtrace
        _, again = machine.gdb("print count")
    before, after = (int(re.search(r"= (\d+)", text)[1]) for text in (count, again))
    assert after > before > 0, "after the detach it should have gone on"


def test_backtraces_into_user_code():
    """From the page fault of a program, and from its system call, to the function that made it; with its registers."""
    with session(**CALLS) as machine:
        _, _, _, fault, _, _, _, _, call, user, registers = machine.gdb(
            "hbreak user_trap if frame->vector == 14", "continue", "backtrace", "delete", "hbreak sys_uname",
            "continue", "continue", "backtrace", "frame function main", "info registers rip rsp")
    names = frames(fault)
    trap = names.index("<#PF page fault>")
    assert names[0] == "user_trap" and names[trap - 1] == "trap_dispatch", fault
    assert int(re.search(rf"^#{trap + 1} +(0x[0-9a-f]+)", fault, re.MULTILINE)[1], 16) < 1 << 47, fault
    assert frames(call)[:2] == ["sys_uname", "<system call 63 uname>"], call
    assert frames(call)[-1] == "main" and "test/user/spin.c" in call, call
    assert re.search(r"sys6 \(.*number=(63|318)\)", user), user
    values = [int(value, 16) for value in re.findall(r"^r[is]p +(0x[0-9a-f]+)", registers, re.MULTILINE)]
    assert len(values) == 2 and all(value < 1 << 47 for value in values), registers


def test_position_independent_program():
    """A static PIE that init has started has its symbols at its random base, up to main."""
    with session(INITRD=str(BUILD / "user" / "test-pie.cpio"), CMDLINE="console=ttyS0 -- info") as machine:
        _, _, there, backtrace = machine.gdb("hbreak sys_getppid if percpu.current->tid > 1", "continue", "backtrace")
    found = re.search(r"user program /test/info of process \d+ at (0x[0-9a-f]+): symbols from build/user/pie/info.debug",
                      there)
    assert found and int(found[1], 16) >= 0x555555554000, there
    assert frames(backtrace)[:2] == ["sys_getppid", "<system call 110 getppid>"], backtrace
    assert "main" in frames(backtrace) and "test/user/info.c" in backtrace, backtrace


def test_program_without_symbols(tmp_path):
    """For a stripped program that nobody here built gdb uses the program's own file, and nothing fails."""
    archive = busybox_archive(tmp_path / "busybox.cpio", ("sh",))
    with session(INITRD=str(archive), CMDLINE="console=ttyS0 init=/bin/sh -- -c 'while true; do uname; done'") as machine:
        _, _, there, backtrace = machine.gdb("hbreak sys_uname", "continue", "backtrace 3")
    assert "user program /bin/busybox of process 1 at 0x0: symbols from the initrd" in there, there
    assert frames(backtrace)[:3] == ["sys_uname", "<system call 63 uname>", "??"], backtrace


@pytest.mark.parametrize("stop", ["kernel", "efi"])
def test_second_attach(stop):
    """A second attach leaves the machine where it is."""
    with session(STOP=stop, CMDLINE=MONITOR) as machine:
        machine.gdb("hbreak monitor_run", "continue", leave="disconnect")
        start, registers = machine.gdb("info registers rip")
    assert "first instruction" not in start, start
    assert f"{symbols()['monitor_run']:#x}" in registers, registers
