"""Test firmware worse than any emulator's: test/qemu/hostile.c spoils what OVMF says, and starts the boot file."""

import re

import pytest
from bundles import KERNEL, bundle, disk, fat_image
from contract import BUILD
from guest import Guest
from machine import Config, Machine


def start(directory, words, **fields):
    """Have the UEFI shell start hostile.efi with these words, which starts the boot file."""
    (directory / "startup.nsh").write_text(f"@echo -off\r\nfs0:\r\nhostile.efi {words}\r\n")
    boot = bundle(directory / "ankeos.efi", KERNEL, cmdline="console=ttyS0 init=none")
    image = fat_image(directory / "disk.img", {"startup.nsh": directory / "startup.nsh", "ankeos.efi": boot,
                                               "hostile.efi": BUILD / "hostile.efi"})
    fields = {"display": ("-vga", "none"), "extra": disk(image), **fields}
    machine = Machine(Config(boot=None, **fields))
    return machine


@pytest.mark.parametrize(("words", "fields", "said"), [
    ("acpi runtime special high", {"cpu": "max,la57=off,phys-bits=46"}, (
        r"^memory: 1 MiB left out: for special purposes",
        r"^memory: 2 MiB left out: persistent",
        r"^memory: 3 MiB left out: not accepted by this guest",
        r"^memory: 4 MiB left out: that must not be cached",
        r"^memory: 1 GiB left out: above 16 TiB",
        r"^memory: 1 GiB left out: beyond the CPU's physical addresses",
        r"^ACPI: tables outside RAM, read through \d+ mappings",
        r"^CPUs: 1; .* I/O APICs: 1$",
        r"^TSC: .* by HPET",
        r"^firmware: runtime region of 1 pages at 0xfed40800 left out: no such addresses",
        r"^firmware: runtime region of 16 pages at 0x1000000000000 left out: no such addresses",
        r"^firmware: runtime region of 16 pages at 0xfffffffffffff000 left out: no such addresses",
        r"^firmware: runtime region of \d+ pages at 0xfed50000 left out: no such addresses",
        r"^firmware: runtime region of \d+ pages at 0x[0-9a-f]+ left out: it overlaps another",
    )),
    ("fragments", {"memory": "64M"}, ()),
], ids=("tables", "fragments"))
def test_boots_all_the_same(tmp_path, words, fields, said):
    """Wrong entries are left out and named; the rest works, also the way out by the firmware."""
    with start(tmp_path, words, **fields) as machine:
        machine.wait_for(r"^UEFI Interactive Shell")
        machine.send(" ")
        machine.wait_prompt()
        for pattern in said:
            assert re.search(pattern, machine.text, re.MULTILINE), machine.failure(pattern)
        assert "no firmware context" not in machine.text
        complaints = Guest(machine).complaints()
        assert not complaints, "\n" + "\n".join(complaints)
        machine.resume()
        machine.send("poweroff\r")
        assert machine.wait_exit() == "guest-shutdown"


def test_nothing_is_ram(tmp_path):
    """When a descriptor covers the whole address space, the loader says so while there is a firmware to go back to."""
    with start(tmp_path, "everything") as machine:
        machine.wait_for(r"^UEFI Interactive Shell")
        machine.send(" ")
        machine.wait_for(r"^ankeos: memory map: its \d+ bytes leave no RAM to run in")
        machine.wait_for(r"^hostile: Not Found")
