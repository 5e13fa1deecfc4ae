"""Test serial ports other than COM1: named on the command line, found without it, or on a PCI card; several at once."""

import struct

import pytest
from bundles import busybox_bundle
from machine import Config, Machine, SerialPipe

# QEMU's words for a port, the words of the command line, the terminal's name, and a line of the log.
PORTS = {
    "the second, at 9,600": (("-device", "isa-serial,chardev=line,index=1"), "console=ttyS1,9600n8", "ttyS1", "AnkeOS"),
    "the fourth beside the first": (("-serial", "null", "-device", "isa-serial,chardev=line,index=3"), "console=ttyS3",
                                    "ttyS3", "AnkeOS"),
    "an address": (("-device", "isa-serial,chardev=line,iobase=0x1e0,irq=5"), "earlycon=uart8250,io,0x1e0,115200n8",
                   "ttyS4", "serial port ttyS4: no interrupt, so it is polled"),
    "a card": (("-device", "pci-serial,chardev=line"), "console=ttyS0", "ttyS4",
               "serial port ttyS4: no interrupt, so it is polled"),
    "the third alone, unnamed": (("-device", "isa-serial,chardev=line,index=2"), "", "ttyS2", "AnkeOS"),
}


@pytest.mark.parametrize("name", PORTS)
def test_port(name, tmp_path):
    """The log is there from its first line on, programs can be typed at, and long output comes whole."""
    device, words, terminal, said = PORTS[name]
    boot = busybox_bundle(tmp_path, f"{words} init=/bin/sh", ("sh", "echo", "seq", "tty", "stty"))
    with Machine(Config(boot=boot, serial_device=device)) as machine:
        machine.wait_for(r"^/ # \Z")
        assert machine.text.lstrip().find("AnkeOS 0.1\n") >= 0 and said in machine.text, machine.failure("log")
        since = len(machine.raw)
        machine.send(f"echo hello > /dev/{terminal}; seq 2000; echo e''nd\n")
        machine.wait_for(r"^hello\n1\n2\n(.*\n)*1999\n2000\nend\n", since)
        machine.send("exit\n")
        assert machine.wait_exit() == "guest-shutdown"


def read_until(pipe, end):
    """Return what comes from a port, up to and with `end`."""
    got = b""
    while end not in got:
        more = pipe.read(60)
        assert more, got
        got += more.replace(b"\r", b"")
    return got


def test_several_ports_at_once(tmp_path):
    """Both consoles have the log, the last one named is /dev/console; two ports share IRQ 4, and each can be typed at."""
    boot = busybox_bundle(tmp_path, "console=ttyS0 console=ttyS1 init=/bin/sh", ("sh", "echo", "seq", "tty", "stty", "cat"))
    first, third = SerialPipe(tmp_path / "first"), SerialPipe(tmp_path / "third")
    devices = []
    for index, name in ((0, "first"), (2, "third")):
        devices += ["-chardev", f"pipe,id={name},path={tmp_path}/{name}", "-device",
                    f"isa-serial,chardev={name},index={index}"]
    with Machine(Config(boot=boot, serial_device=("-device", "isa-serial,chardev=line,index=1", *devices))) as machine:
        machine.wait_for(r"^/ # \Z")
        assert "AnkeOS 0.1\n" in machine.text, machine.failure("log")
        said = read_until(first, b"initramfs: ")
        assert b"AnkeOS 0.1\n" in said and b"/ # " not in said
        machine.send("stty -F /dev/ttyS0 -echo; stty -F /dev/ttyS2 -echo; echo here > /dev/ttyS1\n")
        machine.wait_for(r"^here\n")
        since = len(machine.raw)
        machine.send("cat /dev/ttyS0 & cat /dev/ttyS2 &\n")
        for i in range(20):
            first.write(f"one {i}\n".encode())
            third.write(f"three {i}\n".encode())
        machine.wait_for(r"one 19\n", since)
        machine.wait_for(r"three 19\n", since)
        lines = machine.text
        assert all(f"one {i}\n" in lines and f"three {i}\n" in lines for i in range(20)), machine.failure("typed")
        machine.send("seq 2000 >/dev/ttyS2; seq 3000 3999 >/dev/ttyS0; kill %1 %2; echo a''ll\n")
        machine.wait_for(r"^all\n")
        assert read_until(third, b"\n2000\n").split() == [str(i).encode() for i in range(1, 2001)]
        assert read_until(first, b"\n3999\n").endswith("".join(f"{i}\n" for i in range(3000, 4000)).encode())
        machine.send("exit\n")
        assert machine.wait_exit() == "guest-shutdown"
    first.close()
    third.close()


def test_ports_of_a_card(tmp_path):
    """The ports of a card are terminals beside the console, each with its own line; one that nobody reads costs nothing."""
    boot = busybox_bundle(tmp_path, "console=ttyS0 init=/bin/sh", ("sh", "echo", "cat", "sleep", "test"))
    fourth, fifth = SerialPipe(tmp_path / "fourth"), SerialPipe(tmp_path / "fifth")
    devices = [word for name in ("fourth", "fifth") for word in ("-chardev", f"pipe,id={name},path={tmp_path}/{name}")]
    devices += ["-device", "pci-serial-2x,chardev1=fourth,chardev2=fifth"]
    with Machine(Config(boot=boot, serial_device=("-device", "isa-serial,chardev=line", *devices))) as machine:
        machine.wait_for(r"serial port ttyS5: no interrupt, so it is polled\n")
        machine.send("echo to the first > /dev/ttyS4; echo to the second > /dev/ttyS5; "
                     "read x < /dev/ttyS5; echo $x\n")
        assert read_until(fourth, b"first\n").endswith(b"to the first\n")
        assert read_until(fifth, b"second\n").endswith(b"to the second\n")
        fifth.write(b"typed at the second\n")
        machine.wait_for(r"^typed at the second\n")
        # Time is taken from the guest's own clock, in hundredths of a second: on a busy host `sleep 1` may take far
        # longer. The shell takes a number that begins with 0 for an octal one, so the fraction gets a 1 in front.
        machine.send("ticks() { while read name count rest; do test $name = LOC: && echo $count; done < /proc/interrupts; }\n"
                     "clock() { read up rest < /proc/uptime; echo $((${up%.*} * 100 + 1${up#*.} - 100)); }\n"
                     "before=$(ticks); start=$(clock); sleep 1; passed=$(($(clock) - start)); after=$(ticks)\n"
                     "test $((after - before)) -lt $((5 * passed)) && echo fe''w\n")
        machine.wait_for(r"^few\n")
        machine.send("exit\n")
        assert machine.wait_exit() == "guest-shutdown"
    fourth.close()
    fifth.close()


def port_table(space, address):
    """Return an SPCR table that names a 16550 at this port."""
    body = bytearray(80 - 36)
    body[0] = 0x12
    body[4:16] = struct.pack("<BBBBQ", space, 32, 0, 3, address)
    return bytes(body)


@pytest.mark.parametrize("space, address, said", (
    (1, 0x1e0, "serial port ttyS4: at I/O port 0x1e0\n"),
    (0, 0x100000, "serial port at 0x100000, of ACPI's tables: none answers there\n"),
    (0, 0xfed1c000, "serial port at 0xfed1c000, of ACPI's tables: none answers there\n")))
def test_port_of_the_tables(space, address, said, tmp_path):
    """A port that SPCR names is the console if there is no other; one over RAM, or where nothing is, is left alone."""
    table = tmp_path / "table"
    table.write_bytes(port_table(space, address))
    port = ("-device", "isa-serial,chardev=line,iobase=0x1e0,irq=5" if space else "isa-serial,chardev=line")
    with Machine(Config(append="", extra=("-acpitable", f"sig=SPCR,rev=2,data={table}"), serial_device=port)) as machine:
        machine.wait_for(r"anke> \Z")
        assert said in machine.text, machine.failure("log")
        assert "AnkeOS 0.1\n" in machine.text, machine.failure("log")


VIRTIO_CONSOLE = ("-device", "virtio-serial-pci", "-device", "virtconsole,chardev=line")


@pytest.mark.parametrize("words, display, extra", (
    ("console=ttyS0 console=hvc0", ("-vga", "std"), ("-serial", "null")),
    ("", ("-vga", "none"), ()),
    ("console=hvc0", ("-vga", "none"), ())))
def test_virtio_console(words, display, extra, tmp_path):
    """hvc0 is the console when it is named, or when there is nothing else: log, programs, what is typed, long output."""
    boot = busybox_bundle(tmp_path, f"{words} init=/bin/sh", ("sh", "echo", "seq", "tty", "stty"))
    device = (*(VIRTIO_CONSOLE if not words.endswith("=hvc0") or extra else
                (*VIRTIO_CONSOLE[:1], "virtio-serial-pci,vectors=0", *VIRTIO_CONSOLE[2:])), *extra)
    with Machine(Config(boot=boot, display=display, serial_device=device)) as machine:
        machine.wait_for(r"^/ # \Z")
        assert "AnkeOS 0.1\n" in machine.text, machine.failure("log")
        since = len(machine.raw)
        machine.send("echo hello > /dev/hvc0; seq 5000; stty; echo e''nd\n")
        machine.wait_for(r"^hello\n1\n2\n(.*\n)*4999\n5000\nspeed(.*\n)*end\n", since)
        machine.send("exit\n")
        assert machine.wait_exit() == "guest-shutdown"


def test_virtio_console_beside_others(tmp_path):
    """A console that is found after the first program has started is one more terminal, hvc0."""
    boot = busybox_bundle(tmp_path, "console=ttyS0 init=/bin/sh", ("sh", "echo"))
    pipe = SerialPipe(tmp_path / "hvc")
    devices = ("-device", "isa-serial,chardev=line", "-chardev", f"pipe,id=hvc,path={tmp_path}/hvc", "-device",
               "virtio-serial-pci", "-device", "virtconsole,chardev=hvc")
    with Machine(Config(boot=boot, serial_device=devices)) as machine:
        machine.wait_for(r"hvc0, a virtio console\n")
        machine.send("echo out > /dev/hvc0; read x < /dev/hvc0; echo got $x\n")
        read_until(pipe, b"out\n")
        pipe.write(b"typed there\n")
        machine.wait_for(r"^got typed there\n")
        machine.send("exit\n")
        assert machine.wait_exit() == "guest-shutdown"
    pipe.close()
