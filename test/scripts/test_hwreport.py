"""scripts/hwreport2fixture: a report is found in any log, and a broken one is refused with the line and the value."""

import re
import subprocess
import zlib

import pytest
from scripts_common import ROOT, run_script

BODY = """\
BEGIN AnkeOS hardware report version=1
cmdline "console=ttyS0 hwreport name=\\x22a b\\x22 "
cmdline "hw 7 efi"
boot version=1 flags=0x4 efi=0x7f9ec018 smbios=0
cpu vendor=GenuineIntel family=6 model=158 stepping=10 maxphyaddr=39 linear=48
brand "A CPU */ \\xc2\\xae"
cpuid 0 0 0x00000016 0x756e6547 0x6c65746e 0x49656e69
cpuid 0x80000001 0 0x00000000 0x00000000 0x00000121 0x2c100800
registers cr0=0x80010033 cr3=0x7e547000 cr4=0x350ee0
msrs efer=0xd00 pat=0x407050600040106
efi-map step=48 count=3
efi 7 0x100000 4096 0xf
efi 2147483649 0x0 1 0xf
efi 6 0x1100000 16 0x800000000000000f
framebuffer pa=0xc0000000 bytes=4096000 width=1280 height=800 pitch=5120
pixel red=16:8 green=8:8 blue=0:8
initrd pa=0 bytes=0
segment 0xffffffff80000000 0x200000 16 0x1
tables pa=0x300000 frames=22 spare=74
map count=7 excess=0
range 0 0x1000 reserved
range 0x100000 0x200000 usable
range 0x200000 0x210000 kernel image
range 0x210000 0x300000 usable
range 0x300000 0x360000 page tables
range 0x360000 0x1100000 usable
range 0x1100000 0x1110000 runtime data
leaves 0xffffffff80000000 0xffffffff8000ffff r-xg WB 1G=0 2M=0 4K=16
live-tables frames=24
rsdp 0 absent
madt present=0 cpus=0 local_apic=0 io_apics=0 overrides=0 8259=0
acpi-info fadt=0 reduced=0 s5=0 hpet=0 mcfgs=0 faults=0
"""


def block(body=BODY, crc=None):
    """The report's lines, as the kernel says them."""
    lines = [f"hw {number} {line}" for number, line in enumerate(body.splitlines(), 1)]
    if crc is None:
        crc = zlib.crc32("".join(line + "\n" for line in lines).encode())
    return lines + [f"hw {len(lines) + 1} END crc32={crc:08x}"]


def convert(tmp_path, log, *arguments):
    path = tmp_path / "serial.log"
    path.write_bytes(log if isinstance(log, bytes) else ("\n".join(log) + "\n").encode())
    return run_script("hwreport2fixture", path, *arguments)


def refused(tmp_path, log, *words):
    """Refused in one line that has all the words, and no fixture is left."""
    target = tmp_path / "broken.inc"
    result = convert(tmp_path, log, "-o", target)
    assert result.returncode == 1 and not result.stdout, result
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("hwreport2fixture: "), result.stderr
    for word in words:
        assert word in result.stderr, (word, result.stderr)
    assert not target.exists()


def replaced(old, new):
    """The report with a text in it that the machine said so: its CRC is right."""
    assert BODY.count(old) == 1, old
    return block(BODY.replace(old, new))


def test_a_report_and_its_fixture(tmp_path):
    """The fixture is C that compiles, and says what the report says."""
    target = tmp_path / "board.inc"
    result = convert(tmp_path, block(), "-o", target)
    assert result.returncode == 0 and not result.stderr, result
    assert result.stdout == "33 lines, 3 descriptors of the firmware's, 7 ranges handed over\n"
    program = tmp_path / "fixture.c"
    program.write_text(f"""
#include <stdio.h>
#include "test/host/map_fixture.h"
static const struct map_fixture fixtures[] = {{
#include "{target}"
}};
int main(void)
{{
    const struct map_fixture *f = fixtures;
    printf("%s %d %d %zu %zu %zu", f->name, f->huge_pages, (int)f->descriptor_size, f->descriptor_count,
           f->segment_count, f->range_count);
    printf(" %x %lx %lx", f->descriptors[1].type, f->descriptors[2].attribute, f->descriptors[2].start);
    printf(" %lx %u %u", f->framebuffer.pa.raw, f->framebuffer.width, f->framebuffer.pitch);
    printf(" %lx %lx %lu %lx", f->segments[0].va, f->segments[0].pa, f->tables, f->table_frames);
    printf(" %lx %d\\n", f->ranges[6].end, f->ranges[2].type == MEM_IMAGE && f->ranges[0].type == MEM_RESERVED);
    return 0;
}}
""")
    flags = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}"]
    subprocess.run(["gcc", *flags, program, "-o", tmp_path / "fixture"], check=True)
    said = subprocess.run([tmp_path / "fixture"], capture_output=True, text=True, check=True).stdout
    assert said == ("board 1 48 3 1 7 80000001 800000000000000f 1100000 c0000000 1280 5120 ffffffff80000000 200000 "
                    "3145728 60 1110000 1\n")


@pytest.mark.parametrize("dress", [
    lambda line: line + "\r",
    lambda line: line + "\r\r",
    lambda line: line + "   ",
    lambda line: "[    0.061477] " + line,
    lambda line: "<6>[    0.061477] " + line,
    lambda line: "2026-11-23 14:00:01 [    0.061477] " + line + "\r",
    lambda line: "\x1b[2J\x1b[01;01H\x1b[=3h" + line + "\x1b[0m",
    lambda line: "\x1b]0;minicom\x07" + line[:5] + "\x1b[1m" + line[5:],
    lambda line: "dots\r" + line,
    lambda line: line + "\nmemory: something else, hw and 12 hw\nclock: hw",
])
def test_whatever_stands_around_it(tmp_path, dress):
    log = ["BdsDxe: starting Boot0001", *map(dress, block()), "anke> "]
    result = convert(tmp_path, log)
    assert result.returncode == 0 and result.stdout.startswith("33 lines"), result


def test_standard_input(tmp_path):
    log = "\n".join(block()).encode()
    result = subprocess.run([ROOT / "scripts/hwreport2fixture"], input=b"\xff\xfe\x00" + log, capture_output=True,
                            check=False, cwd=tmp_path, timeout=120)
    assert result.returncode == 0 and result.stdout.startswith(b"33 lines"), result


def test_the_last_report_counts(tmp_path):
    later = replaced("width=1280", "width=1024")
    target = tmp_path / "later.inc"
    assert convert(tmp_path, block() + ["anke> hwreport"] + later, "-o", target).returncode == 0
    assert ".width = 1024" in target.read_text()
    # One that was cut is no reason to leave out the next, and a whole one no reason to hide that the last was cut.
    assert convert(tmp_path, block()[:9] + later).returncode == 0
    refused(tmp_path, later + block()[:9], "the report ends at line 42 (hw 9): no line END")


def test_no_report(tmp_path):
    refused(tmp_path, b"", "no hardware report")
    refused(tmp_path, b"hwreport\nhw is fine\n\xff\x00", "no hardware report")
    refused(tmp_path, block()[1:], "line 1 (hw 2)", "before any BEGIN")
    result = run_script("hwreport2fixture", tmp_path / "absent")
    assert result.returncode == 1 and "absent" in result.stderr and "Traceback" not in result.stderr


def test_lines_that_are_missing(tmp_path):
    lines = block()
    for missing in (1, 11, 25, 31):
        refused(tmp_path, lines[:missing] + lines[missing + 1:],
                f"line {missing + 1} (hw {missing + 2}): hw {missing + 1} should be here, after line {missing}")
    refused(tmp_path, lines[:12] + lines[11:], "line 13 (hw 12): hw 13 should be here, after line 12")
    refused(tmp_path, lines[:-1], "the report ends at line 32 (hw 32): no line END")


def test_every_character_counts(tmp_path):
    """One digit typed wrong anywhere is found, be the line well-formed or not."""
    lines = block()
    for index, line in enumerate(lines[1:-1], 1):
        at = max(match.start() for match in re.finditer(r"\w", line))
        wrong = line[:at] + ("1" if line[at] != "1" else "2") + line[at + 1:]
        refused(tmp_path, lines[:index] + [wrong] + lines[index + 1:])
    refused(tmp_path, block(crc=0x12345678), "line 33 (hw 33): crc32 is 12345678, and that of the lines 1 to 32 is ")
    refused(tmp_path, lines[:-1] + ["hw 33 END crc32=zz"], "line 33 (hw 33)", "'END crc32=zz'")


@pytest.mark.parametrize("old, new, words", [
    ("efi 7 0x100000 4096", "efi 7 0x10O000 4096", "line 12 (hw 12): efi: word 2 is '0x10O000' and no number"),
    ("efi 7 0x100000 4096 0xf", "efi 7 0x100000 4096", "line 12 (hw 12): efi: 3 words, 4 needed"),
    ("efi 2147483649", "efi 4294967296", "line 13 (hw 13): efi: word 1 is 4294967296, which does not fit into 32 bits"),
    ("0x800000000000000f", "0x1800000000000000f", "word 4 is 0x1800000000000000f, which does not fit into 64 bits"),
    ("count=3", "count=4", "the report has 3 lines `efi`, and `efi-map` says count=4"),
    ("map count=7 excess=0\n", "map count=6 excess=0\n", "7 lines `range`, and `map` says count=6"),
    ("count=7 excess=0", "count=7", "line 20 (hw 20): map: no excess="),
    ("width=1280", "width=-1", "line 15 (hw 15): framebuffer: width is '-1' and no number"),
    ("frames=22", "frames=", "line 19 (hw 19): tables: frames is '' and no number"),
    ("0x1000 reserved", "0x1000 cheese", "line 21 (hw 21): range: 'cheese' is no type of memory"),
    ("initrd pa=0 bytes=0\n", "", "the report has no line `initrd`"),
    ("initrd pa=0 bytes=0\n", "initrd pa=0 bytes=0\ninitrd pa=0 bytes=0\n", "line 18 (hw 18): a second line `initrd`"),
    ("version=1\ncmdline", "version=2\ncmdline", "line 1 (hw 1): version 2, and this script reads 1"),
    ("AnkeOS hardware", "Another", "line 1 (hw 1): 'BEGIN Another report version=1' does not begin with"),
    ('cmdline "hw 7 efi"', 'cmdline "hw 7 efi', "line 3 (hw 3): cmdline: '\"hw 7 efi' is no text in quotes"),
    (' */ \\xc2', ' */ \\xg2', "line 6 (hw 6): brand: "),
])
def test_values_that_cannot_be(tmp_path, old, new, words):
    refused(tmp_path, replaced(old, new), words)


def test_names_of_fixtures(tmp_path):
    result = convert(tmp_path, block(), "-o", tmp_path / "board.h")
    assert result.returncode == 1 and "ends with .inc" in result.stderr
    result = convert(tmp_path, block(), "-o", tmp_path / "absent" / "board.inc")
    assert result.returncode == 1 and "Traceback" not in result.stderr and "absent" in result.stderr
