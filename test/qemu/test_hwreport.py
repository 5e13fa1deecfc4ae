"""Test `hwreport`: the report must say what QEMU and our own reading of the guest's memory say, and serve as a fixture."""

import re
import struct
import subprocess
import sys

import pytest

import firmware_map
from contract import ROOT, number
from guest import Guest
from machine import CONSOLES, Config, Machine

sys.path.insert(0, str(ROOT / "scripts"))

import hwreport  # noqa: E402  pylint: disable=wrong-import-position,import-error

WORDS = f"{CONSOLES} printk.time=1 quiet hwreport"
EFER_SCE = 1
END = r"hw \d+ END crc32=[0-9a-f]{8}$"


def check_memory(report, guest):
    """Check the firmware's descriptors, the map that was handed over, and what the loader knew, as they lie in memory."""
    info = guest.info
    raw = guest.machine.read(info.efi_map, info.efi_map_size)
    assert report.facts["efi-map"]["step"] == info.efi_descriptor_size
    assert report.lists["efi"] == firmware_map.descriptors(raw, info.efi_descriptor_size)
    ranges = [firmware_map.Range(start, end, kind)
              for (start, end), kind in zip(report.lists["range"], report.memory_types)]
    assert ranges == guest.memmap() == guest.expected_memmap()
    assert report.facts["map"]["excess"] == info.hhdm_excess
    assert report.lists["segment"] == info.segments()
    assert report.facts["tables"] == {"pa": info.tables, "frames": info.table_frames, "spare": info.table_spare}
    assert report.facts["initrd"] == {"pa": info.initrd, "bytes": info.initrd_size}
    assert report.facts["framebuffer"] == {
        "pa": info.field("framebuffer.pa"), "bytes": info.field("framebuffer.size"),
        **{name: info.field(f"framebuffer.{name}", "I") for name in ("width", "height", "pitch")}}


def check_cpu(report, guest):
    registers = guest.registers
    assert report.facts["registers"] == {name.lower(): registers[name] for name in ("CR0", "CR3", "CR4")}
    assert report.facts["msrs"]["pat"] == number("PAT_VALUE")
    # The bit for system calls is set only with the first task.
    assert report.facts["msrs"]["efer"] | EFER_SCE == registers["EFER"] | EFER_SCE
    assert report.facts["cpu"]["maxphyaddr"] == guest.physical_bits
    assert report.texts["brand"].startswith("QEMU"), report.texts
    assert report.huge_pages == (guest.largest_page() == 1 << 30)
    leaves = [(leaf, subleaf) for leaf, subleaf, *_ in report.lists["cpuid"]]
    assert leaves == sorted(set(leaves)) and {(0, 0), (1, 0), (0x80000001, 0), (0x80000008, 0)} <= set(leaves)
    _, _, _, first, last, middle = report.lists["cpuid"][0]
    assert f"vendor={struct.pack('<3I', first, middle, last).decode()}" in report.rows("cpu")[0], report.rows("cpu")


def check_leaves(report, guest):
    """The runs are those that the tests' own walker finds, by page size; the kernel may have mapped more since."""
    found = []
    for start, last, rights, kind, *counts in report.rows("leaves"):
        counts = {name: int(count) for name, count in (word.split("=") for word in counts)}
        pages = (counts["1G"] << 30) + (counts["2M"] << 21) + (counts["4K"] << 12)
        assert int(last, 16) - int(start, 16) + 1 == pages, (start, last, counts)
        found.append((int(start, 16), int(last, 16), rights, kind))
    assert found == sorted(found)
    for start, last, rights, _ in found:
        for va in (start, last & ~0xFFF):
            guest.walk.translate(va)
        assert "w" not in rights or "x" not in rights
    said = sum(last - start + 1 for start, last, _, _ in found if start < 0xFFFF900000000000)
    ram = sum(r.end - r.start for r in guest.memmap() if r.ram)
    assert said == ram, "the direct map is all RAM"


def table(guest, pa):
    """Return name, bytes and whether the sum is right, of the ACPI table at `pa`."""
    name, size = struct.unpack("<4sI", guest.machine.read(pa, 8))
    return name.decode(), size, sum(guest.machine.read(pa, size)) % 256 == 0


def check_acpi(report, guest):
    """Check each table of the XSDT, and the DSDT of the FADT, with their own lengths and sums."""
    rsdp = guest.info.rsdp
    root = guest.machine.read(rsdp, 36)
    assert report.rows("rsdp") == [[f"{rsdp:#x}", f"revision={root[15]}", "checksum=good", "extended=good"]]
    xsdt, = struct.unpack_from("<Q", root, 24)
    size = table(guest, xsdt)[1]
    places = [xsdt, *(entry for entry, in struct.iter_unpack("<Q", guest.machine.read(xsdt + 36, size - 36)))]
    wanted = {}
    for pa in places:
        wanted[pa] = table(guest, pa)
        if wanted[pa][0] == "FACP":
            dsdt, = struct.unpack("<Q", guest.machine.read(pa + 140, 8))
            dsdt = dsdt or struct.unpack("<I", guest.machine.read(pa + 40, 4))[0]
            wanted[dsdt] = table(guest, dsdt)
    said = {int(pa, 16): (name, int(size[6:]), checksum == "checksum=good")
            for name, pa, size, checksum in report.rows("acpi")}
    assert said == wanted
    assert {"APIC", "FACP", "DSDT"} <= {name for name, _, _ in said.values()}
    assert report.facts["madt"]["cpus"] == 2 and report.facts["madt"]["io_apics"] == 1
    assert report.facts["acpi-info"]["faults"] == 0


@pytest.mark.parametrize("fields", [
    {"cpu": "max,la57=off", "memory": "2G"},
    {"cpu": "qemu64", "machine": "pc", "memory": "5G"},
    {"cpu": "qemu64", "machine": "pc", "memory": "64M"},
])
def test_report_of_the_machine(tmp_path, fields):
    """The report comes at boot, even with `quiet`, with times before each line; and by the monitor's command."""
    with Machine(Config(append=WORDS, extra=("-smp", "2"), **fields)) as machine:
        machine.wait_prompt()
        boot = hwreport.parse(machine.raw)
        since = len(machine.raw)
        machine.send("hwreport\r")
        machine.wait_for(END, since)
        machine.wait_prompt(since)
        later = hwreport.parse(machine.raw[since:])
        guest = Guest(machine)
        for report in (boot, later):
            assert report.texts["cmdline"].startswith(WORDS), report.texts
            assert max(len(f"hw {line.number} {line.text}") for line in report.lines) <= 100
            check_memory(report, guest)
            check_cpu(report, guest)
            check_leaves(report, guest)
            check_acpi(report, guest)
        assert re.search(r"^\[ +\d+\.\d{6}\] hw 2 ", machine.text, re.MULTILINE), machine.text
        (tmp_path / "serial.log").write_bytes(machine.raw)
    converter = ROOT / "scripts/hwreport2fixture"
    result = subprocess.run([converter, tmp_path / "serial.log", "-o", tmp_path / "machine.inc"],
                            capture_output=True, text=True, check=False)
    assert result.returncode == 0, result
    assert (tmp_path / "machine.inc").read_text().count("\n") > 20


def test_before_the_first_program():
    """The whole report comes before the default init, which finds the same in the log and in /sys."""
    with Machine(Config(append=f"{CONSOLES} hwreport init=/init")) as machine:
        machine.wait_for(END)
        boot = hwreport.parse(machine.raw)
        machine.wait_for(r"# \Z")
        assert machine.text.index("END crc32=") < machine.text.rindex("# "), machine.text
        for command in ("dmesg | grep 'hw '", "cat /sys/kernel/ankeos/hwreport"):
            since = len(machine.raw)
            machine.send(command + "\r")
            machine.wait_for(END, since)
            machine.wait_for(r"# \Z", since)
            again = hwreport.parse(machine.raw[since:])
            # CPUID shows the FPU state that programs have turned on since the boot.
            for key in ("efi", "range", "segment", "acpi", "rsdp", "cmdline", "framebuffer"):
                assert again.rows(key) == boot.rows(key), machine.text


def test_not_without_the_word():
    with Machine(Config()) as machine:
        machine.wait_prompt()
        assert "hw 1 " not in machine.text, machine.text
