"""The kernel's hardware report (kernel/report/hwreport.c): found in a log, checked, read.

Each line of the report is "hw N KEY WORDS", N counted from 1; the last one has the CRC-32 of all before it. Numbers are
decimal or 0x. The keys, in the order that they come:

    BEGIN                 the title with the version
    cmdline "TEXT"        as many as it takes; \\xNN for what is not plain
    boot                  version= flags= (enum boot_flags) efi= smbios=
    cpu                   vendor= family= model= stepping= maxphyaddr= linear=
    brand "TEXT"
    cpuid LEAF SUBLEAF EAX EBX ECX EDX
    registers, msrs       cr0= cr3= cr4=, efer= pat=
    efi-map               step= count=
    efi TYPE START PAGES ATTRIBUTE                         the firmware's descriptors, as they came
    framebuffer, pixel    pa= bytes= width= height= pitch=; red= green= blue=, each SHIFT:BITS
    initrd                pa= bytes=
    initrd-outside        pa= bytes=                       only when there is one
    segment VA PA PAGES RIGHTS                             of the kernel's image
    tables                pa= frames= spare=
    map                   count= excess=
    range START END NAME                                   of the map that the loader handed over
    leaves START LAST RIGHTS TYPE 1G= 2M= 4K=              runs of what the kernel context maps
    live-tables           frames=
    rsdp PA               absent | unreadable | revision= checksum= extended=
    acpi NAME PA          unreadable | bytes= unreadable | bytes= checksum=
    madt, acpi-info       what the kernel read out of them
    END                   crc32=
"""

from __future__ import annotations

import dataclasses
import re
import zlib

VERSION = 1
TITLE = "BEGIN AnkeOS hardware report version="

# What a terminal obeys and does not show: CSI and OSC sequences, other escapes.
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")
# A line of the report; whatever stands before it (times, a prompt) is not ours.
LINE = re.compile(r"(?<!\w)hw (\d+) (\S.*)$")
NUMBER = re.compile(r"0x[0-9a-fA-F]+|[0-9]+")

LISTS = {"cpuid": 6, "efi": 4, "segment": 4, "range": 2}  # numbers that each such line has
PAIRS = {
    "boot": "version flags efi smbios", "cpu": "family model stepping maxphyaddr linear", "registers": "cr0 cr3 cr4",
    "msrs": "efer pat", "efi-map": "step count", "framebuffer": "pa bytes width height pitch", "initrd": "pa bytes",
    "initrd-outside": "pa bytes", "tables": "pa frames spare", "map": "count excess", "live-tables": "frames",
    "madt": "present cpus local_apic io_apics overrides 8259", "acpi-info": "fadt reduced s5 hpet mcfgs faults",
}
ABSENT = {"initrd-outside": {"pa": 0, "bytes": 0}}  # what a report without this line means
# Names as kernel/boot/memmap.c has them, and their enumerators: numbers may change from one kernel to the next.
MEMORY_TYPES = {
    "usable": "MEM_USABLE", "boot services": "MEM_BOOT_SERVICES", "loader": "MEM_LOADER", "low memory": "MEM_LOW",
    "ACPI tables": "MEM_ACPI_RECLAIM", "ACPI NVS": "MEM_ACPI_NVS", "runtime data": "MEM_RUNTIME_DATA",
    "runtime code": "MEM_RUNTIME_CODE", "MMIO": "MEM_MMIO", "reserved": "MEM_RESERVED",
    "framebuffer": "MEM_FRAMEBUFFER", "initrd": "MEM_INITRD", "page tables": "MEM_TABLES", "kernel image": "MEM_IMAGE",
}
COUNTED = (("efi-map", "efi"), ("map", "range"))
BITS = {("efi", 0): 32}  # others have 64


class ReportError(Exception):
    """What is wrong with a report, with the place."""


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of the report."""

    log_line: int  # in the file, from 1 on
    number: int
    text: str  # behind the number

    def error(self, message: str) -> ReportError:
        return ReportError(f"line {self.log_line} (hw {self.number}): {message}")

    @property
    def key(self) -> str:
        return self.text.split(" ", 1)[0]

    def words(self) -> list[str]:
        return self.text.split(" ")[1:]

    def value(self, word: str, name: str, bits: int = 64) -> int:
        """`word` as a number; `name` says what it is, for the error."""
        if not NUMBER.fullmatch(word):
            raise self.error(f"{self.key}: {name} is {word!r} and no number")
        number = int(word, 16 if word.startswith("0x") else 10)
        if number >> bits:
            raise self.error(f"{self.key}: {name} is {word}, which does not fit into {bits} bits")
        return number

    def quoted(self) -> str:
        """The text between the quotes, with its escapes undone, a byte a character."""
        match = re.fullmatch(r'\S+ "((?:[^"\\]|\\x[0-9a-f]{2})*)"', self.text)
        if not match:
            raise self.error(f"{self.key}: {self.text[len(self.key) + 1:]!r} is no text in quotes")
        return re.sub(r"\\x(..)", lambda escape: chr(int(escape[1], 16)), match[1])


class Report:
    """A report that is whole, as its parts."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.facts: dict[str, dict[str, int]] = {}
        self.lists: dict[str, list[tuple[int, ...]]] = {key: [] for key in LISTS}
        self.memory_types: list[str] = []  # enumerators, of lists["range"]
        self.texts: dict[str, str] = {"cmdline": "", "brand": ""}
        for line in lines[1:-1]:
            self._read(line)
        for key in PAIRS:
            if key not in self.facts and key in ABSENT:
                self.facts[key] = ABSENT[key]
            elif key not in self.facts:
                raise ReportError(f"the report has no line `{key}`")
        for key, items in COUNTED:
            if self.facts[key]["count"] != len(self.lists[items]):
                raise ReportError(f"the report has {len(self.lists[items])} lines `{items}`, "
                                  f"and `{key}` says count={self.facts[key]['count']}")

    def _read(self, line: Line) -> None:
        words = line.words()
        if line.key in LISTS:
            count = LISTS[line.key]
            if len(words) < count:
                raise line.error(f"{line.key}: {len(words)} words, {count} needed")
            self.lists[line.key].append(tuple(
                line.value(word, f"word {index + 1}", BITS.get((line.key, index), 64))
                for index, word in enumerate(words[:count])))
            if line.key == "range":
                self._read_type(line, " ".join(words[count:]))
        elif line.key in PAIRS:
            if line.key in self.facts:
                raise line.error(f"a second line `{line.key}`")
            self.facts[line.key] = self._pairs(line)
        elif line.key in self.texts:
            self.texts[line.key] += line.quoted()

    def _read_type(self, line: Line, name: str) -> None:
        if name not in MEMORY_TYPES:
            raise line.error(f"range: {name!r} is no type of memory")
        self.memory_types.append(MEMORY_TYPES[name])

    @staticmethod
    def _pairs(line: Line) -> dict[str, int]:
        pairs = dict(word.partition("=")[::2] for word in line.words())
        found = {}
        for name in PAIRS[line.key].split():
            if name not in pairs:
                raise line.error(f"{line.key}: no {name}=")
            found[name] = line.value(pairs[name], name)
        return found

    def rows(self, key: str) -> list[list[str]]:
        """The words of all lines with that key."""
        return [line.words() for line in self.lines if line.key == key]

    @property
    def huge_pages(self) -> bool:
        """CPUID says that the CPU has 1 GiB pages."""
        return any(leaf == 0x80000001 and edx >> 26 & 1 for leaf, _, _, _, _, edx in self.lists["cpuid"])


def find_lines(log: str) -> list[Line]:
    """All lines of reports in a log that has other text around them."""
    found = []
    for index, text in enumerate(re.split(r"\r*\n", log), 1):
        # A terminal shows what follows the last carriage return.
        match = LINE.search(CONTROL.sub("", text).rstrip().rsplit("\r", 1)[-1])
        if match:
            found.append(Line(index, int(match[1]), match[2]))
    return found


def last_report(lines: list[Line]) -> list[Line]:
    """The lines of the last report, BEGIN to END, none missing."""
    starts = [index for index, line in enumerate(lines) if line.key == "BEGIN"]
    if not starts:
        if lines:
            raise lines[0].error(f"{lines[0].text[:40]!r} stands before any BEGIN: the report's start is missing")
        raise ReportError("no hardware report: no line `hw 1 BEGIN`; boot with the word hwreport on the command line")
    report: list[Line] = []
    for line in lines[starts[-1]:]:
        if line.number != len(report) + 1:
            raise line.error(f"hw {len(report) + 1} should be here" +
                             (f", after line {report[-1].log_line}" if report else ""))
        report.append(line)
        if line.key == "END":
            return report
    last = report[-1]
    raise ReportError(f"the report ends at line {last.log_line} (hw {last.number}): no line END")


def parse(raw: bytes) -> Report:
    """The last report in a log. Raises ReportError, which names line and value, when it is not whole."""
    lines = last_report(find_lines(raw.decode("utf-8", "replace")))
    first, end = lines[0], lines[-1]
    if not first.text.startswith(TITLE):
        raise first.error(f"{first.text!r} does not begin with {TITLE!r}")
    if first.value(first.text[len(TITLE):], "version") != VERSION:
        raise first.error(f"version {first.text[len(TITLE):]}, and this script reads {VERSION}")
    said = re.fullmatch(r"END crc32=([0-9a-f]{8})", end.text)
    if not said:
        raise end.error(f"{end.text!r} is no `END crc32=` with eight digits")
    report = Report(lines)  # first, for its errors say where
    crc = zlib.crc32("".join(f"hw {line.number} {line.text}\n" for line in lines[:-1]).encode())
    if crc != int(said[1], 16):
        raise end.error(f"crc32 is {said[1]}, and that of the lines {first.log_line} to {lines[-2].log_line} is "
                        f"{crc:08x}: at least one of them is not as it was said")
    return report
