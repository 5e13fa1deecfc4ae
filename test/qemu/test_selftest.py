"""Run the kernel's self-tests on several machines, and boots in which one frame is refused."""

import re

import ktap
import pytest
from guest import Guest
from machine import Config, Machine

SUITES = {"frame", "window", "heap", "mmio", "context", "failure", "audit"}

# Machines with the least RAM that OVMF starts with; with an old CPU and chipset, no 1 GiB pages; with much RAM.
MACHINES = (Config(memory="64M"), Config(memory="2G", cpu="qemu64", machine="pc,smm=off", display=("-vga", "none")),
            Config(memory="64G"))


@pytest.mark.parametrize("config", MACHINES, ids=lambda config: config.memory)
def test_selftest(config):
    """All self-tests pass, the monitor comes, and a walk from outside finds the tables right."""
    config.append = "console=ttyS0 selftest"
    with Machine(config) as machine:
        machine.wait_prompt()
        results = ktap.parse(machine.text)
        assert [str(result) for result in results if not result.passed] == []
        assert SUITES <= {result.suite for result in results}
        assert Guest(machine).complaints() == []


def test_one_suite():
    with Machine(Config(append="console=ttyS0 selftest=window")) as machine:
        machine.wait_prompt()
        results = ktap.parse(machine.text)
        assert [str(result) for result in results if not result.passed] == []
        assert {result.suite for result in results} == {"window"}


# What a boot may say when a frame is refused: what the kernel cannot do without, and what it can.
REQUIRED = r"^no memory for the (kernel heap|MMIO window|local APIC)$"
OPTIONAL = (r"^stages: no squares on the screen: no memory$", r"^no firmware context", r"^screen: .* left alone: no memory$")


def boot_without_frame(nth: int) -> tuple[str, list[str]]:
    """Boot with the nth frame refused; return the text, and which of the above was said."""
    with Machine(Config(append=f"frame_fail={nth}")) as machine:
        machine.wait_for(r"^The machine is halted\.$|^anke> \Z")
        text = machine.text
        if "The machine is halted." in text:
            assert re.search(REQUIRED, text[text.index("= kernel panic ="):], re.MULTILINE), text
            return text, [REQUIRED]
        assert re.search(r"^frames: \d+ of \d+ free", machine.command("mem"), re.MULTILINE)
        audit = machine.command("audit")
        assert re.search(r"^audit: kernel context: 0 W\+X, 0 user, 0 stray global, 0 outside", audit, re.MULTILINE)
    return text, [pattern for pattern in OPTIONAL if re.search(pattern, text, re.MULTILINE)]


def test_one_frame_refused():
    """Each refusal leads to a panic that names what the kernel cannot lack, or to the monitor without what it can lack."""
    text, wanting = boot_without_frame(1000000)
    asked = re.search(r"^frame_fail: the boot asked for (\d+) frames only$", text, re.MULTILINE)
    assert asked and wanting == []
    last = int(asked[1])
    # The first frames are for the windows' books, then for the tables of the screen's first rows and of the firmware
    # context; the last one maps the screen.
    for nth, wanted in ((1, [REQUIRED]), (2, [REQUIRED]), (3, OPTIONAL[:1]), (5, OPTIONAL[:1]), (6, OPTIONAL[1:2]),
                        (9, OPTIONAL[1:2]), (20, []), (last - 1, []), (last, OPTIONAL[2:]), (last + 1, [])):
        text, wanting = boot_without_frame(nth)
        assert wanting == list(wanted), f"frame {nth}:\n{text}"
        if wanted != [REQUIRED]:
            assert (f"frame_fail: frame {nth} was refused" in text) == (nth <= last), text
