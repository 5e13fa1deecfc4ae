"""Test interrupts and time on machines that differ in their hardware for these, judged by QEMU's view where it has one."""

import datetime
import re

import pytest
from machine import Config, Machine

SELFTEST = "console=ttyS0 selftest"
OF_TIME = f"{SELFTEST}=time"
NO_DISPLAY = ("-vga", "none")
# The checks of kernel/selftest/irq_selftest.c.
CHECKS = 10

MACHINES = {
    "q35": Config(append=OF_TIME, display=NO_DISPLAY),
    "pc": Config(append=OF_TIME, display=NO_DISPLAY, machine="pc,smm=off"),
    "no HPET": Config(append=OF_TIME, display=NO_DISPLAY, machine="q35,smm=off,hpet=off"),
    "no HPET, no PIT": Config(append=OF_TIME, display=NO_DISPLAY, machine="q35,smm=off,hpet=off,pit=off"),
    "qemu64": Config(append=OF_TIME, display=NO_DISPLAY, cpu="qemu64"),
    "four CPUs": Config(append=OF_TIME, display=NO_DISPLAY, extra=("-smp", "4")),
    "icount": Config(append=OF_TIME, display=NO_DISPLAY, icount=True),
}

CLOCK = datetime.datetime(2031, 2, 3, 4, 5, 6)


def boot_line(machine, pattern):
    """Return the groups of the boot log's line that matches."""
    match = re.search(pattern, machine.text, re.MULTILINE)
    assert match, machine.text
    return match.groups()


@pytest.mark.parametrize("name", MACHINES)
def test_selftest(name):
    """Every check passes; the boot log names the hardware that this machine has."""
    with Machine(MACHINES[name]) as machine:
        machine.wait_prompt()
        results = re.findall(r"^(not ok|ok) \d+ (?:- )?(time: .*)$", machine.text, re.MULTILINE)
        assert [check for verdict, check in results if verdict != "ok"] == []
        assert len(results) == CHECKS
        cpus, mode, io_apics = boot_line(machine, r"^CPUs: (\d+); APIC: (\w+), id 0; I/O APICs: (\d+)$")
        assert (cpus, io_apics) == ("4" if name == "four CPUs" else "1", "1")
        # TCG has no x2APIC before QEMU 9.
        assert mode in ("xAPIC", "x2APIC")
        mhz, source = boot_line(machine, r"^TSC: ([\d.]+) MHz by (HPET|PIT|ACPI PM timer)")
        assert source == {"no HPET": "PIT", "no HPET, no PIT": "ACPI PM timer"}.get(name, "HPET")
        if name == "icount":
            # With this machine the counter counts QEMU's own nanoseconds.
            assert abs(float(mhz) - 1000) < 1


@pytest.mark.parametrize("cpus, word, run", [
    (2, "", 2), (4, "", 4), (4, "maxcpus=3", 3), (4, "nosmp", 1), (4, "maxcpus=0", 1),
    ("6,sockets=2,cores=3,threads=1", "", 6), ("4,maxcpus=8", "", 4), (64, "", 64)])
def test_cpus_start(cpus, word, run):
    """All CPUs that the tables list run, whatever their APIC ids, but no more than wanted; with nothing to do all halt."""
    with Machine(Config(append=f"console=ttyS0 init=none {word}", display=NO_DISPLAY, extra=("-smp", f"{cpus}"))) as machine:
        machine.wait_prompt()
        if run > 1:
            assert boot_line(machine, r"^CPUs: (\d+) run, after \d+ us$") == (f"{run}",)
        assert "does not start" not in machine.text and "left alone" not in machine.text
        # At first the CPUs share the work of the task that looks for devices. The first CPU runs the monitor, which
        # polls.
        for _ in range(200):
            machine.stop()
            halted = re.findall(r"HLT=(\d)", machine.qmp.human("info registers -a"))
            if halted.count("1") >= len(halted) - 1:
                break
            machine.resume()
        assert halted.count("1") >= len(halted) - 1, halted


def test_panic_stops_all_cpus():
    """The CPU that panics is the only one that reports it; afterwards all of them halt."""
    with Machine(Config(append="console=ttyS0 init=none", display=NO_DISPLAY, extra=("-smp", "4"))) as machine:
        machine.wait_prompt()
        machine.send("panic\n")
        machine.wait_for(r"^The machine is halted\.$")
        machine.stop()
        assert re.findall(r"HLT=(\d)", machine.qmp.human("info registers -a")) == ["1"] * 4
        assert machine.text.count("kernel panic") == 1, machine.text


@pytest.fixture(name="idle", scope="module")
def _idle():
    extra = ("-rtc", f"base={CLOCK.isoformat()}")
    with Machine(Config(append="console=ttyS0", display=NO_DISPLAY, extra=extra, cold=True)) as machine:
        machine.wait_prompt()
        # The task that looks for devices sleeps in between while others want the CPU, and then ends.
        assert any("no timer is started" in machine.command("irqs") for _ in range(1000)), machine.text
        yield machine


def test_wall_clock(idle):
    """The date is the one that the machine was given, plus the time that the firmware took."""
    text, = boot_line(idle, r"^wall clock: ([\d-]+ [\d:]+) UTC$")
    late = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S") - CLOCK
    assert datetime.timedelta(0) <= late < datetime.timedelta(minutes=10)


def test_nothing_is_unmasked_by_itself(idle):
    """Both 8259s and every input of the I/O APIC are masked until a driver asks."""
    text = idle.qmp.human("info pic")
    assert re.findall(r"^pic\d: .*\bimr=(\w+)", text, re.MULTILINE) == ["ff", "ff"], text
    pins = re.findall(r"^\s*pin (\d+) .*$", text, re.MULTILINE)
    masked = re.findall(r"^\s*pin (\d+) .*\bmasked\b.*$", text, re.MULTILINE)
    assert pins and pins == masked, text


def test_idle_is_tickless(idle):
    """No timer is started, so the local APIC's timer is at rest: a single count that has run out counts no more."""
    text = idle.qmp.human("info lapic")
    assert re.search(r"^LVTT\s+0x[0-9a-f]+ active-hi edge\s+one-shot", text, re.MULTILINE), text
    assert re.search(r"current_count = 0\b", text), text


def test_irqs_command(idle):
    """The monitor shows the clocks, which run, and that nothing interrupts any more."""
    texts = [idle.command("irqs") for _ in range(2)]
    seconds = [float(re.search(r"^since the start ([\d.]+) s$", text, re.MULTILINE)[1]) for text in texts]
    assert seconds[0] < seconds[1]
    for text in texts:
        assert f"wall clock {CLOCK:%Y-%m-%d} " in text
        assert "no timer is started" in text
        assert "nobody's: 0" in text
    vectors = [re.findall(r"^vector .*$", text, re.MULTILINE) for text in texts]
    assert vectors[0] == vectors[1]
    assert all(vector.endswith(", timer") for vector in vectors[0]), vectors[0]


@pytest.mark.parametrize("signature, what", [("MCFG", "a wrong length"), ("HPET", "too short")])
def test_a_broken_table_is_named(tmp_path, signature, what):
    """QEMU's extra table of seven bytes is skipped; everything else goes on."""
    data = tmp_path / "data"
    data.write_bytes(b"\xff" * 7)
    extra = ("-acpitable", f"sig={signature},data={data}")
    config = Config(append=SELFTEST, display=NO_DISPLAY, machine="pc,smm=off,hpet=off", extra=extra)
    with Machine(config) as machine:
        machine.wait_prompt()
        boot_line(machine, rf"^ACPI: ({signature}) at 0x[0-9a-f]+ skipped: {what}$")
        assert "not ok" not in machine.text


@pytest.mark.parametrize("machine_type", ["q35,smm=off", "pc,smm=off"])
@pytest.mark.parametrize("command, reason", [("poweroff", "guest-shutdown"), ("reboot", "guest-reset")])
def test_power_without_the_firmware(machine_type, command, reason):
    """Where the runtime services are not to be used, ACPI's registers turn the machine off, or restart it."""
    config = Config(append="console=ttyS0 efi=noruntime", display=NO_DISPLAY, machine=machine_type)
    with Machine(config) as machine:
        machine.wait_prompt()
        assert "no firmware context" in machine.text
        machine.send(command + "\r")
        assert machine.wait_exit() == reason
