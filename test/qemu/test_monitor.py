"""Test the monitor on a running kernel: what it says is compared with what the machine is."""

import re

import contract
import pytest
from guest import Guest
from machine import Config, Machine, parse_size

COMMANDS = ("audit", "cpu", "cpus", "heap", "help", "hwreport", "irqs", "log", "map", "mem", "panic", "poweroff", "reboot",
            "stats", "syscalls", "tasks", "walk", "where")


@pytest.fixture(name="machine", scope="module")
def _machine():
    with Machine(Config()) as machine:
        machine.wait_prompt()
        yield machine


def look(machine):
    """Look at the guest as it stands; the guest runs on afterwards."""
    guest = Guest(machine)
    machine.resume()
    return guest


def test_boot_report(machine):
    """The boot reports version, CPU, memory map, virtual map, phases and audit, in this order; no self-test runs unasked."""
    report = machine.text[:machine.text.index("anke> ")]
    assert "KTAP" not in report
    wanted = (r"^AnkeOS \d", r"^CPU: ", r"memory map", r"kernel text", r"^boot, in", r"^audit: kernel context: 0 W\+X")
    places = [re.search(pattern, report, re.MULTILINE | re.IGNORECASE) for pattern in wanted]
    assert all(places), [pattern for pattern, place in zip(wanted, places) if place is None]
    starts = [place.start() for place in places]
    assert starts == sorted(starts)


def test_help(machine):
    lines = machine.command("help").splitlines()
    assert [line.split()[0] for line in lines] == sorted(COMMANDS)
    assert "ADDR" in machine.command("help walk")
    assert "no such command" in machine.command("nonsense")


def test_audit(machine):
    """The audit finds nothing in both contexts, and counts as many leaves as a walk from outside."""
    output = machine.command("audit")
    for context in ("kernel", "firmware"):
        pattern = rf"^audit: {context} context: 0 W\+X, 0 user, 0 stray global, 0 outside the map; (\d+) leaves"
        match = re.search(pattern, output, re.MULTILINE)
        assert match, output
        if context == "kernel":
            assert int(match[1]) == len(look(machine).walk.leaves)


def test_walk(machine):
    """The monitor's walk of an address ends in the leaf that our walker finds."""
    walk = look(machine).walk
    for leaf in (walk.leaves[0], walk.leaves[len(walk.leaves) // 2], walk.leaves[-1]):
        output = machine.command(f"walk {leaf.va + 8:#x}")
        assert f"is physical {leaf.pa + 8:#x}" in output, output
    assert "not mapped" in machine.command(f"walk {contract.layout()['USER_BASE'] + 4096:#x}")
    assert "canonical" in machine.command("walk 0x800000000000")
    assert "usage" in machine.command("walk")


def test_map(machine):
    """Every range of the map is listed; the direct map's first and the image's text are where we find them."""
    output = machine.command("map").lower()
    for leaf in (look(machine).walk.leaves[0], ):
        assert f"{leaf.va:x}" in output, output
    assert f"{contract.layout()['IMAGE_BASE']:x}" in output
    for word in ("usable", "boot services", "kernel text", "wc"):
        assert word in output, output


def test_mem(machine):
    """The totals are those of the map that was handed over."""
    output = machine.command("mem")
    assert "usable" in output
    assert parse_size(machine.config.memory) >= sum(r.end - r.start for r in look(machine).memmap() if r.ram)


def test_cpu(machine):
    """The monitor shows the control registers as QEMU has them."""
    output = machine.command("cpu").lower()
    guest = look(machine)
    for name in ("CR0", "CR3", "CR4", "EFER"):
        assert re.search(rf"{name.lower()} 0x0*{guest.registers[name]:x}\b", output), output
    assert f"{guest.pat:016x}" in output


def test_log(machine):
    """The log keeps all that was said at boot."""
    boot = machine.text[machine.text.index("AnkeOS"):machine.text.index("anke> ")]
    assert boot.strip() in machine.command("log")


def test_line_editing(machine):
    """Backspace, Ctrl-C and the history work over the serial port."""
    assert "audit: kernel context" in machine.command("audix\x7ft")
    since = len(machine.raw)
    machine.send("nonsense\x03")
    machine.wait_prompt(since)
    assert "no such command" not in machine.text[len(machine.text) - 40:]
    # The prompt is drawn anew, with the line from the history behind it; so wait for the output of that line.
    since = len(machine.raw)
    machine.send("\x1b[A\r")
    machine.wait_for("^audit: kernel context", since)
    machine.wait_prompt(since + len("audit: kernel context"))


@pytest.mark.parametrize("command, reason", [("poweroff", "guest-shutdown"), ("reboot", "guest-reset")])
@pytest.mark.parametrize("kind", ["q35,smm=off", "pc,smm=off"])
def test_the_end(kind, command, reason):
    """The firmware turns the machine off, or restarts it: QEMU ends by itself and says why."""
    with Machine(Config(machine=kind, display=("-vga", "none"))) as machine:
        machine.wait_prompt()
        machine.send(command + "\r")
        assert machine.wait_exit() == reason
