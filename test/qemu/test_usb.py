"""Test USB keyboards alone, without the old controller: typed at by QMP, plugged in and pulled out while a shell runs.

QEMU gives keys to the keyboard that was plugged in last.
"""

import re
import socket
import struct

import pytest
from bundles import busybox_bundle
from keys import press, type_text
from machine import CONSOLES, LIMIT, Config, Machine

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


class Leds:
    """The keyboard's LEDs, as QEMU tells a VNC viewer (RFB 3.8 with the pseudo-encoding -261)."""

    NUMBER_LOCK, CAPS_LOCK = 2, 4

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(LIMIT)
        self._socket.connect(str(path))
        self._read(12)
        self._socket.sendall(b"RFB 003.008\n")
        self._read(self._read(1)[0])
        self._socket.sendall(b"\1")
        self._read(4)
        self._socket.sendall(b"\1")
        self._read(struct.unpack(">20xI", self._read(24))[0])
        self._socket.sendall(struct.pack(">BxHi", 2, 1, -261))

    def _read(self, size):
        data = b""
        while len(data) < size:
            data += self._socket.recv(size - len(data)) or pytest.fail("QEMU closed the connection")
        return data

    def wait_for(self, wanted):
        """Read what comes until these LEDs are on."""
        while True:
            kind, count = struct.unpack(">BxH", self._read(4))
            assert (kind, count) == (0, 1), "no update of one rectangle"
            assert struct.unpack(">8xi", self._read(12))[0] == -261, "another encoding"
            if self._read(1)[0] == wanted:
                return

    def close(self):
        self._socket.close()


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
    """Start a shell on a machine with one controller, and nothing plugged in at first.

    The machine has no MCFG, so the kernel reaches the configuration space by ports.
    """
    directory = tmp_path_factory.mktemp("usb")
    boot = busybox_bundle(directory, f"{CONSOLES} quiet init=/bin/sh", ("sh", "cat", "echo", "dmesg", "readlink"))
    config = Config(boot=boot, machine="pc,smm=off,i8042=off",
                    extra=("-device", "nec-usb-xhci,id=usb,p2=8,p3=2", "-vnc", "unix:vnc"))
    with Machine(config) as machine:
        machine.wait_for(PROMPT)
        since = len(machine.raw)
        machine.send("dmesg -n 8\n")
        # From here on the screen shows the kernel's lines, which may come right behind the prompt.
        machine.wait_for("^/ # (?!dmesg)", since)
        yield machine


def test_nothing_to_type_at(machine):
    """Without a keyboard the kernel says so; the serial port takes what is typed meanwhile."""
    machine.wait_for(NO_KEYBOARD)
    machine.send("dmesg\n")
    machine.wait_for(r"xHCI: 10 ports, 64 slots; interrupts by MSI-X$")
    since = len(machine.raw)
    machine.send("readlink -f /sys/bus/pci/devices/*/driver; cat /sys/bus/pci/devices/*/resource\n")
    machine.wait_for("^/sys/bus/pci/drivers/xhci_hcd$", since)
    # The size of the device's memory is measured: a 64-bit BAR of 16 KiB.
    machine.wait_for("^0x[0-9a-f]{12}0000 0x[0-9a-f]{12}3fff 0x0000000000140204$", since)


def test_keys(machine):
    """Plain keys, shifted ones, control, arrows and Caps Lock work."""
    plug(machine, "one")
    run(machine, f"echo '{LETTERS}x'", re.escape(f"{LETTERS}x"))
    since = len(machine.raw)
    type_text(machine, "cat\nmore\n")
    machine.wait_for("^more\nmore\n", since)
    press(machine, "ctrl-d")
    machine.wait_for(PROMPT, since)
    press(machine, "caps_lock")
    type_text(machine, "echo")
    machine.wait_for("ECHO$", since)
    press(machine, "caps_lock")
    press(machine, "ctrl-u")
    run(machine, "echo lower", "lower")
    # The shell's line editor gets the line before the last one back.
    since = len(machine.raw)
    press(machine, "up", "ret")
    machine.wait_for(rf"^lower\n{PROMPT}", since)


def test_leds(machine):
    """The LEDs show which locks are on."""
    leds = Leds(machine.directory / "vnc")
    press(machine, "num_lock")
    leds.wait_for(Leds.NUMBER_LOCK)
    press(machine, "caps_lock")
    leds.wait_for(Leds.NUMBER_LOCK | Leds.CAPS_LOCK)
    press(machine, "num_lock")
    leds.wait_for(Leds.CAPS_LOCK)
    press(machine, "caps_lock")
    leds.wait_for(0)
    leds.close()


def test_key_repeats(machine):
    """A key that is held comes again until it is let go."""
    since = len(machine.raw)
    type_text(machine, "cat\nready\n")
    machine.wait_for("^ready\nready\n", since)
    key(machine, "x", True)
    machine.wait_for("xxxxxxxx", since)
    key(machine, "x", False)
    press(machine, "ret")
    # The text comes once by the terminal's echo, and once by cat.
    machine.wait_for("^(x{8,})\n\\1\n", since)
    press(machine, "ctrl-d")
    machine.wait_for(PROMPT, since)


def test_two_keyboards(machine):
    """The Shift of a second keyboard, behind a hub, counts for both, and is let go when that keyboard is pulled out."""
    plug(machine, "hub", "usb-hub", port="3")
    plug(machine, "two", port="3.2")
    run(machine, "echo Two", "Two")
    key(machine, "shift", True)
    since = len(machine.raw)
    press(machine, "a", "ret")
    machine.wait_for(rf"A: not found\n{PROMPT}", since)
    unplug(machine, "two")
    run(machine, "echo one", "one")
    plug(machine, "three", port="3.5")
    run(machine, "echo Three", "Three")
    # Pulling out the hub pulls out what is plugged into it.
    unplug(machine, "hub")
    run(machine, "echo one again", "one again")


def test_plugged_often(machine):
    """After twenty times in and out there is nothing to type at, and a keyboard that is plugged in then works."""
    for _ in range(20):
        plug(machine, "again")
        unplug(machine, "again")
    unplug(machine, "one")
    plug(machine, "last")
    run(machine, "echo at last", "at last")
    machine.send("dmesg\n")
    machine.wait_for(PROMPT, len(machine.raw))
    assert "left alone" not in machine.text, machine.text


def port_write(machine, function, register, form, value):
    """Write to a function's configuration space as the guest would by its ports; `function`: bus, device * 8 + function.

    The guest stands still meanwhile: QEMU ends by a fault of its own when a guest's access waits for the very device
    that the write takes away.
    """
    bus, device = function
    machine.stop()
    machine.qmp.human(f"o/w 0xcf8 {0x80000000 | bus << 16 | device << 8 | register:#x}")
    machine.qmp.human(f"o/{form} 0xcfc {value:#x}")
    machine.resume()


def monitor_cpu(machine, since, send):
    """Check that the monitor obeys what is typed."""
    send("cpu\n")
    machine.wait_for("^CR0 0x", since)


def test_controller_that_dies():
    """A controller that dies is started anew: the monitor, at one without interrupts by messages, behind two hubs.

    The controller is stopped, and then it is gone. Without bus mastering it reaches no memory, which is an error: the
    kernel starts it anew. Then its slot's power goes off.
    """
    words = ("-device pcie-root-port,id=root -device nec-usb-xhci,msix=off,msi=off,bus=root -device usb-hub,port=2 "
             "-device usb-hub,port=2.1 -device usb-kbd,port=2.1.4 -device usb-mouse")
    config = Config(machine="q35,smm=off,i8042=off", display=("-vga", "none"), extra=tuple(words.split()))
    with Machine(config) as machine:
        machine.wait_for("xHCI: 8 ports, 64 slots; no interrupt by messages: polled by a timer$")
        machine.wait_for(r"USB 1-5: 0627:0001, no keyboard with a boot protocol, so no driver$")
        machine.wait_for(r"USB 1-6\.1\.4: 0627:0001, keyboard$")
        monitor_cpu(machine, len(machine.raw), lambda text: type_text(machine, text))
        assert "left alone" not in machine.text, machine.text

        since = len(machine.raw)
        port_write(machine, (1, 0), 0x04, "h", 0x2)
        machine.wait_for("PCI 0000:01:00.0: xHCI: does not answer: started anew$", since)
        machine.wait_for(r"USB 1-6\.1\.4: 0627:0001, keyboard$", since)
        monitor_cpu(machine, len(machine.raw), lambda text: type_text(machine, text))

        since = len(machine.raw)
        port_write(machine, (0, 1 << 3), 0x6c, "h", 0x7c0)
        machine.wait_for("PCI 0000:01:00.0: xHCI: gone$", since)
        monitor_cpu(machine, since, machine.send)
        assert machine.text.count("xHCI: gone") == 1, machine.text
