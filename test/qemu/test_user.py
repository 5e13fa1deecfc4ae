"""Run ordinary static Linux programs on our kernel: each call's results and errors, and attacks that it must survive."""

import os
import re

import pytest
import usertests
from bundles import KERNEL, bundle
from contract import BUILD
from guest import Guest
from machine import LIMIT, PROMPT, Config, Machine

FUZZ_CALLS = int(os.environ.get("ANKEOS_FUZZ", "30000"))
# Wait for the prompt, too: a kernel that did not run /init to its end would never say the rest.
END = rf"{usertests.END}|^{PROMPT}\Z"
REFUSED_CALLS = 10000  # random calls while memory is refused
STORM_SECONDS = int(os.environ.get("ANKEOS_STORM", "5"))
STOPS_SCALE = int(os.environ.get("ANKEOS_STOPS", "1"))
FUZZ_PACE = 1  # seconds for each 1,000 calls: children that hang take more time than those that die
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
# The programs that may behave otherwise on a machine with much RAM; the whole set runs there with `make test-slow`.
OF_MEMORY = ("areas", "copies", "foreign_memory", "mappings", "memory", "process", "shm", "usage")
# The programs that may find something else when they lie elsewhere in memory.
OF_PLACE = ("cores", "mappings", "process", "programs", "signals", "threads", "tracing", "vdso")


def boot(directory, archive, words=(), options="", **machine):
    """Boot a machine whose /init is the runner; `words` go to it, `options` to the kernel, the rest to Config."""
    path = bundle(directory / "user.efi", KERNEL, initrd=BUILD / "user" / archive,
                  cmdline=f"console=ttyS0 {options} -- {' '.join(words)}".strip())
    return Machine(Config(boot=path, display=("-vga", "none"), **machine))


@pytest.mark.parametrize("name", [pytest.param(name, marks=slow) if name in LARGE else name for name in MACHINES])
def test_programs_on(tmp_path, name):
    """The programs pass on machines of other sizes and kinds, too."""
    run_programs(tmp_path, "musl", usertests.BRIEF_WORDS, MACHINES[name], usertests.BRIEF)


@pytest.mark.parametrize("name", LARGE)
def test_memory_on(tmp_path, name):
    run_programs(tmp_path, "musl", OF_MEMORY, MACHINES[name], OF_MEMORY)


def test_place(tmp_path):
    """Position-independent programs pass, of those for which the place makes a difference."""
    run_programs(tmp_path, "pie", OF_PLACE, {}, OF_PLACE)


@pytest.mark.parametrize("flavour", [name if name != "pie" else pytest.param(name, marks=slow) for name in usertests.FLAVOURS])
def test_programs(tmp_path, flavour):
    """All programs pass. Those that take long run with one C library only: their checks are about the kernel's part alone."""
    if flavour == "musl":
        run_programs(tmp_path, flavour, (), {}, usertests.TESTS)
    else:
        run_programs(tmp_path, flavour, usertests.BRIEF_WORDS, {}, usertests.BRIEF)


def test_isolated(tmp_path):
    """Only tasks that may run on no other CPU run on the one that isolcpus= names."""
    with boot(tmp_path, "test-musl.cpio", ("spread",), "isolcpus=domain,2", extra=("-smp", "4")) as machine:
        machine.wait_for(END)
        complaints = usertests.complaints(machine.text, ("spread",))
        complaints += [] if "- the one runs there" in machine.text else ["no CPU is isolated"]
        assert not complaints, "\n".join([*complaints, machine.text])


@pytest.mark.parametrize("clock, config", [
    ("HPET", {"extra": ("-smp", "4")}),
    ("ACPI PM timer", {"extra": ("-smp", "2"), "machine": "q35,smm=off,hpet=off"})])
def test_other_clock(tmp_path, clock, config):
    """Where the time-stamp counter cannot be trusted the next best counter is the clock, for the vDSO, too."""
    names = ("time", "timers", "vdso")
    with boot(tmp_path, "test-musl.cpio", names, "tsc=unstable", **config) as machine:
        machine.wait_for(END)
        complaints = usertests.complaints(machine.text, names)
        complaints += [] if f"clock: {clock}, since tsc=unstable says so" in machine.text else ["the clock is another one"]
        assert not complaints, "\n".join([*complaints, machine.text])


@slow
def test_neighbour(tmp_path):
    """A neighbour runs beside the largest calls at once; `make test` begins with smaller ones."""
    run_programs(tmp_path, "musl", ("neighbour:full",), {}, ("neighbour",))


def run_programs(directory, flavour, words, config, names):
    """Run the programs `names` with these words for the runner; all checks must pass, and the machine turn off if asked to."""
    with boot(directory, f"test-{flavour}.cpio", words, **config) as machine:
        machine.wait_for(END)
        complaints = usertests.complaints(machine.text, names)
        assert not complaints, "\n".join([*complaints, machine.text])
        assert machine.wait_exit() == "guest-shutdown"


def frames_free(text):
    """Return the free frames before the first program and after the last, as the kernel tells them; None if it does not."""
    found = re.search(r"^frames free before the first program and after the last: (\d+), (\d+)$", text, re.MULTILINE)
    return tuple(map(int, found.groups())) if found else None


def free_at_end(directory, rounds, options, good):
    """Return the free frames when so many rounds of programs have ended; the kernel's tables must be right then."""
    # A program that goes on without the pipe or the child that it was refused may wait for ever: these programs do not.
    names = ("memory", "process") + (("files", "signals", "threads") if good else ())
    # This program takes far longer than all others, so it runs for one round in the first boot, and for one more in the
    # second.
    long = ("sharers",) * (1 + (rounds > 1))
    with boot(directory, "test-musl.cpio", ("stay", *names * rounds, *long), f"{options} monitor") as machine:
        machine.wait_for(END)
        machine.wait_prompt()
        text = machine.text
        complaints = Guest(machine).complaints() + (usertests.complaints(text, names) if good else [])
        # Init prints its sum at the end, and some programs must have started.
        complaints += [] if re.search(usertests.END, text, re.MULTILINE) else ["init did not get to its end"]
        complaints += [] if len(usertests.free_memory(text)) > rounds else ["hardly a program was started"]
        free = frames_free(text)
        assert free and not complaints, "\n".join([*complaints, text])
        return free[1], text


# Both kinds of refusals come at once, at two paces, so that programs break off early and late; `make test-slow` has
# each alone.
REFUSALS = ("", "frame_fail_user=50 heap_fail_user=101", "frame_fail_user=101 heap_fail_user=50")
ONE_REFUSAL = [pytest.param(f"{what}_fail_user={every}", marks=slow) for what in ("frame", "heap") for every in (50, 101)]


@pytest.mark.parametrize("options", [*REFUSALS, *ONE_REFUSAL])
def test_nothing_lost(tmp_path, options):
    """Six rounds more cost less than a frame each, also when each N-th frame or heap block is refused.

    A round may keep a page of the heap here or there; a round that lost one frame would lose six.
    """
    few, _ = free_at_end(tmp_path, 1, options, not options)
    many, text = free_at_end(tmp_path, 7, options, not options)
    assert many > few - 6, f"{few} frames free after 1 round, {many} after 7\n{text}"


def attack(directory, words, limit, kept=KEPT_MOST, options="", **machine):
    """Run attacks: the kernel survives them, its tables are right afterwards, seen from outside, and no frame is lost.

    The heap may keep a few frames, here and there a page; an attack makes thousands of calls and hundreds of children.
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
    """Calls survive memory that ends in their middle, and so does a program that takes all there is, on a small machine."""
    text = attack(tmp_path, ("bomb", "full"), LIMIT, memory="80M")
    after_bomb, after_full = usertests.free_memory(text)
    # This count, in KiB, is taken between programs, before caches are trimmed; attack() looks at the end, after that.
    assert after_full >= after_bomb - 256, text


def test_memory_full_on_four(tmp_path):
    """A task that needs memory waits while the process to be killed ends on another CPU: no other ends, no call fails."""
    attack(tmp_path, ("full:4",), LIMIT, memory="80M", extra=("-smp", "4"))


def test_fuzz(tmp_path):
    """ANKEOS_FUZZ random calls do no harm, a million with `make test-slow`; the seed is in the serial text."""
    attack(tmp_path, (f"fuzz:{FUZZ_CALLS}",), LIMIT + FUZZ_CALLS / 1000 * FUZZ_PACE)


@pytest.mark.parametrize("what", ("frame", "heap"))
def test_fuzz_refused(tmp_path, what):
    """Random calls do no harm though each hundredth frame, or heap block, is refused; good calls do not notice."""
    text = attack(tmp_path, (f"fuzz:{REFUSED_CALLS}", "refused"), LIMIT, options=f"{what}_fail_user=100")
    assert f"# {REFUSED_CALLS} calls, " in text, text


def test_stops(tmp_path):
    """Beside the largest calls that a program can make a neighbour runs within a millisecond, at 1 ns an instruction.

    Each of these calls is killed once, in the middle, and begins to end within a millisecond. With `make test-slow`
    there is five times as much of everything, and then five kills each. The heap keeps 2 MiB where it was grown by as
    much at once and a page of it is still in use: it does not split such a leaf.
    """
    words = ("stops:1:1",) if STOPS_SCALE == 1 else (f"stops:{STOPS_SCALE}", f"stops:1:{STOPS_SCALE}")
    attack(tmp_path, words, LIMIT * len(words), kept=KEPT_MOST + 5 * 512, exact=True, memory="3G")


# The state of memory meanwhile: free, refused now and then, or full but for up to 3,000 KiB; and the number of CPUs.
STORMS = {
    "": {},
    "four CPUs": {"extra": ("-smp", "4")},
    "refused": {"options": "frame_fail_user=100 heap_fail_user=101", "memory": "256M"},
    "full": {"memory": "64M"},
}


@pytest.mark.parametrize("how", [pytest.param(how, marks=slow) if how in ("refused", "full") else how for how in STORMS])
def test_storm(tmp_path, how):
    """Random calls by eight threads at once for 5 s, two minutes with `make test-slow`, do no harm and lose no frame."""
    word = f"storm:{STORM_SECONDS}:99" + (":3000" if how == "full" else "")
    attack(tmp_path, (word,), LIMIT + 4 * STORM_SECONDS, **STORMS[how])
