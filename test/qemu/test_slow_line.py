"""Test a serial line whose other end does not read: what write(2) has accepted must come, and all else must go on.

The reader stops by leaving a pipe of one page full. Each scene (test/user/slow_line.c) has come as far as it can when
the CPU halts; only then the reader reads on.
"""

import re
import time

import pytest
from bundles import KERNEL, bundle
from contract import BUILD
from machine import Config, Machine, plain

ARCHIVE = BUILD / "user" / "slow_line.cpio"
LINES = [f"line {i:04} of three thousand" for i in range(3000)]
WHOLE = 28 * len(LINES)
PAGE = 4096  # what the other end takes without reading


@pytest.fixture(scope="module", name="boot")
def boot_file(tmp_path_factory):
    return bundle(tmp_path_factory.mktemp("slow") / "slow.efi", KERNEL, initrd=ARCHIVE, cmdline="console=ttyS0 quiet")


@pytest.fixture(scope="module", name="machine")
def shared_machine(boot):
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_for("reader, stop\n")
        machine.narrow()
        yield machine


def play(machine, scene, pause=0.0):
    """Play a scene without reading until no task runs; return where the scene's text begins."""
    since = len(machine.raw)
    machine.send(scene + "\n")
    machine.wait_unread()
    machine.stop_halted()
    machine.resume()
    time.sleep(pause)  # the least pause; how much longer it is on a busy host does not matter
    return since


def tell(machine, since):
    """Read on. Return what the scene has shown, and what it says it saw."""
    machine.send("tell\n")
    found = machine.wait_for(r"(?s)\A(.*)seen: (.*)\.\n\Z", since)
    return found[1], found[2]


@pytest.mark.parametrize("scene", ("one-by-one", "at-once"))
@pytest.mark.parametrize("pause", (0.3, 3))
def test_each_line_comes_once_and_in_order(machine, scene, pause):
    """3,000 lines, by one write(2) each or by one for all, come in order while the other end pauses."""
    since = play(machine, scene, pause)
    text, seen = tell(machine, since)
    assert text.splitlines() == LINES, machine.failure(f"{len(text.splitlines())} lines came")
    assert seen == f"written {WHOLE}"


def test_a_signal_ends_a_write(machine):
    """A write that has brought something tells how much, and so much comes; one that has not fails with EINTR."""
    text, seen = tell(machine, play(machine, "signalled"))
    found = re.fullmatch(r"partial (\d+) then -4", seen)
    assert found and 0 < int(found[1]) < WHOLE, seen
    assert text == "\n".join(LINES)[:int(found[1])] + text[int(found[1]):], text
    assert len(text) == int(found[1]), (len(text), seen)


def test_a_writer_can_be_killed(machine):
    assert tell(machine, play(machine, "killed"))[1] == "status 9"


def test_ctrl_c_ends_the_writer_and_its_text(machine):
    """The writer ends while nobody reads, and what it has written goes with it."""
    since = play(machine, "interrupted")
    # Wait until the port is full and no task runs: otherwise the writer could still be at work, and write on behind
    # Ctrl-C.
    machine.wait_full()
    machine.stop_halted()
    machine.resume()
    machine.send("\x03")
    assert tell(machine, since)[1] == "status 2 queued 0"


def test_poll_and_tcdrain_tell_of_room(machine):
    """A non-blocking descriptor takes what there is room for; poll(2) and tcdrain(3) wait for more, for all."""
    text, seen = tell(machine, play(machine, "polled"))
    found = re.fullmatch(r"then -11 filled (\d+) ready 0 queued 1 ready 1 queued 0", seen)
    assert found, seen
    assert text == "".join(line + "\n" for line in LINES)[:int(found[1])]


def test_tcflush_drops_what_waits(machine):
    assert tell(machine, play(machine, "flushed"))[1] == "then -11 filled 1 queued 0"


def test_what_waits_comes_before_the_panic_page(boot):
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_for("reader, stop\n")
        machine.narrow()
        since = play(machine, "filled")
        machine.qmp.execute("inject-nmi")
        text = machine.wait_for(r"(?s)\A(.*)\n=+ kernel panic =+\n.*The machine is halted", since)[1]
        assert text.splitlines()[:100] == LINES[:100], machine.failure("what waited is lost")


def test_what_waits_comes_before_the_power_goes(boot):
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_for("reader, stop\n")
        machine.narrow()
        since = len(machine.raw)
        machine.send("turned-off\n")
        machine.wait_interrupts_off()
        machine.wait_for("line 0100", since)
        assert machine.wait_exit() == "guest-shutdown"
        text = plain(machine.raw[since:])
        assert text == "".join(line + "\n" for line in LINES)[:len(text)], machine.failure("what waited is lost")
        assert len(text) > PAGE + 2000, machine.failure("what waited is lost")


def test_no_port_keeps_nobody_waiting(boot):
    """Without a port and a screen text goes nowhere, and the program that writes it comes to its end."""
    with Machine(Config(boot=boot, append="console=ttyS0 quiet -- one-by-one", display=("-vga", "none"),
                        serial=False)) as machine:
        assert machine.wait_exit() == "guest-shutdown"
