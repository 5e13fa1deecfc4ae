"""USB keyboards alone, without the old controller: typed at by QMP, plugged in and pulled out while a shell runs.

QEMU gives keys to the keyboard that was plugged in last.
"""

import re

import pytest
from bundles import busybox_bundle
from keys import press, type_text
from machine import CONSOLES, Config, Machine

PROMPT = r"^/ # \Z"
NO_KEYBOARD = r"no keyboard: no controller at port 0x60, none at USB \(xHCI controllers: 1\); .*$"
LETTERS = 'The quick brown fox: 0123456789 `-=[];,./ ~!@#%^&*()_+{}|<>?"\\'


def plug(machine, name, kind="usb-kbd", **where):
    """Plug a device in, and wait until the kernel tells what it is."""
    since = len(machine.raw)
    machine.qmp.execute("device_add", driver=kind, id=name, bus="usb.0", **where)
    machine.wait_for(r"USB \S+: [0-9a-f]{4}:[0-9a-f]{4}, .*$", since)


def unplug(machine, name):
    """Pull a device out, and wait until the kernel has seen that it is gone."""
    since = len(machine.raw)
    machine.qmp.execute("device_del", id=name)
    machine.wait_for(r"USB \S+: unplugged$", since)


def key(machine, name, down):
    machine.qmp.execute("input-send-event", events=[
        {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": name}}}])


def run(machine, line, expected):
    """Type a line on the keyboard, and wait for its output and the next prompt."""
    since = len(machine.raw)
    type_text(machine, line + "\n")
    machine.wait_for(rf"^{expected}\n{PROMPT}", since)


@pytest.fixture(name="machine", scope="module")
def usb_machine(tmp_path_factory):
    """A shell on a machine with one controller, and nothing plugged in at first."""
    directory = tmp_path_factory.mktemp("usb")
    boot = busybox_bundle(directory, f"{CONSOLES} quiet init=/bin/sh", ("sh", "cat", "echo", "dmesg", "stty", "od", "sleep"))
    config = Config(boot=boot, machine="q35,smm=off,i8042=off", extra=("-device", "nec-usb-xhci,id=usb,p2=8,p3=2"))
    with Machine(config) as machine:
        machine.wait_for(PROMPT)
        machine.send("dmesg -n 8\n")
        machine.wait_for(PROMPT, len(machine.raw))
        yield machine


def test_nothing_to_type_at(machine):
    """A machine without a keyboard says so; the serial port takes what is typed meanwhile."""
    machine.wait_for(NO_KEYBOARD)
    machine.send("dmesg\n")
    machine.wait_for(r"xHCI: 10 ports, 64 slots; interrupts by MSI-X$")


def test_keys(machine):
    """Plain keys, shifted ones, control and arrows, and Caps Lock."""
    plug(machine, "one")
    run(machine, f"echo '{LETTERS}x'", re.escape(f"{LETTERS}x"))
    since = len(machine.raw)
    type_text(machine, "cat\nmore\n")
    machine.wait_for("^more\nmore\n", since)
    press(machine, "ctrl-d")
    machine.wait_for(PROMPT, since)
    press(machine, "caps_lock")
    type_text(machine, "echo")
    press(machine, "caps_lock")
    press(machine, "ctrl-u")
    run(machine, "echo lower", "lower")
    # The shell's line editor gets the line before the last one back.
    since = len(machine.raw)
    press(machine, "up", "ret")
    machine.wait_for(rf"^lower\n{PROMPT}", since)


def test_key_repeats(machine):
    """A key that is held comes again until it is let go."""
    since = len(machine.raw)
    type_text(machine, "cat\nready\n")
    machine.wait_for("^ready\nready\n", since)
    key(machine, "x", True)
    machine.wait_for("xxxxxxxx", since)
    key(machine, "x", False)
    press(machine, "ret")
    # Once by the terminal's echo, and once by cat.
    machine.wait_for("^(x{8,})\n\\1\n", since)
    press(machine, "ctrl-d")
    machine.wait_for(PROMPT, since)


def test_two_keyboards(machine):
    """A second one, behind a hub: its Shift counts for both, and is let go when it is pulled out."""
    plug(machine, "hub", "usb-hub", port="3")
    plug(machine, "two", port="3.2")
    run(machine, "echo Two", "Two")
    key(machine, "shift", True)
    press(machine, "a")
    machine.wait_for("A", len(machine.raw))
    press(machine, "ctrl-u")
    unplug(machine, "two")
    run(machine, "echo one", "one")
    plug(machine, "three", port="3.5")
    run(machine, "echo Three", "Three")
    # The hub takes what is plugged into it along.
    unplug(machine, "hub")
    run(machine, "echo one again", "one again")


def test_plugged_often(machine):
    """Twenty times in and out; then nothing to type at, and one that is plugged in works."""
    for _ in range(20):
        plug(machine, "again")
        unplug(machine, "again")
    unplug(machine, "one")
    plug(machine, "last")
    run(machine, "echo at last", "at last")
    machine.send("dmesg\n")
    machine.wait_for(PROMPT, len(machine.raw))
    assert "left alone" not in machine.text, machine.text


def test_monitor_without_messages():
    """The monitor's prompt, on a controller without interrupts by messages, behind two hubs; a mouse is left alone."""
    words = ("-device nec-usb-xhci,msix=off,msi=off -device usb-hub,port=2 -device usb-hub,port=2.1 "
             "-device usb-kbd,port=2.1.4 -device usb-mouse")
    config = Config(machine="q35,smm=off,i8042=off", display=("-vga", "none"), extra=tuple(words.split()))
    with Machine(config) as machine:
        machine.wait_for("xHCI: 8 ports, 64 slots; no interrupt by messages: polled by a timer$")
        machine.wait_for(r"USB 1-5: 0627:0001, no keyboard with a boot protocol, so no driver$")
        machine.wait_for(r"USB 1-6\.1\.4: 0627:0001, keyboard$")
        since = len(machine.raw)
        type_text(machine, "irqs\n")
        machine.wait_for(r"^wall clock .*$", since)
        assert "left alone" not in machine.text, machine.text
