"""The user programs' archives, how to read what their runner prints, and what is wrong with it."""

from __future__ import annotations

import dataclasses
import re

FLAVOURS = ("musl", "glibc", "pie")
TESTS = ("init", "aio", "apart", "areas", "attributes", "beside", "contents", "copies", "cores", "create",
         "elbow_room", "events", "files", "foreign_memory", "fpu", "handles", "info", "jobs", "keys", "locked",
         "locks", "mappings", "memory", "mounts", "mqueues", "msgs", "neighbour", "nodes", "notices", "old_calls",
         "openat2", "permissions", "pi", "pidfds", "policies", "privileges", "proc", "process", "programs", "ptys",
         "resume", "rights", "seccomp", "sems", "settings", "sharers", "shm", "signals", "sockets", "splices",
         "spread", "stale", "threads", "time", "timers", "together", "tracing", "traffic", "transfers", "turns",
         "usage", "values", "vdso", "watches")
# Programs that take long and find the same on all machines; BRIEF has all others, BRIEF_WORDS tells the runner so.
LONG = ("neighbour", "sharers")
BRIEF = tuple(name for name in TESTS if name not in LONG)
BRIEF_WORDS = ("without", *LONG)
# full, bomb, fuzz, stops and storm have tests of their own.
ATTACKS = ("instructions", "pointers", "ranges", "returns")
END = r"^# user tests: \d+ passed, \d+ failed"


@dataclasses.dataclass
class Program:
    """What one program printed."""

    name: str
    checks: int = 0
    failed: list[str] = dataclasses.field(default_factory=list)
    plan: int | None = None
    end: str | None = None

    def complaints(self) -> list[str]:
        found = [f"{self.name}: {line}" for line in self.failed]
        if self.end != "exit 0":
            found.append(f"{self.name}: ended by {self.end}")
        if self.plan != self.checks or not self.checks:
            found.append(f"{self.name}: {self.checks} checks of {self.plan}")
        return found


def parse(text: str) -> list[Program]:
    """The programs that ran, each run of its own, from the serial text."""
    programs: list[Program] = []
    current = Program("none")
    for line in text.splitlines():
        if match := re.match(r"# ([a-z_]\w*)[:\w]*: ((?:exit|signal) \d+)$", line):
            current.end = match[2]
        elif match := re.match(r"# ([a-z_]\w*)(:\w+)*$", line):
            current = Program(match[1])
            programs.append(current)
        elif re.match(r"ok \d+ - ", line):
            current.checks += 1
        elif re.match(r"not ok \d+ - |Bail out!", line):
            current.checks += 1
            current.failed.append(line)
        elif match := re.match(r"1\.\.(\d+)$", line):
            current.plan = int(match[1])
    return programs


def free_memory(text: str) -> list[int]:
    """KiB that were free after each program."""
    return [int(size) for size in re.findall(r"^# free memory: (\d+) KiB", text, re.MULTILINE)]


def complaints(text: str, names: tuple[str, ...]) -> list[str]:
    """What is wrong with a run that should hold these programs: nothing, when all of them ran and passed."""
    programs = parse(text)
    ran = [program.name for program in programs]
    found = [f"{name}: did not run" for name in names if name not in ran]
    for program in programs:
        found += program.complaints()
    if not re.search(END, text, re.MULTILINE):
        found.append("the runner did not come to its end")
    return found
