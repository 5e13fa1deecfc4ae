"""Serial ports other than COM1: those of the command line, those that are simply there, a PCI card's."""

import pytest
from bundles import busybox_bundle
from machine import Config, Machine

# What is there, what the command line says of it, the terminal's name, and a line of the log.
PORTS = {
    "the second, at 9,600": (("-device", "isa-serial,chardev=line,index=1"), "console=ttyS1,9600n8", "ttyS1", "AnkeOS"),
    "the fourth beside the first": (("-serial", "null", "-device", "isa-serial,chardev=line,index=3"), "console=ttyS3",
                                    "ttyS3", "AnkeOS"),
    "an address": (("-device", "isa-serial,chardev=line,iobase=0x1e0,irq=5"), "earlycon=uart8250,io,0x1e0,115200n8",
                   "ttyS4", "serial port: no interrupt, so it is polled"),
    "a card": (("-device", "pci-serial,chardev=line"), "console=ttyS0", "ttyS4",
               "serial port: no interrupt, so it is polled"),
    "the third alone, unnamed": (("-device", "isa-serial,chardev=line,index=2"), "", "ttyS2", "AnkeOS"),
}


@pytest.mark.parametrize("name", PORTS)
def test_port(name, tmp_path):
    """The log is there from its first line on, programs are typed at, long output comes whole."""
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
