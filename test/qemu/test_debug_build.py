"""Test the build by the other compiler, `make DEBUG=1 CC=clang`, which checks the heap and undefined behaviour."""

import os
import re
import shutil
import subprocess

import ktap
import pytest
import usertests
from bundles import bundle
from contract import BUILD, ROOT
from machine import LIMIT, PROMPT, Config, Machine
from test_faults import provoke

PARTS = ("Makefile", "efi", "kernel", "paging", "scripts", "vdso")
NO_DISPLAY = ("-vga", "none")


@pytest.fixture(name="build", scope="module")
def _build(tmp_path_factory):
    """Make that build of a copy of the sources, and return its directory."""
    tree = tmp_path_factory.mktemp("debug")
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tree / part)
    made = subprocess.run(["make", "-s", "-j2", "-C", str(tree), "DEBUG=1", "CC=clang", "SYMBOLS=-g1",
                           "build/loader.efi", "build/kernel.strip.elf"], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return tree / "build"


def boot(directory, build, cmdline, initrd=None, exact=False):
    sections = {"initrd": initrd} if initrd else {}
    path = bundle(directory / "debug.efi", build / "kernel.strip.elf", stub=build / "loader.efi",
                  cmdline=f"console=ttyS0 {cmdline}", **sections)
    return Machine(Config(boot=path, display=NO_DISPLAY, exact=exact))


def test_selftests(tmp_path, build):
    """All self-tests pass."""
    with boot(tmp_path, build, "selftest init=none") as machine:
        machine.wait_prompt()
        assert [str(result) for result in ktap.parse(machine.text) if not result.passed] == []
        assert "0 W+X" in machine.command("audit")


# How each panic is caused, and what its page must say: of locks both places; of the heap who allocated and who freed.
BUGS = {
    "small": r"^undefined behaviour: member access at 0xdddddddddddddddd, which is not aligned for 'struct node'",
    "over": r"^heap: overrun of block 0x[0-9a-f]+ \(48 bytes, allocated by 0x[0-9a-f]+\): byte 48 was written",
    "order": r"^kernel/monitor/provoke\.c:[0-9]+ takes LOCK_TIMERS, but LOCK_SCREEN was taken at kernel/monitor/provoke\.c:",
    "again": r"^heap: kfree by 0x[0-9a-f]+ of block 0x[0-9a-f]+ \(48 bytes, allocated by 0x[0-9a-f]+\), freed already by 0x",
}


@pytest.mark.parametrize("how", BUGS)
def test_bugs_of_the_kernel(tmp_path, build, how):
    with boot(tmp_path, build, "init=none") as machine:
        page = provoke(machine, how)
        assert re.search(BUGS[how], page, re.MULTILINE), page


def test_programs(tmp_path, build):
    """The programs' tests pass, and nothing is found wrong meanwhile."""
    with boot(tmp_path, build, f"-- {' '.join(usertests.BRIEF_WORDS)}", initrd=BUILD / "user" / "test-musl.cpio") as machine:
        machine.wait_for(usertests.END)
        complaints = usertests.complaints(machine.text, usertests.BRIEF)
        assert not complaints, "\n".join([*complaints, machine.text])
        assert machine.wait_exit() == "guest-shutdown"


def test_slow(tmp_path, build):
    """A stretch without interrupts, and one without another task, is a line that names the place, and no panic."""
    with boot(tmp_path, build, "stops init=none", exact=True) as machine:
        machine.wait_prompt()
        assert "stop: " not in machine.text, machine.text
        machine.command("panic slow")
        for line in (r"^stop: interrupts were off for 3\d{3} us, from kernel/monitor/provoke\.c:\d+ to 0x[0-9a-f]{16}$",
                     r"^stop: a task in the kernel had the CPU for 3\d{3} us, until kernel/task/sched\.c:\d+$"):
            assert re.search(line, machine.text, re.MULTILINE), machine.text


def test_nobody_waits(tmp_path, build):
    """Programs run from the first to the last, and no call of any keeps the CPU for a millisecond of guest time."""
    with boot(tmp_path, build, "stops -- info", initrd=BUILD / "user" / "test-musl.cpio", exact=True) as machine:
        machine.wait_for(usertests.END)
        assert "stop: " not in machine.text, machine.text


# In CI this runs with memory refused only: the normal build has a test that refuses none.
STORMS = {"refused": "frame_fail_user=100 heap_fail_user=101", "": ""}


@pytest.mark.parametrize("how", [how if how else pytest.param(how, marks=pytest.mark.slow) for how in STORMS])
def test_storm(tmp_path, build, how):
    """Eight threads make random calls at once for 5 s, two minutes with `make test-slow`: nothing is found wrong."""
    seconds = int(os.environ.get("ANKEOS_STORM", "5"))
    options = f"monitor {STORMS[how]} -- stay storm:{seconds}:5"
    with boot(tmp_path, build, options, initrd=BUILD / "user" / "attack-musl.cpio") as machine:
        # Wait for the prompt, too: a kernel that could not start /init would never say the rest.
        machine.wait_for(rf"{usertests.END}|^{PROMPT}\Z", limit=LIMIT + 4 * seconds)
        machine.wait_prompt()
        complaints = usertests.complaints(machine.text, ("storm",))
        assert not complaints, "\n".join([*complaints, machine.text])
        assert "0 W+X, 0 user, 0 stray global, 0 outside the map" in machine.command("audit"), machine.text
