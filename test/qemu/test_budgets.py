"""Test how often each system call changes contexts, as the monitor's `syscalls` counts it.

The bundle's own demo makes the calls: it forks, maps, yields, asks for the time and writes to the console. Clocks count
instructions, so that no more timer interrupts come on a busy host.
"""

import re

import pytest
from bundles import busybox_bundle
from machine import BOOT_FILE, Config, Machine

# Calls that need neither hardware, nor frames, nor tables.
FREE = ("getppid", "getpid", "clock_gettime", "mmap", "rt_sigprocmask", "gettid", "uname", "arch_prctl", "brk")
DISPLAYS = {"serial only": (("-vga", "none"), 0), "with a screen": (("-vga", "std"), 2)}


def costs_of_calls(machine):
    """Return by name of the call how often it was made, and its CR3 writes; and the number of interrupts.

    An interrupt may come in any call; this machine's APIC is no x2APIC, so an interrupt goes to the kernel context.
    """
    text = machine.command("syscalls")
    costs = {call: (int(calls), int(writes))
             for calls, writes, call in re.findall(r"^ *(\d+) +(\d+) +\d+ +\d+ +(\w+)$", text, re.MULTILINE)}
    return costs, sum(map(int, re.findall(r"^vector \d+: (\d+)", machine.command("irqs"), re.MULTILINE))), text


@pytest.mark.parametrize("name", DISPLAYS)
def test_calls_keep_to_their_context(name):
    """Calls that need nothing of the kernel context never enter it; a write to the screen does, once for all it shows."""
    display, writes_each = DISPLAYS[name]
    append = "console=ttyS0 monitor init=/bin/demo"
    with Machine(Config(boot=BOOT_FILE, append=append, display=display, icount=True)) as machine:
        machine.wait_for("^init has ended with status 0$")
        machine.wait_prompt()
        costs, interrupts, text = costs_of_calls(machine)
        # The serial port's interrupts, which send the text, are among these. They must be few beside the 5,000 calls:
        # the bounds below would say little otherwise.
        assert interrupts < 200
        assert set(FREE) <= set(costs), text
        assert costs["getppid"][0] >= 5000 and sum(costs[call][1] for call in FREE) <= 2 * interrupts, text
        calls, writes = costs["writev"]
        assert calls and writes <= writes_each * calls + 2 * interrupts, text


def test_a_write_draws_once(tmp_path):
    """A write(2) of sixteen kilobytes that scroll the screen goes into the kernel context and back once."""
    (tmp_path / "lines").write_text("a line that scrolls the screen\n" * 528)
    script = "i=0; while [ $i -lt 40 ]; do dd if=/lines of=/dev/tty0 bs=16368 2>/dev/null; i=$((i+1)); done"
    boot = busybox_bundle(tmp_path, f'console=tty0 monitor init=/bin/sh -- -c "{script}"', ("sh", "dd"),
                          f"lines={tmp_path / 'lines'}")
    with Machine(Config(boot=boot, icount=True)) as machine:
        machine.wait_for("^init has ended with status 0$")
        machine.wait_prompt()
        costs, interrupts, text = costs_of_calls(machine)
        calls, writes = costs["write"]
        assert calls >= 40 and writes >= calls and writes <= 2 * calls + 2 * interrupts, text
        # Drawing the text piece by piece would make 64 CR3 writes for each call. With so few interrupts the bound above
        # shows that.
        assert interrupts < 600, interrupts
