"""Test contexts on a CPU with PCID, INVPCID and global pages: Bochs has such a CPU, QEMU's TCG has not."""

import re
import subprocess

import ktap
import pytest
from bochs import Bochs
from bundles import KERNEL, bundle
from contract import ROOT

CR4_PGE, CR4_PCIDE = 1 << 7, 1 << 17
PCIDS = 64  # TLB_PCIDS of kernel/mm/space/tlb.h


@pytest.fixture(name="bochs", scope="module")
def _bochs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("bochs")
    boot = bundle(directory / "BOOTX64.EFI", KERNEL, cmdline="console=ttyS0 selftest")
    image = directory / "disk.img"
    subprocess.run([ROOT / "scripts" / "mkimage", boot, image], check=True)
    with Bochs(image) as bochs:
        bochs.wait_prompt()
        yield bochs


def control_registers(bochs):
    return {name: int(value, 16) for name, value in re.findall(r"\b(CR\d) 0x([0-9a-f]+)", bochs.command("cpu"))}


def test_boot_report(bochs):
    """The CPU has PCID, INVPCID and global pages, and the tables are right."""
    features = re.search(r"^CPU features:(.*(?:\n  .*)*)", bochs.text, re.MULTILINE)[1].split()
    assert {"PCID", "INVPCID", "PGE"} <= set(features)
    audits = re.findall(r"^audit: (\w+) context: 0 W\+X, 0 user, 0 stray global, 0 outside the map;", bochs.text,
                        re.MULTILINE)
    assert audits == ["kernel", "firmware"]


def test_selftest(bochs):
    """Every self-test holds, those of contexts among them."""
    results = ktap.parse(bochs.text)
    assert [str(result) for result in results if not result.passed] == []
    assert sum(result.suite == "context" for result in results) == 8


def test_registers(bochs):
    """PCIDs and global pages are on, and the kernel context has its own PCID."""
    registers = control_registers(bochs)
    assert registers["CR4"] & (CR4_PCIDE | CR4_PGE) == CR4_PCIDE | CR4_PGE
    assert registers["CR3"] & 0xFFF == 1


def test_stats(bochs):
    """Most switches keep the TLB's content; all PCIDs were given out, and given out again; INVPCID was used."""
    stats = bochs.command("stats")
    writes, flushed, dealt = map(int, re.search(
        r"CR3: (\d+) writes, (\d+) of them flushed; PCIDs on, dealt (\d+) times", stats).groups())
    assert dealt > PCIDS
    assert dealt <= flushed < writes
    assert int(re.search(r"(\d+) by INVPCID", stats)[1]) > 0


def test_interrupts_and_time(bochs):
    """With x2APIC mode and TSC deadlines an interrupt does not write CR3.

    CPUID's word for the TSC's rate is not kept.
    """
    results = re.findall(r"^(not ok|ok) \d+ (?:- )?(time: .*)$", bochs.text, re.MULTILINE)
    assert len(results) == 10
    assert "time: an interrupt keeps to its CR3 writes" in [name for verdict, name in results if verdict == "ok"]
    assert re.search(r"^CPUs: 1; APIC: x2APIC, id 0; I/O APICs: 0$", bochs.text, re.MULTILINE)
    mhz, timer = re.search(r"^TSC: ([\d.]+) MHz by PIT; timer: (.*)$", bochs.text, re.MULTILINE).groups()
    # the rate that bochs.py sets by `ips`
    assert abs(float(mhz) - 10) < 0.1
    assert timer == "TSC deadline"
