"""Test machines without an I/O APIC, or without a local APIC, where the 8259s and the PIT do the work."""

import pytest
from bundles import busybox_bundle
from keys import type_text
from machine import Config, Machine

# Words of the command line that take controllers away, and what the log then says of controllers and timer.
MACHINES = {
    "acpi=off": ("ACPI: left alone", "timer: APIC timer"),
    "noapic": ("APIC: xAPIC, id 0; I/O APICs: 0", "timer: APIC timer"),
    "nolapic": ("APIC: none", "timer: PIT, one-shot"),
}


@pytest.mark.parametrize("words", MACHINES)
def test_without(words, tmp_path):
    """The self-tests pass, both keyboards can be typed at, timers fire, and the machine is turned off."""
    boot = busybox_bundle(tmp_path, f"console=ttyS0 console=tty0 selftest {words} init=/bin/sh", ("sh", "echo", "sleep"))
    with Machine(Config(boot=boot, extra=("-smp", "2"))) as machine:
        machine.wait_for(r"^/ # \Z")
        for said in (*MACHINES[words], "interrupts of devices come by the 8259s", " fail:0 "):
            assert said in machine.text, machine.failure(f"{said!r} is missing")
        since = len(machine.raw)
        machine.send("sleep 0.2; echo se''rial\n")
        machine.wait_for("^serial\n", since)
        type_text(machine, "echo ke''yboard\n")
        machine.wait_for("^keyboard\n", since)
        machine.send("exit\n")
        assert machine.wait_exit() == "guest-shutdown"
