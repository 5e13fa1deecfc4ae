"""The rule, made visible: how often each system call changes contexts, as the monitor's `syscalls` counts it.

The bundle's own demo makes the calls: it forks, maps, yields, asks for the time and writes to the console.
"""

import re

import pytest
from machine import BOOT_FILE, Config, Machine

# Neither hardware, nor frames, nor tables.
FREE = ("getppid", "getpid", "clock_gettime", "mmap", "rt_sigprocmask", "gettid", "uname", "arch_prctl", "brk")
DISPLAYS = {"serial only": (("-vga", "none"), 0), "with a screen": (("-vga", "std"), 2)}


@pytest.mark.parametrize("name", DISPLAYS)
def test_calls_keep_to_their_context(name):
    """Calls that need nothing of the kernel context never enter it; a write to the screen does, once for all it shows."""
    display, writes_each = DISPLAYS[name]
    with Machine(Config(boot=BOOT_FILE, append="console=ttyS0 monitor init=/bin/demo", display=display)) as machine:
        machine.wait_for("^init has ended with status 0$")
        machine.wait_prompt()
        text = machine.command("syscalls")
        costs = {call: (int(calls), int(writes))
                 for calls, writes, call in re.findall(r"^ *(\d+) +(\d+) +\d+ +\d+ +(\w+)$", text, re.MULTILINE)}
        # This machine's APIC is no x2APIC: an interrupt goes to the kernel context, and may come in any call.
        interrupts = sum(map(int, re.findall(r"^vector \d+: (\d+)", machine.command("irqs"), re.MULTILINE)))
        assert interrupts < 100
        assert set(FREE) <= set(costs), text
        assert costs["getppid"][0] >= 5000 and sum(costs[call][1] for call in FREE) <= 2 * interrupts, text
        calls, writes = costs["writev"]
        assert calls and writes <= writes_each * calls + 2 * interrupts, text
