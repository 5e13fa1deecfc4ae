"""Ordinary static Linux programs on our kernel: each call's results and errors, and attacks that it must survive."""

import os
import re

import pytest
import usertests
from bundles import KERNEL, bundle
from contract import BUILD
from guest import Guest
from machine import LIMIT, PROMPT, Config, Machine

FUZZ_CALLS = int(os.environ.get("ANKEOS_FUZZ", "30000"))
# The prompt too: a kernel that did not run /init to its end need not be waited for.
END = rf"{usertests.END}|^{PROMPT}\Z"
REFUSED_CALLS = 10000  # random calls while memory is refused
STORM_SECONDS = int(os.environ.get("ANKEOS_STORM", "5"))
STOPS_SCALE = int(os.environ.get("ANKEOS_STOPS", "1"))
FUZZ_PACE = 1  # seconds for each 1,000 calls: children that hang cost more than those that die
# Frames that the kernel may keep after an attack. Each kind of object of which one is left keeps a slab of the heap, of up to
# four pages: the root's new directories, the PCI functions that are found meanwhile, and the tables of process numbers, which
# grow with the highest number. Three storms in one machine keep no more than one does (9 frames and 7); a frame lost for each
# child would be hundreds.
KEPT_MOST = 24

slow = pytest.mark.slow
MACHINES = {
    "64M": {"memory": "64M"}, "3G": {"memory": "3G"}, "5G": {"memory": "5G"}, "64G": {"memory": "64G"},
    "old PC": {"machine": "pc", "cpu": "qemu64"}, "four CPUs": {"extra": ("-smp", "4")},
}
LARGE = ("3G", "5G", "64G")
# What a machine with much RAM may do otherwise than a small one; its whole set of programs runs with `make test-slow`.
OF_MEMORY = ("areas", "copies", "foreign_memory", "mappings", "memory", "process", "shm", "usage")
# What a program that lies elsewhere in memory may find otherwise, likewise.
OF_PLACE = ("cores", "mappings", "process", "programs", "signals", "threads", "tracing", "vdso")


def boot(directory, archive, words=(), options="", **machine):
    """A machine whose /init is the archive's runner; `words` go to it, `options` to the kernel, the rest to Config."""
    path = bundle(directory / "user.efi", KERNEL, initrd=BUILD / "user" / archive,
                  cmdline=f"console=ttyS0 {options} -- {' '.join(words)}".strip())
    return Machine(Config(boot=path, display=("-vga", "none"), **machine))


@pytest.mark.parametrize("name", [pytest.param(name, marks=slow) if name in LARGE else name for name in MACHINES])
def test_programs_on(tmp_path, name):
    """The same on machines of other sizes and kinds."""
    run_programs(tmp_path, "musl", usertests.BRIEF_WORDS, MACHINES[name], usertests.BRIEF)


@pytest.mark.parametrize("name", LARGE)
def test_memory_on(tmp_path, name):
    run_programs(tmp_path, "musl", OF_MEMORY, MACHINES[name], OF_MEMORY)


def test_place(tmp_path):
    """Position-independent programs, where it makes a difference."""
    run_programs(tmp_path, "pie", OF_PLACE, {}, OF_PLACE)


@pytest.mark.parametrize("flavour", [name if name != "pie" else pytest.param(name, marks=slow) for name in usertests.FLAVOURS])
def test_programs(tmp_path, flavour):
    """Those that take long run with one C library only: their checks are about the kernel's part alone."""
    if flavour == "musl":
        run_programs(tmp_path, flavour, (), {}, usertests.TESTS)
    else:
        run_programs(tmp_path, flavour, usertests.BRIEF_WORDS, {}, usertests.BRIEF)


def test_isolated(tmp_path):
    """Nothing runs on the CPU that isolcpus= names but what may run on no other."""
    with boot(tmp_path, "test-musl.cpio", ("spread",), "isolcpus=domain,2", extra=("-smp", "4")) as machine:
        machine.wait_for(END)
        complaints = usertests.complaints(machine.text, ("spread",))
        complaints += [] if "- the one runs there" in machine.text else ["no CPU is isolated"]
        assert not complaints, "\n".join([*complaints, machine.text])


@pytest.mark.parametrize("clock, config", [
    ("HPET", {"extra": ("-smp", "4")}),
    ("ACPI PM timer", {"extra": ("-smp", "2"), "machine": "q35,smm=off,hpet=off"})])
def test_other_clock(tmp_path, clock, config):
    """Where the time-stamp counter is not to be trusted the next best counter is the clock, for the vDSO, too."""
    names = ("time", "timers", "vdso")
    with boot(tmp_path, "test-musl.cpio", names, "tsc=unstable", **config) as machine:
        machine.wait_for(END)
        complaints = usertests.complaints(machine.text, names)
        complaints += [] if f"clock: {clock}, since tsc=unstable says so" in machine.text else ["the clock is another one"]
        assert not complaints, "\n".join([*complaints, machine.text])


@slow
def test_neighbour(tmp_path):
    """The largest calls at once, where `make test` begins with smaller ones."""
    run_programs(tmp_path, "musl", ("neighbour:full",), {}, ("neighbour",))


def run_programs(directory, flavour, words, config, names):
    """With these words for the runner the programs `names` run; all their checks pass, and the machine powers off when asked."""
    with boot(directory, f"test-{flavour}.cpio", words, **config) as machine:
        machine.wait_for(END)
        complaints = usertests.complaints(machine.text, names)
        assert not complaints, "\n".join([*complaints, machine.text])
        assert machine.wait_exit() == "guest-shutdown"


def frames_free(text):
    """Before the first program and after the last, as the kernel tells it; None if it does not."""
    found = re.search(r"^frames free before the first program and after the last: (\d+), (\d+)$", text, re.MULTILINE)
    return tuple(map(int, found.groups())) if found else None


def free_at_end(directory, rounds, options, good):
    """Frames that are free when so many rounds of programs have ended; the kernel's tables are as they must be."""
    # A program that goes on without the pipe or the child that it was refused may wait for ever: these do not.
    names = ("memory", "process") + (("files", "signals", "threads") if good else ())
    # Takes far longer than all the others, so there is one round of it in the first boot, and one more in the second.
    long = ("sharers",) * (1 + (rounds > 1))
    with boot(directory, "test-musl.cpio", ("stay", *names * rounds, *long), f"{options} monitor") as machine:
        machine.wait_for(END)
        machine.wait_prompt()
        text = machine.text
        complaints = Guest(machine).complaints() + (usertests.complaints(text, names) if good else [])
        # Init sums up at its end, and not all programs can have failed to start.
        complaints += [] if re.search(usertests.END, text, re.MULTILINE) else ["init did not get to its end"]
        complaints += [] if len(usertests.free_memory(text)) > rounds else ["hardly a program was started"]
        free = frames_free(text)
        assert free and not complaints, "\n".join([*complaints, text])
        return free[1], text


# Both kinds of refusals at once, at two paces, so that programs break off early and late; `make test-slow` has each alone.
REFUSALS = ("", "frame_fail_user=50 heap_fail_user=101", "frame_fail_user=101 heap_fail_user=50")
ONE_REFUSAL = [pytest.param(f"{what}_fail_user={every}", marks=slow) for what in ("frame", "heap") for every in (50, 101)]


@pytest.mark.parametrize("options", [*REFUSALS, *ONE_REFUSAL])
def test_nothing_lost(tmp_path, options):
    """Six rounds more cost less than a frame each, also when each N-th frame or block of the heap is refused.

    What a round keeps is a page of the heap here or there; a round that lost one frame would lose six.
    """
    few, _ = free_at_end(tmp_path, 1, options, not options)
    many, text = free_at_end(tmp_path, 7, options, not options)
    assert many > few - 6, f"{few} frames free after 1 round, {many} after 7\n{text}"


def attack(directory, words, limit, kept=KEPT_MOST, options="", **machine):
    """The attacks are survived; afterwards the kernel's tables are as they must be, seen from outside, and no frame lost.

    A few are the heap's, which keeps a page here and there; an attack makes thousands of calls and hundreds of children.
    """
    with boot(directory, "attack-musl.cpio", ("stay", *words), f"{options} monitor", **machine) as machine:
        machine.wait_for(END, limit=limit)
        machine.wait_prompt()
        complaints = usertests.complaints(machine.text, tuple(word.partition(":")[0] for word in words))
        complaints += Guest(machine).complaints()
        free = frames_free(machine.text)
        if not free or free[1] < free[0] - kept:
            complaints.append(f"frames free before and after: {free}, expected at most {kept} fewer")
        assert not complaints, "\n".join([*complaints, machine.text])
        return machine.text


@pytest.mark.parametrize("name", usertests.ATTACKS)
def test_attack(tmp_path, name):
    attack(tmp_path, (name,), LIMIT)


def test_memory_full(tmp_path):
    """Calls in the middle of which memory ends, and who takes all there is, on a small machine, which is full soon."""
    text = attack(tmp_path, ("bomb", "full"), LIMIT, memory="80M")
    after_bomb, after_full = usertests.free_memory(text)
    # In KiB, between programs, when what is kept for speed has not been trimmed; attack() looks at the end, trimmed.
    assert after_full >= after_bomb - 256, text


def test_memory_full_on_four(tmp_path):
    """Who needs memory waits while the process that is to end does so on another CPU: nobody else ends, no call fails."""
    attack(tmp_path, ("full:4",), LIMIT, memory="80M", extra=("-smp", "4"))


def test_fuzz(tmp_path):
    """ANKEOS_FUZZ random calls, a million with `make test-slow`; the seed is in the serial text."""
    attack(tmp_path, (f"fuzz:{FUZZ_CALLS}",), LIMIT + FUZZ_CALLS / 1000 * FUZZ_PACE)


@pytest.mark.parametrize("what", ("frame", "heap"))
def test_fuzz_refused(tmp_path, what):
    """All of them are made though each hundredth frame, or block of the heap, is refused, and good calls see none of it."""
    text = attack(tmp_path, (f"fuzz:{REFUSED_CALLS}", "refused"), LIMIT, options=f"{what}_fail_user=100")
    assert f"# {REFUSED_CALLS} calls, " in text, text


def test_stops(tmp_path):
    """Beside the largest calls that a program can make a neighbour runs within a millisecond, of a nanosecond an instruction.

    Each of them is killed once, in the middle, and begins to end within a millisecond. With `make test-slow` there is five
    times as much of everything, and then five kills each. The heap keeps 2 MiB where it was grown by as much at once and a page of
    it is still in use: it does not split such a leaf.
    """
    words = ("stops:1:1",) if STOPS_SCALE == 1 else (f"stops:{STOPS_SCALE}", f"stops:1:{STOPS_SCALE}")
    attack(tmp_path, words, LIMIT * len(words), kept=KEPT_MOST + 5 * 512, exact=True, memory="3G")


# How memory is meanwhile: there, refused now and then, full but for up to 3,000 KiB; and with how many CPUs.
STORMS = {
    "": {},
    "four CPUs": {"extra": ("-smp", "4")},
    "refused": {"options": "frame_fail_user=100 heap_fail_user=101", "memory": "256M"},
    "full": {"memory": "64M"},
}


@pytest.mark.parametrize("how", [pytest.param(how, marks=slow) if how in ("refused", "full") else how for how in STORMS])
def test_storm(tmp_path, how):
    """Eight threads make random calls at once for 5 s, two minutes with `make test-slow`; no frame is lost by it."""
    word = f"storm:{STORM_SECONDS}:99" + (":3000" if how == "full" else "")
    attack(tmp_path, (word,), LIMIT + 4 * STORM_SECONDS, **STORMS[how])
