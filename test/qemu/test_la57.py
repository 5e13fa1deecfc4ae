"""Test a firmware that left 5-level paging on: the loader must turn it off, through a page below 4 GiB.

Debian's OVMF never turns it on, so the test does, from outside, while the CPU stands at the loader's first instruction:
a fifth level above the firmware's own root changes no address that the firmware uses.
"""

import struct

import contract
import pytest
from bundles import KERNEL, STUB, bundle
from guest import CR4_LA57, Guest
from contract import BUILD
from machine import Config, Machine

CR3, CR4 = 29, 30  # numbers in QEMU's description of the registers to gdb
TABLE = 4096  # the size of an .osrel section that nobody reads: its page is the frame for the fifth level


def sections(path):
    """Return name: (address in the loaded image, size), and the entry's address, of a PE32+ file."""
    content = path.read_bytes()
    pe, = struct.unpack_from("<I", content, 0x3C)
    count, = struct.unpack_from("<H", content, pe + 6)
    optional, = struct.unpack_from("<H", content, pe + 20)
    entry, = struct.unpack_from("<I", content, pe + 24 + 16)
    found = {}
    for index in range(count):
        name, size, address = struct.unpack_from("<8sII", content, pe + 24 + optional + 40 * index)
        found[name.rstrip(b"\0").decode()] = (address, size)
    return found, entry


@pytest.fixture(name="boot_file", scope="module")
def _boot_file(tmp_path_factory):
    directory = tmp_path_factory.mktemp("la57")
    (directory / "osrel").write_bytes(bytes(TABLE))
    return bundle(directory / "boot.efi", KERNEL, stub=STUB, initrd=BUILD / "initrd.cpio", osrel=directory / "osrel",
                  cmdline="console=ttyS0 init=none")


def image_base(config):
    """Return where the firmware loads the file: the same place in every run of one machine."""
    with Machine(config) as machine:
        machine.wait_prompt()
        return Guest(machine).info.initrd - sections(config.boot)[0][".initrd"][0]


def set_register(register, value):
    """Return the gdb command that sets a register whose type gdb cannot assign to: a packet of the remote protocol."""
    return f"maintenance packet P{register:x}={value.to_bytes(8, 'little').hex()}"


def test_five_levels_are_left(boot_file):
    """The kernel runs in 4-level mode, with the very tables that it always has."""
    config = Config(memory="5G", cpu="max", boot=boot_file, display=("-vga", "none"), icount=True)
    found, entry = sections(boot_file)
    base = image_base(config)
    table = base + found[".osrel"][0]
    with Machine(config, paused=True) as machine:
        machine.gdb(f"hbreak *{base + entry:#x}", "continue")
        firmware = machine.registers()
        output = machine.gdb(f"set {{unsigned long}}{table:#x} = {firmware['CR3'] | 3:#x}",
                             set_register(CR3, table), set_register(CR4, firmware["CR4"] | CR4_LA57))
        registers = machine.registers()
        assert registers["RIP"] == base + entry and registers["CR3"] == table, output
        assert registers["CR4"] & CR4_LA57, output
        machine.resume()
        machine.wait_prompt()
        guest = Guest(machine)
        assert not guest.registers["CR4"] & CR4_LA57
        assert guest.info.flags & contract.number("BOOT_LA57_DROPPED")
        assert not guest.complaints()
