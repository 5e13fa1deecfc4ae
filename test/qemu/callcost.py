"""Measure what system calls cost, here and on Linux: one benchmark (test/user/bench/) runs as /init on both kernels.

QEMU's -icount makes the time-stamp counter count instructions, so a figure is the number of guest instructions of one
operation. It does not show what a CR3 write or an invalidation costs: our kernel's own counters tell how many there
were.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
import tempfile
from pathlib import Path

from bundles import KERNEL, bundle
from contract import BUILD, ROOT
from machine import LIMIT, PROMPT, Config, Machine

ARCHIVE = BUILD / "user" / "bench-musl.cpio"
# A plain `max` gives Linux `rep stosb`, which counts for more than it is, and 5-level paging.
CPU = "max,la57=off,pku=off,erms=off"
TICKS = 16  # counts of an instruction on our side, with -icount shift=4: with shift=0 the firmware's waits take minutes

LARGEST_SHARE = 1 / 3  # the most instructions of a call, as a share of Linux's
LARGEST_CALL = 80  # the most instructions of a call that does nothing
SHORT_CALLS = ("getpid", "invalid")
# Rows that may cost half of Linux's: copying; a whole session, of which much is the programs' own work; and operations
# of many calls.
HALVES = ("pipe_64k", "shell_true", "exec_dynamic", "sides_mprotect", "unix", "unix_64k", "pty_line", "timer_create", "signalfd",
          "inotify", "ptrace_stop", "open_deep")
HALF = 1 / 2
# Rows that may cost what they cost on Linux: most is the C library's own work, and on Linux it calls the vDSO as well.
LIBRARY = ("clock_library",)
# Rows without a goal. The shell's loop is the shell's own work, which no kernel can halve. Linux lets a page be
# writable and executable at once, so code that is written and run by turns costs nothing there; here each turn is two
# faults.
WITHOUT_GOAL = ("shell_loop", "sides")
# The most instructions of rows that are far from their goal, or have none: a little more than what was measured.
LIMITS = {"clock_library": 60, "shell_loop": 14_500_000, "sides": 1_280, "unix": 2_210, "unix_64k": 26_100, "pty_line": 11_300,
          "timer_create": 1_565, "signalfd": 1_075, "inotify": 1_590, "ptrace_stop": 2_500, "open_deep": 4_300, "sides_mprotect": 2_690}

WHAT = {
    "getpid": "null call (getpid)", "getppid": "getppid", "invalid": "invalid call", "clock_gettime": "clock_gettime",
    "clock_library": "the same by the C library", "mmap_munmap_4k": "mmap+munmap of 4 KiB", "mmap_munmap_1m": "mmap+munmap of 1 MiB",
    "fault": "demand-zero fault", "munmap_touched": "munmap, a touched page", "brk_pair": "brk up and down",
    "mprotect": "mprotect of a page", "sides": "code written and run, page RWX", "sides_mprotect": "the same with mprotect between",
    "yield": "yield between two processes", "pipe": "pipe ping-pong, one way",
    "futex": "futex ping-pong, one way", "thread": "thread create+join", "pthread": "the same by pthreads",
    "fork": "fork+exit+wait", "fork_4m": "the same with 4 MiB touched", "fork_reserved": "the same with 16 GiB reserved",
    "fork_exec": "fork+exec+exit+wait", "exec_dynamic": "the same, Debian's dynamic true", "exec_large": "the same, a file of 8 MiB",
    "signal": "signal to oneself", "pipe_64k": "64 KiB through a pipe", "unix": "AF_UNIX ping-pong, one way",
    "unix_64k": "64 KiB through AF_UNIX", "pty_line": "a line of a pty, and its echo", "timer_create": "timer made, set, deleted",
    "signalfd": "signal to oneself, by signalfd", "inotify": "write, its event by inotify", "ptrace_stop": "stop of a traced process",
    "open_deep": "open+close as a user, 12 deep", "shell_loop": "busybox sh, a loop to 1,000",
    "shell_true": "busybox sh, /bin/true 200 times",
}


# Linux's figures for tests that shall not need Linux: Debian's 6.1.192 on this set-up, the least of some runs of `make
# bench-linux`.
LINUX = {
    "getpid": 309, "getppid": 325, "invalid": 211, "clock_gettime": 428, "clock_library": 79,
    "mmap_munmap_4k": 10_277, "mmap_munmap_1m": 10_277, "fault": 3_100, "munmap_touched": 1_031, "brk_pair": 8_481, "mprotect": 9_128,
    "sides": 70, "sides_mprotect": 5_562, "yield": 2_054, "pipe": 5_122, "futex": 3_404, "thread": 27_492, "pthread": 64_448,
    "fork": 87_467, "fork_4m": 531_358, "fork_exec": 182_217, "exec_dynamic": 999_305, "signal": 3_785, "pipe_64k": 51_718, "unix": 9_817,
    "unix_64k": 52_226, "pty_line": 29_385, "timer_create": 3_131, "signalfd": 2_848, "inotify": 3_932, "ptrace_stop": 10_273,
    "open_deep": 9_586, "shell_loop": 13_899_968, "shell_true": 152_573_168,
}


class NoUserPrograms(Exception):
    """Our kernel did not run the benchmark to its end; the message says what it said instead."""


@dataclasses.dataclass(frozen=True)
class Row:
    """The instructions of one operation on either side; `ours` is None when our kernel gave no figure."""

    name: str
    linux: int
    ours: int | None
    cr3_writes: float | None = None  # CR3 writes of our kernel in one operation
    flushed_pages: float | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.ours is None else self.ours / self.linux

    @property
    def passed(self) -> bool:
        if self.ours is None:
            return False
        if self.name in LIMITS and self.ours > LIMITS[self.name]:
            return False
        if self.name in WITHOUT_GOAL:
            return True
        if self.name in LIBRARY:
            return self.ours <= self.linux
        short = self.name not in SHORT_CALLS or self.ours <= LARGEST_CALL
        return short and self.ours <= self.linux * (HALF if self.name in HALVES else LARGEST_SHARE)

    @property
    def verdict(self) -> str:
        if self.ours is None:
            return "-"
        if not self.passed:
            return "MISSED"
        return "-" if self.name in WITHOUT_GOAL else "met"


def parse(text: str, ticks: int) -> dict[str, int]:
    """Instructions of each `bench NAME TICKS` line. Raises ValueError when the benchmark did not come to its end."""
    if not re.search(r"^bench end\s*$", text, re.MULTILINE):
        raise ValueError(f"the benchmark did not come to its end:\n{text}")
    return {name: int(value) // ticks for name, value in re.findall(r"^bench (\w+) (\d+)\s*$", text, re.MULTILINE)}


def parse_counted(text: str) -> dict[str, tuple[float, float]]:
    """Return (CR3 writes, pages invalidated) of one operation; a `counted NAME CR3 PAGES` line has those of a hundred."""
    return {name: (int(writes) / 100, int(pages) / 100)
            for name, writes, pages in re.findall(r"^counted (\w+) (\d+) (\d+)\s*$", text, re.MULTILINE)}


def measure_linux() -> dict[str, int]:
    command = [str(ROOT / "scripts" / "run-linux"), str(ARCHIVE), "-icount", "shift=0,sleep=off"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    return parse(result.stdout + result.stderr, 1)


def measure_ours() -> tuple[dict[str, int], dict[str, tuple[float, float]]]:
    """Run the benchmark on our kernel, and return what parse() and parse_counted() give.

    Raises NoUserPrograms when the machine stops or shows its monitor before the benchmark's end.
    """
    with tempfile.TemporaryDirectory(prefix="ankeos-bench-") as directory:
        boot = bundle(Path(directory) / "bench.efi", KERNEL, initrd=ARCHIVE, cmdline="console=ttyS0 quiet")
        config = Config(boot=boot, cpu=CPU, icount=True, display=("-vga", "none"))
        with Machine(config) as machine:
            found = machine.wait_for(rf"^bench end|^bench failed.*|^{PROMPT}\Z|panic.*")[0]
            if found != "bench end":
                raise NoUserPrograms(f"AnkeOS did not run the benchmark to its end: {found.strip()}")
            return parse(machine.text, TICKS), parse_counted(machine.text)


def compare(linux: dict[str, int], ours: dict[str, int], counted: dict[str, tuple[float, float]]) -> list[Row]:
    return [Row(name, count, ours.get(name), *counted.get(name, ())) for name, count in linux.items()]


def table(rows: list[Row]) -> str:
    """Return a table of the instructions, and beside them our CR3 writes and the pages invalidated one by one."""
    def cell(form: str, value: float | None) -> str:
        return "-" if value is None else format(value, form)

    lines = [f"{'guest instructions an operation':34}{'Linux':>12}{'AnkeOS':>12}{'ratio':>8}  {'goal':6}"
             f"{'CR3':>9}{'pages':>9}"]
    for row in rows:
        lines.append(f"{WHAT.get(row.name, row.name):34}{row.linux:12,}{cell(',', row.ours):>12}"
                     f"{cell('.2f', row.ratio):>8}  {row.verdict:6}{cell('.2f', row.cr3_writes):>9}"
                     f"{cell('.2f', row.flushed_pages):>9}")
    return "\n".join(lines)
