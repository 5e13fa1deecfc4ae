"""Test long sessions and greedy programs: nothing must be left behind, and limits must hold."""

import os
import re
import time

from bundles import KERNEL, bundle, busybox_bundle
from contract import BUILD
from machine import Config, Machine

ARCHIVE = BUILD / "user" / "session.cpio"
PROMPT = r"^/ # \Z"
APPLETS = ("sh", "cat", "dd", "mkdir", "mount", "sleep", "true")
GREEDY = (
    # Each call of this shell function makes two more, until the limit of 30 is met; then all of them end.
    ("zsh -fc 'UID=1000; ulimit -u 30; b() { b | b & }; b' 2>/dev/null; echo over", r"over"),
    ("true && (true) && echo $(echo forks)", r"forks"),
    ("(ulimit -v 50000; dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null; echo $?)", r"1"),
    ("(ulimit -v 4000; a=x; while :; do a=$a$a; done 2>/dev/null); echo full", r"(?:sh: out of memory\n)?full"),
    ("(ulimit -n 8; exec 3<. 4<. 5<. 6<. 7<.; cat <. ) >/dev/null 2>&1; echo $?", r"1"),
)


def test_nothing_is_left(tmp_path):
    """After 1,000 processes with pipes, mappings, timers and locks free memory is what it was, to the frame."""
    boot = bundle(tmp_path / "session.efi", KERNEL, stub=BUILD / "loader.efi", initrd=ARCHIVE,
                  cmdline="console=ttyS0 quiet -- 6")
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_exit()
        assert "ok 1 - free memory is as before" in machine.text.splitlines(), machine.failure("memory has gone")
        assert "ok 2 - descriptors are as before" in machine.text.splitlines(), machine.failure("descriptors are left")


def run(machine, line, expected):
    """Type a line; wait until its output is `expected` and the prompt is back."""
    since = len(machine.raw)
    machine.send(line + "\n")
    return machine.wait_for(rf"^{expected}{PROMPT}", since)


def run_until(machine, line, pattern, limit=300):
    """Type a line of the shell's own commands again and again, until what it prints matches."""
    deadline = time.monotonic() + limit
    while not re.fullmatch(pattern, run(machine, line, r"(.*)\n").group(1)):
        assert time.monotonic() < deadline, machine.failure(f"{line!r} never printed {pattern!r}")


def test_fork_bomb(tmp_path):
    """A fork bomb meets the kernel's own limit before memory ends; the shell goes on, and one kill(2) ends all of it."""
    boot = busybox_bundle(tmp_path, "console=ttyS0 quiet init=/bin/sh", APPLETS)
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_for(PROMPT)
        run(machine, "mkdir /proc; mount -t proc proc /proc; echo $?", r"0\n")
        # The shell itself must not fork until the bomb is over: its fork would be refused, as on Linux.
        run(machine, "b() { b | b; }; b 2>/log &", "")
        run_until(machine, "read said </log; echo $said", r".*can't fork: Resource temporarily unavailable")
        run(machine, "kill -9 -1", "")
        # An orphan becomes the shell's child: at each prompt the shell takes those that have ended.
        run_until(machine, "set -- /proc/[0-9]*; echo $*", "/proc/1")
        run(machine, "true && (true) && echo $(echo forks)", r"forks\n")
        assert "out of memory: process" not in machine.text, machine.failure("a process was ended for its memory")


def test_limits(tmp_path):
    """A fork bomb meets RLIMIT_NPROC, memory hogs meet RLIMIT_AS, and the shell goes on."""
    boot = busybox_bundle(tmp_path, "console=ttyS0 quiet init=/bin/sh", APPLETS, "bin/zsh=/bin/zsh-static",
                          "dev/zero=c:1:5")
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_for(PROMPT)
        for line, expected in GREEDY:
            run(machine, line, rf"{expected}\n")
        assert "out of memory: process" not in machine.text, machine.failure("a process was ended for its memory")
        machine.send("exit\n")
        assert machine.wait_exit() == "guest-shutdown"


def test_init_without_memory(tmp_path):
    """When memory is out and only init is left, which is never killed, the machine panics and says why, as Linux does."""
    boot = busybox_bundle(tmp_path, "console=ttyS0 quiet init=/bin/sh", APPLETS)
    with Machine(Config(boot=boot, memory="64M", display=("-vga", "none"))) as machine:
        machine.wait_for(PROMPT)
        machine.send("a=x; while :; do a=$a$a$a; done\n")
        page = machine.wait_for(r"(?s)= kernel panic =.*The machine is halted")[0]
        assert re.search(r"^out of memory: no process is left that may be killed; process 1 \(sh\) has \d+ KiB$", page,
                         re.MULTILINE), page


def test_real_time_loop(tmp_path):
    """An ordinary shell goes on beside a SCHED_FIFO loop; RLIMIT_RTTIME ends such a loop."""
    boot = busybox_bundle(tmp_path, "console=ttyS0 quiet init=/bin/sh", (*APPLETS, "kill"),
                          f"bin/spin={BUILD}/user/musl/spin")
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_for(PROMPT)
        since = len(machine.raw)
        machine.send("spin fifo &\n")
        machine.wait_for(r"spinning\n", since)
        for word in ("one", "two", "three"):
            run(machine, f"true && (true) && echo $(echo {word})", rf"{word}\n")
        run(machine, "kill -0 $!; echo $?", r"0\n")
        run(machine, "kill -9 $!; wait $!; echo $?", r"(?:Killed\n)?137\n")
        run(machine, "spin fifo 100000; echo $?", r"spinning\n(?:Killed\n)?137\n")


# Bytes that one more object may take of the machine's memory. Linux 6.1, by the same program, which has no figure for
# a zombie: 13, 193, 2,260, 1,047, 74,043 and 24,107.
BYTES = {"dup": 24, "eventfd": 340, "pipe": 420, "file": 280, "zombie": 1_100, "process": 61_000, "thread": 17_700}
PROCESSES = int(os.environ.get("ANKEOS_CROWD", "40000"))  # more than pid_max is at first


def test_crowd(tmp_path):
    """40,000 processes can exist at once, with kernel.pid_max raised, and no kind of object takes more than its bytes.

    With `make test-user-slow` there are 100,000 processes, on 8 GiB.
    """
    boot = bundle(tmp_path / "crowd.efi", KERNEL, stub=BUILD / "loader.efi", initrd=BUILD / "user" / "crowd.cpio",
                  cmdline=f"console=ttyS0 quiet -- {PROCESSES}")
    with Machine(Config(boot=boot, memory="8G", display=("-vga", "none"))) as machine:
        machine.wait_exit()
        taken = {name: (int(count), int(each))
                 for name, count, each in re.findall(r"^crowd (\w+) (\d+) (-?\d+)\s*$", machine.text, re.MULTILINE)}
        assert "ok 1 - all have ended" in machine.text.splitlines(), machine.failure("processes are missing")
        assert taken["process"][0] == PROCESSES
        assert taken.keys() == BYTES.keys(), taken
        assert all(0 < each <= BYTES[name] for name, (_, each) in taken.items()), taken
