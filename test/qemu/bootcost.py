"""Measure what a boot costs in guest instructions, and judge whether it meets the goals.

QEMU's -icount makes the time-stamp counter advance by 16 for each instruction, the same in every run. The loader and
the kernel stamp the counter at the end of each phase; the stamps are read from guest memory.
"""

from __future__ import annotations

import dataclasses

import struct
import subprocess
import tempfile
from pathlib import Path

import contract
from bundles import KERNEL, bundle
from contract import BUILD, ROOT
from guest import Guest
from machine import LIMIT, Config, Machine, parse_size

TICKS = 16  # counts of an instruction, with -icount shift=4
PHASES = ("input", "memory", "tables", "exit", "kernel")
PAT = 0x0407050600040106  # the value that the kernel sets; memory types do not matter here

# A little more than is reached, so that nothing gets worse unseen; 60,000 and 300,000 are aimed at.
OWN_SMALL = 80_000  # the loader's own code at 2G with a framebuffer
OWN_LARGE = 85_000  # at 64G and 512G with 1 GiB pages
TOTAL_SMALL = 355_000  # everything at 2G with a framebuffer, of which 270,000 are the firmware's own
PER_ENTRY = 3  # more for each 2 MiB entry, without 1 GiB pages


@dataclasses.dataclass(frozen=True)
class Case:
    """A machine to measure on."""

    memory: str
    gigabyte_pages: bool = True
    framebuffer: bool = True

    def __str__(self) -> str:
        pages = "1 GiB pages" if self.gigabyte_pages else "2 MiB pages"
        return f"{self.memory}, {pages}, {'framebuffer' if self.framebuffer else 'no framebuffer'}"

    def config(self) -> Config:
        # With pku and erms the machine would not compare with Linux's, and with la57 the loader would take another
        # path.
        cpu = "max,la57=off,pku=off,erms=off" + ("" if self.gigabyte_pages else ",pdpe1gb=off")
        return Config(memory=self.memory, cpu=cpu, icount=True, display=("-vga", "std" if self.framebuffer else "none"))


CASES = tuple(Case(memory) for memory in ("256M", "2G", "8G", "64G", "512G")) + (
    Case("2G", framebuffer=False), Case("64G", gigabyte_pages=False), Case("512G", gigabyte_pages=False))


@dataclasses.dataclass(frozen=True)
class Cost:
    """Guest instructions of each phase, in all and inside firmware functions."""

    case: Case
    total: tuple[int, ...]
    firmware: tuple[int, ...]
    entries: int  # 2 MiB leaves of the direct map

    @property
    def own(self) -> tuple[int, ...]:
        return tuple(total - firmware for total, firmware in zip(self.total, self.firmware))


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One goal and what was measured."""

    case: Case
    what: str
    value: float
    limit: float

    @property
    def passed(self) -> bool:
        return self.value <= self.limit


def measure(case: Case) -> Cost:
    """Boot the machine once, and read the stamps."""
    with Machine(case.config()) as machine:
        machine.wait_prompt()
        guest = Guest(machine, pat=PAT)
        if guest.info.field("framebuffer.width", "I") == 0 and case.framebuffer:
            raise machine.failure("the loader found no framebuffer")
        stamps = guest.info.stamps("tsc")
        inside = guest.info.stamps("firmware_tsc")[1:]
        base, size = contract.layout()["HHDM_BASE"], contract.layout()["HHDM_SIZE"]
        entries = sum(leaf.size == 1 << 21 for leaf in guest.walk.in_range(base, size))
    total = tuple((after - before) // TICKS for before, after in zip(stamps, stamps[1:]))
    return Cost(case, total, tuple(ticks // TICKS for ticks in inside), entries)


def judge(costs: list[Cost]) -> list[Verdict]:
    """Return the verdicts on the goals that can be judged from the measured machines."""
    verdicts = []
    by_case = {cost.case: cost for cost in costs}
    for cost in costs:
        case, own = cost.case, sum(cost.own)
        if case == Case("2G"):
            verdicts.append(Verdict(case, "loader's own instructions", own, OWN_SMALL))
            verdicts.append(Verdict(case, "all instructions", sum(cost.total), TOTAL_SMALL))
        elif parse_size(case.memory) >= parse_size("64G") and case.gigabyte_pages:
            verdicts.append(Verdict(case, "loader's own instructions", own, OWN_LARGE))
        elif not case.gigabyte_pages and Case(case.memory) in by_case:
            reference = by_case[Case(case.memory)]
            more = (own - sum(reference.own)) / (cost.entries - reference.entries)
            verdicts.append(Verdict(case, "more of them for each 2 MiB entry", round(more, 2), PER_ENTRY))
    return verdicts


def table(costs: list[Cost]) -> str:
    """Return a table of each machine's phases: instructions in all, in the firmware, and in our own code."""
    lines = [f"{'guest instructions, entry to kernel':38}" + "".join(f"{name:>10}" for name in (*PHASES, "sum"))]
    for cost in costs:
        lines.append(str(cost.case))
        for name, row in (("all", cost.total), ("firmware", cost.firmware), ("loader's own", cost.own)):
            lines.append(f"{'  ' + name:38}" + "".join(f"{value:10,}" for value in (*row, sum(row))))
    return "\n".join(lines)


def verdict_table(verdicts: list[Verdict]) -> str:
    return "\n".join(f"{'pass' if v.passed else 'FAIL'}  {v.value:>12,} of at most {v.limit:>9,}  {v.what}: {v.case}"
                     for v in verdicts)


# What the growth of RAM may cost a boot up to the monitor: 1 TiB, which is 1,024 times as much, against 1 GiB.
SMALL, LARGE, GROWTH = "1G", "1T", 1.5


@dataclasses.dataclass(frozen=True)
class WholeBoot:
    """Guest instructions from the loader's first, and from the kernel's first, to the monitor's first prompt."""

    all: int
    kernel: int


def measure_whole(memory: str, quiet: bool) -> WholeBoot:
    """Measure a boot to the monitor. `quiet`: without screen and reports, which cost far more than all else."""
    config = Case(memory, framebuffer=not quiet).config()
    config.append = "quiet" if quiet else None
    with Machine(config) as machine:
        machine.wait_prompt()
        guest = Guest(machine, pat=PAT)
        stamps = guest.info.stamps("tsc")
        end = int.from_bytes(guest.read_virtual(contract.symbols()["monitor_tsc"], 8), "little")
    return WholeBoot((end - stamps[0]) // TICKS, (end - stamps[-1]) // TICKS)


# From the first instruction of the file that the firmware starts to the first one of the first program: a small initramfs, the
# default words on the command line, 2 GiB and a framebuffer.
FIRST_MOST = 4_200_000  # 3.9 million are reached, 5 were aimed at
FIRST_PROGRAM = BUILD / "user" / "musl" / "spin"
FIRST_ARCHIVE = BUILD / "user" / "spin.cpio"
FIRST_SAYS = "^spinning"
FIRST_WORDS = "console=tty0 console=ttyS0"
PLUGIN = BUILD / "count_plugin.so"
MARK = 16  # bytes of code that a mark has
KEYBOARD = ("-device", "qemu-xhci", "-device", "usb-kbd")


def mark(address: int, content: bytes) -> str:
    """count_plugin's words for the code that begins here."""
    return f"{address & 0xfff:x}:{content[:MARK].hex()}"


def pe_start(path: Path) -> str:
    """The mark of a PE file's first instruction (Microsoft PE format, "Optional Header")."""
    data = path.read_bytes()
    header = struct.unpack_from("<I", data, 0x3c)[0]
    sections, optional = struct.unpack_from("<H", data, header + 6)[0], struct.unpack_from("<H", data, header + 20)[0]
    entry = struct.unpack_from("<I", data, header + 24 + 16)[0]
    for index in range(sections):
        size, start, _, at = struct.unpack_from("<4I", data, header + 24 + optional + 40 * index + 8)
        if start <= entry < start + size:
            return mark(entry, data[at + entry - start:])
    raise ValueError(f"{path}: no section has the entry {entry:#x}")


def elf_start(path: Path) -> str:
    """The mark of a static program's first instruction."""
    data = path.read_bytes()
    entry, headers = struct.unpack_from("<QQ", data, 24)
    for index in range(struct.unpack_from("<H", data, 56)[0]):
        kind, _, offset, start, _, size = struct.unpack_from("<IIQQQQ", data, headers + 56 * index)
        if kind == 1 and start <= entry < start + size:
            return mark(entry, data[offset + entry - start:])
    raise ValueError(f"{path}: no segment has the entry {entry:#x}")


def linux_kernel() -> Path:
    """Debian's, which scripts/run-linux fetches."""
    script = ROOT / "scripts" / "run-linux"
    return Path(subprocess.run([str(script), "--kernel"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def measure_first(kernel: str, extra: tuple[str, ...]) -> int:
    """Guest instructions from the boot file's first one to the first program's first one; those of the firmware count, too."""
    with tempfile.TemporaryDirectory(prefix="ankeos-first-") as directory:
        counts = Path(directory) / "counts"
        config = Case("2G").config()
        if kernel == "Linux":
            config.boot, config.append = linux_kernel(), FIRST_WORDS
            extra = (*extra, "-initrd", str(FIRST_ARCHIVE))
        else:
            config.boot = bundle(Path(directory) / "first.efi", KERNEL, initrd=FIRST_ARCHIVE, cmdline=FIRST_WORDS)
        plugin = f"{PLUGIN},out={counts},begin={pe_start(config.boot)},end={elf_start(FIRST_PROGRAM)}"
        config.extra = (*extra, "-plugin", plugin)
        with Machine(config) as machine:
            machine.wait_for(FIRST_SAYS, limit=3 * LIMIT)
        lines = counts.read_text(encoding="ascii").split()
    if len(lines) != 1:
        raise ValueError(f"{kernel}: the first program has begun {len(lines)} times")
    return int(lines[0])


def first_verdicts() -> list[Verdict]:
    """Without and with a USB keyboard, which is looked for when the first program runs already."""
    what = "loader to first user instruction"
    return [Verdict(Case("2G"), what + more, measure_first("AnkeOS", extra), FIRST_MOST)
            for more, extra in (("", ()), (", USB keyboard", KEYBOARD))]
