"""Repeat the sessions of docs/debugging.md, "Six bugs": each bug is made to happen, and must show what that says.

With a watchdog clocks count instructions: a busy host that stops the machine for a second would wake the watchdog.
"""

import re

import pytest
from bundles import busybox_bundle
from contract import symbols
from machine import Config, Machine
from test_faults import provoke

# How a bug is caused: (words of the command line, what the page must say, in this order).
BUGS = {
    "null": ("", (
        r"^#PF page fault: write to a page that is not present, by the kernel$",
        r"^address 0x0{16}: a null pointer$",
        r"^at 0x[0-9a-f]{16} write_null\+0x[0-9a-f]+ \(kernel/monitor/provoke\.c:\d+\)$",
        r"^  PML4E\[  0\] 0x0{16} not present$",
        r"^ #1  0x[0-9a-f]{16} provoke\+0x[0-9a-f]+ \(kernel/monitor/provoke\.c:\d+\)$")),
    "stack": ("", (
        r"^#DF double fault$",
        r"^The stack has run out: below RSP nothing is mapped\.$",
        r"^  PTE  \[ *\d+\] 0x0{16} not present$",
        r"^ #1  0x[0-9a-f]{16} use_stack\+0x[0-9a-f]+ \(kernel/monitor/provoke\.c:\d+\)$",
        r"^     the same \d+ more times$")),
    "free": ("", (
        r"^#PF page fault: read of a page that is not present, by the kernel$",
        r"^address 0xffffff80[0-9a-f]{8}: kernel heap$",
        r"^at 0x[0-9a-f]{16} use_after_free\+0x[0-9a-f]+ \(kernel/monitor/provoke\.c:\d+\)$",
        r"^  (PDE|PTE)  \[ *\d+\] 0x0{16} not present$")),
    "pte": ("", (
        r"^#PF page fault: write to a page with a reserved bit set in an entry, by the kernel$",
        r"^address 0xffffff80[0-9a-f]{8}: kernel heap$",
        r"^at 0x[0-9a-f]{16} spoil_entry\+",
        r"^  (PDE|PTE)  \[ *\d+\] 0x8008[0-9a-f]{12} \d [KM]iB at 0x8[0-9a-f]{12} rw-g WB A D$")),
    "context": ("", (
        r"^#PF page fault: read of a page that is not present, by the kernel$",
        r"^address 0xffff8[0-9a-f]{11}: direct map \(HHDM\)$",
        r"^Only the kernel context has the direct map \(HHDM\): call kernel_context_enter\(\) first\.$",
        r"^at 0x[0-9a-f]{16} read_frame_in_user_context\+",
        r"^  PML4E\[256\] 0x0{16} not present$")),
    "loop": ("watchdog=2", (
        r"^watchdog: the kernel has been at one thing for too long$",
        r"^NMI$",
        r"^at 0x[0-9a-f]{16} wait_for_ever\+(?:0x)?[0-9a-f]+ \(kernel/monitor/provoke\.c:\d+\)$",
        r"^ #1  0x[0-9a-f]{16} provoke\+",
        r"^task 0, kernel: of the kernel$")),
    "deaf": ("watchdog=2", (
        r"^watchdog: the kernel has been at one thing for too long$",
        r"^     wait_for_ever \(kernel/monitor/provoke\.c:\d+\), inlined in$",
        r"^ #0  0x[0-9a-f]{16} wait_deaf\+")),
    # The other of two CPUs hangs: with the kernel lock, and without it while a shootdown waits for it. QEMU starts no
    # second CPU where clocks count instructions, so the time of the watchdog is long.
    "other": ("watchdog=10", (
        r"^watchdog: CPU 1 has been at one thing for too long: at (wait_deaf|hang_deaf)\+0x[0-9a-f]+, in task \d+, hangs$",)),
    "mute": ("", (
        r"^CPU 1 has served no shootdown for 10 s: at hang_mute\+0x[0-9a-f]+, in task \d+, hangs$",)),
}


@pytest.mark.parametrize("how", BUGS)
def test_bug(how):
    words, lines = BUGS[how]
    several = how in ("other", "mute")
    config = Config(display=("-vga", "none"), append=f"console=ttyS0 {words}", icount="watchdog" in words and not several,
                    extra=("-smp", "2") if several else ())
    with Machine(config) as machine:
        page = provoke(machine, how)
        at = 0
        for line in lines:
            match = re.compile(line, re.MULTILINE).search(page, at)
            assert match, f"{line} not behind line {page[:at].count(chr(10))} of\n{page}"
            at = match.end()


def shell(tmp_path, words):
    """Start a machine whose init is Debian's busybox as a shell."""
    boot = busybox_bundle(tmp_path, f"console=ttyS0 loglevel=5 init=/bin/sh {words}",
                          ("sh", "cat", "dd", "mkfifo", "mknod", "echo", "sleep"))
    return Machine(Config(boot=boot, display=("-vga", "none"), icount="watchdog" in words))


def test_deadlock_of_programs(tmp_path):
    """Two programs that wait for each other are named; one that waits for a key or a timer is no deadlock."""
    with shell(tmp_path, "watchdog=1") as machine:
        machine.wait_for(r"^/ # \Z")
        machine.send("sleep 3; echo slept\n")
        machine.wait_for(r"^slept\n/ # \Z")
        assert "watchdog:" not in machine.text, machine.text
        machine.send("mkfifo /one /two; (cat </one >/two) & cat </two >/one\n")
        machine.wait_for(r"^watchdog: for 1 s no task could run, no timer is set and none waits for input: a deadlock\?$")
        # The shell waits for somebody to open the other side of a pipe, and so does the other program; both sleep.
        for tid in ("1", r"[2-9]\d*"):
            machine.wait_for(rf"^task {tid}, sh, of process {tid}, in system call openat\n( #\d+ .*\n|     .*\n)+"
                             r" #\d+ +0x[0-9a-f]{16} sys_openat\+0x[0-9a-f]+ \(kernel/sys/sys_fd\.c:\d+\)$")


def stop_in(machine, function):
    """Stop the machine while its CPU is in a function of the kernel."""
    start = symbols()[function]
    end = min(address for address in symbols().values() if address > start)
    for _ in range(1000):
        machine.stop()
        if start <= int(re.search(r"RIP=(\w+)", machine.qmp.human("info registers"))[1], 16) < end:
            return
        machine.resume()
    raise machine.failure(f"the CPU does not come to {function}")


def test_page_names_the_task(tmp_path):
    """After an NMI from outside, as a machine's button sends it, the page names task, system call and memory."""
    with shell(tmp_path, "") as machine:
        machine.wait_for(r"^/ # \Z")
        machine.send("mknod /zero c 1 5; echo before; dd if=/zero of=/dev/null bs=16M\n")
        machine.wait_for(r"^before\n")
        stop_in(machine, "user_clear")
        machine.qmp.execute("inject-nmi")
        machine.resume()
        machine.wait_for(r"^The machine is halted\.$")
        page = machine.text[machine.text.index("= kernel panic ="):]
        assert re.search(r"^task \d+, dd, of process \d+, in system call read$", page, re.MULTILINE), page
        areas = re.search(r"^its areas next to the address: (\d+)\n((?:..0x[0-9a-f]{12}-0x[0-9a-f]{12} [r-][w-][x-] .*\n)+)",
                          page, re.MULTILINE)
        assert areas and int(areas[1]) > 4 and areas[2].count("\n") == 4, page
        # The areas have names as in /proc/PID/maps: any four of the program's areas and those above include at least
        # one of these.
        assert re.search(r" [r-][w-][x-] (/bin/busybox$|\[heap\]$|\[stack\], grows down$)", areas[2], re.MULTILINE), page
        assert re.search(r"^ #\d+ +0x[0-9a-f]{16} sys_read\+0x[0-9a-f]+ \(kernel/sys/\w+\.c:\d+\)$", page,
                         re.MULTILINE), page
