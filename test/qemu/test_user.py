"""Ordinary static Linux programs on our kernel: each call's results and errors, and attacks that it must survive."""

import os
import sys
from pathlib import Path

import pytest
from bundles import KERNEL, bundle
from contract import BUILD, ROOT
from guest import Guest
from machine import LIMIT, PROMPT, Config, Machine

sys.path.insert(0, str(Path(ROOT) / "test" / "user"))

import usertests  # noqa: E402  pylint: disable=wrong-import-position

FUZZ_CALLS = int(os.environ.get("ANKEOS_FUZZ", "20000"))
# The prompt too: a kernel that did not run /init to its end need not be waited for.
END = rf"{usertests.END}|^{PROMPT}\Z"
# Seconds for each 1,000 calls: children that hang cost more than those that die.
FUZZ_PACE = 1


def boot(directory, archive, words=(), options=""):
    """A machine whose /init is the archive's runner; `words` go to it, `options` to the kernel."""
    path = bundle(directory / "user.efi", KERNEL, initrd=BUILD / "user" / archive,
                  cmdline=f"console=ttyS0 {options} -- {' '.join(words)}".strip())
    return Machine(Config(boot=path, display=("-vga", "none")))


@pytest.mark.parametrize("flavour", usertests.FLAVOURS)
def test_programs(tmp_path, flavour):
    """All checks pass, and the machine powers off when the runner asks for it."""
    with boot(tmp_path, f"test-{flavour}.cpio") as machine:
        machine.wait_for(END)
        complaints = usertests.complaints(machine.text, usertests.TESTS)
        assert not complaints, "\n".join([*complaints, machine.text])
        assert machine.wait_exit() == "guest-shutdown"


def test_no_frame_lost(tmp_path):
    """The same programs three times: the third round leaves as much memory free as the second."""
    names = tuple(name for name in usertests.TESTS if name not in ("init", "create"))
    with boot(tmp_path, "test-musl.cpio", names * 3) as machine:
        machine.wait_for(END)
        complaints = usertests.complaints(machine.text, names)
        assert not complaints, "\n".join([*complaints, machine.text])
        free = usertests.free_memory(machine.text)
        assert len(free) == 3 * len(names)
        assert free[-1] >= free[2 * len(names) - 1], free


@pytest.mark.parametrize("every", (50, 101, 211))
def test_frames_refused(tmp_path, every):
    """Every N-th frame is refused. Programs may fail and end of it; the kernel stays and keeps its map.

    Not that no frame is lost: what the heap keeps and children that still run hide a few frames.
    """
    names = ("memory", "process", "threads")
    with boot(tmp_path, "test-musl.cpio", ("stay", *names * 4), f"frame_fail_user={every} monitor") as machine:
        machine.wait_for(END)
        machine.wait_prompt()
        free = usertests.free_memory(machine.text)
        # A program that could not even be started prints none.
        assert len(free) > 2 * len(names), machine.text
        complaints = Guest(machine).complaints()
        assert not complaints, "\n".join([*complaints, machine.text])


def attack(directory, words, limit):
    """The attacks are survived; afterwards the kernel's tables are as they must be, seen from outside."""
    with boot(directory, "attack-musl.cpio", ("stay", *words), "quiet monitor") as machine:
        machine.wait_for(END, limit=limit)
        machine.wait_prompt()
        complaints = usertests.complaints(machine.text, tuple(word.partition(":")[0] for word in words))
        complaints += Guest(machine).complaints()
        assert not complaints, "\n".join([*complaints, machine.text])


@pytest.mark.parametrize("name", usertests.ATTACKS)
def test_attack(tmp_path, name):
    attack(tmp_path, (name,), LIMIT)


def test_fuzz(tmp_path):
    """ANKEOS_FUZZ random calls, a million with `make test-user-slow`; the seed is in the serial text."""
    attack(tmp_path, (f"fuzz:{FUZZ_CALLS}",), LIMIT + FUZZ_CALLS / 1000 * FUZZ_PACE)
