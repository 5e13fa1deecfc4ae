"""Measure what one more of a thing costs where N are there, here and on Linux: test/user/scale/ runs on both kernels.

The instructions are counted as in callcost.py, under QEMU's -icount. Each room (a file of rows) is run in a machine of its
own, so that a run can be taken up where it was left: figures are kept by room, under a hash of the room's source and of
the kernel.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import json
import math
import os
import re
import subprocess
import tempfile
from pathlib import Path

from bundles import KERNEL, bundle
from callcost import CPU, TICKS
from contract import BUILD, ROOT
from machine import PROMPT, Config, Machine, MachineError

SOURCE = ROOT / "test" / "user" / "scale"
ARCHIVE = BUILD / "user" / "scale-musl.cpio"
RESULTS = BUILD / "bench-scale.json"
# Linux's figures of one run, so that everyday runs and tests need no Linux.
LINUX = SOURCE / "linux.json"
LINUX_KEY = b"Debian's Linux"  # in the place of Linux's bytes in a hash
MEMORY = "3G"
ROOM_LIMIT = 600.0  # seconds; a room takes 20 at most on a quiet host

ROOMS = tuple(re.findall(r"(\w+)_room", (SOURCE / "scale.h").read_text(encoding="utf-8")))
SHARED = ("scale.c", "scale.h", "tools.c")

LARGEST_GROWTH = 1.5
LARGEST_RATIO = {"f": 0.5, "l": 0.5, "b": 1.0}

Figures = dict[int, float]  # instructions of one operation, by N


@dataclasses.dataclass
class Row:
    """The figures of one operation; there are none where the kernel gave none."""

    name: str
    room: str
    kind: str  # the kind of scale.h: f, l or b
    linux: Figures
    ours: Figures

    @property
    def sizes(self) -> list[int]:
        return sorted(self.linux or self.ours)

    def ratio(self, size: int) -> float | None:
        if not self.linux.get(size) or size not in self.ours:
            return None
        return self.ours[size] / self.linux[size]

    @property
    def worst(self) -> float | None:
        """Return the ratio to Linux at the N where it is worst."""
        return max((ratio for ratio in map(self.ratio, self.sizes) if ratio is not None), default=None)

    @property
    def growth(self) -> float | None:
        return growth(self.ours, self.sizes)

    @property
    def allowed(self) -> float:
        """Return how much more the largest N may cost than the smallest."""
        least, most = self.sizes[0], self.sizes[-1]
        steps = math.log(most) / math.log(least) if self.kind == "l" and least > 1 else LARGEST_GROWTH
        return max(LARGEST_GROWTH, steps, growth(self.linux, self.sizes) or 0)

    @property
    def faults(self) -> list[str]:
        """Return the goals that the row misses."""
        if any(size not in self.ours for size in self.sizes):
            return ["no figure"]
        found = []
        if self.worst is not None and self.worst > LARGEST_RATIO[self.kind]:
            found.append("ratio")
        if self.growth is not None and self.growth > self.allowed:
            found.append("growth")
        return found


def growth(figures: Figures, sizes: list[int]) -> float | None:
    """Return the figure of the largest N divided by that of the smallest."""
    if len(sizes) < 2 or not figures.get(sizes[0]) or sizes[-1] not in figures:
        return None
    return figures[sizes[-1]] / figures[sizes[0]]


UNFINISHED = "the program did not come to its end"
Parsed = dict[str, tuple[str, Figures]]  # kind and figures, by name


def parse(text: str, ticks: int) -> tuple[Parsed, list[str]]:
    """Return all figures, and what failed, a line each; the last line tells if the program did not come to its end."""
    found: Parsed = {}
    for size, spent, things, kind, name in re.findall(r"^scale (\d+) (\d+) (\d+) (\w) (.+?)\s*$", text, re.MULTILINE):
        found.setdefault(name, (kind, {}))[1][int(size)] = int(spent) / ticks / int(things)
    failed = re.findall(r"^scale failed .*?(?=\s*$)", text, re.MULTILINE)
    if not re.search(r"^scale end\s*$", text, re.MULTILINE):
        failed.append(f"{UNFINISHED}: {text[-1500:]}")
    return found, failed


def run_linux(words: list[str]) -> tuple[Parsed, list[str]]:
    command = [str(ROOT / "scripts" / "run-linux"), str(ARCHIVE), "-icount", "shift=0,sleep=off"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "MEM": MEMORY, "WORDS": " ".join(words)}) as process:
        try:
            text = process.communicate(timeout=ROOM_LIMIT)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            text = process.communicate()[0]
    return parse(text, 1)


def run_ours(words: list[str], kernel: Path = KERNEL) -> tuple[Parsed, list[str]]:
    with tempfile.TemporaryDirectory(prefix="ankeos-scale-") as directory:
        boot = bundle(Path(directory) / "scale.efi", kernel, initrd=ARCHIVE,
                      cmdline=f"console=ttyS0 quiet -- {' '.join(words)}")
        with Machine(Config(boot=boot, cpu=CPU, icount=True, memory=MEMORY, display=("-vga", "none"))) as machine:
            try:
                machine.wait_for(rf"^scale end|^{PROMPT}\Z|panic.*", limit=ROOM_LIMIT)
            except MachineError:
                pass  # take the text that there is by now
            return parse(machine.heard(), TICKS)


def room_key(room: str, kernel: bytes) -> str:
    """Return a hash of what a room's figures depend on: the sources that measure, and the kernel that is measured."""
    parts = [(SOURCE / name).read_bytes() for name in (*SHARED, f"{room}.c")]
    return hashlib.sha256(b"\0".join([*parts, kernel])).hexdigest()[:16]


def load(path: Path) -> dict[str, dict]:
    """Return key, figures and failures by room. Empty when the file is not there."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def to_parsed(record: dict) -> Parsed:
    return {name: (kind, {int(size): figure for size, figure in figures.items()})
            for name, (kind, figures) in record["rows"].items()}


def measure(path: Path, kernel: bytes, run, jobs: int, say) -> dict[str, dict]:
    """Run the rooms whose figures `path` lacks or has under another key, and write each to `path` as it comes."""
    kept = {room: record for room, record in load(path).items() if room in ROOMS}
    wanted = [room for room in ROOMS if kept.get(room, {}).get("key") != room_key(room, kernel)]

    def one(room: str) -> tuple[str, Parsed, list[str]]:
        return room, *run([room])

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for room, rows, failed in pool.map(one, wanted):
            say(f"{room}: {len(rows)} rows" + "".join(f"\n  {line}" for line in failed))
            complete = not any(line.startswith(UNFINISHED) for line in failed)
            kept[room] = {"key": room_key(room, kernel) if complete else "", "rows": rows, "failed": failed}
            path.write_text(json.dumps({name: kept[name] for name in ROOMS if name in kept}, indent=1) + "\n", encoding="utf-8")
    return load(path)


def compare(linux: dict[str, dict], ours: dict[str, dict]) -> list[Row]:
    """Return all rows of either side, in the order of their tables."""
    rows = []
    for room in ROOMS:
        theirs = to_parsed(linux[room]) if room in linux else {}
        mine = to_parsed(ours[room]) if room in ours else {}
        for name in dict.fromkeys([*theirs, *mine]):
            kind = (theirs.get(name) or mine[name])[0]
            rows.append(Row(name, room, kind, theirs.get(name, ("", {}))[1], mine.get(name, ("", {}))[1]))
    return rows


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(rows: list[Row]) -> str:
    """Return a line for each row and N: instructions of both, their ratio; at the largest N also growth and verdict."""
    lines = [f"{'guest instructions an operation':46}{'N':>8}{'Linux':>14}{'AnkeOS':>14}{'ratio':>9}"
             f"{'growth':>9}{'Linux':>8}  goals"]
    for row in rows:
        for size in row.sizes:
            last = size == row.sizes[-1]
            ratio = row.ratio(size)
            line = (f"{row.name if size == row.sizes[0] else '':46}{size:8}{number(row.linux.get(size)):>14}"
                    f"{number(row.ours.get(size)):>14}{'-' if ratio is None else f'{ratio:.2f}':>9}")
            if last:
                line += f"{number(row.growth):>9}{number(growth(row.linux, row.sizes)):>8}  {', '.join(row.faults) or 'met'}"
            lines.append(line)
    return "\n".join(lines)


def record(row: Row) -> dict:
    """Return a row as JSON: its figures by N, what is derived of them, and what it misses."""
    return {"name": row.name, "room": row.room, "kind": row.kind, "linux": row.linux, "ours": row.ours,
            "ratio": {size: row.ratio(size) for size in row.sizes}, "growth": row.growth,
            "linux_growth": growth(row.linux, row.sizes), "missed": row.faults}
