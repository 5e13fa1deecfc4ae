"""Run Debian's dynamic programs as its packages install them; what cannot run must say why, once."""

import re
import subprocess

import debian_programs
import pytest
from bundles import Elf, KERNEL, bundle
from contract import ROOT
from machine import Config, Machine

PROGRAMS = ["/bin/bash", "/usr/bin/perl", "/usr/bin/python3", "/usr/bin/gdb", *(f"/bin/{name}" for name in (
    "ls", "sort", "tr", "tail", "grep", "readlink", "echo", "wc", "sed", "od", "chmod"))]
# A library by which gdb tells the threads of a program apart.
THREADS = "/lib/x86_64-linux-gnu/libthread_db.so.1"
PT_INTERP = 3
ELF_32 = 1

EXPECTED = {
    "bash": r"5 1", "pipes": r"b", "ls": r"8", "perl": r"1=1,2=4,3=9,4=16",
    "python": r'\{"sum": 499500, "name": "/usr/bin/python3"\}', "threads": r"140", "exe": r"/bin/readlink",
    "named": r"[1-9]\d", "loader": r"by hand", "entry": r"3", "moved": r"[4-6]", "locale": r" +A +x +C +\\n",
    "unnamed": r"4 0", "refused2": r"errno 22",
    # The lines that Debian's gdb prints on Linux, too; addresses are left out.
    "gdb": re.escape("Breakpoint 1 at 0x;Breakpoint 1, square (x=2):15;$1 = 2;#0  square (x=2):15;"
                     "Value returned is $2 = 4;Hardware watchpoint 2: counter;Breakpoint 1, square (x=3):15;Hardware watchpoint 2: counter;"
                     "Old value = 4;New value = 9;"),
    "gdbthread": re.escape("Breakpoint 1 at 0x;$1 = 9;$2 = 9;$3 = 81;"),
    "core": re.escape("Program terminated with signal SIGSEGV, Segmentation fault.;#0  0x in main (argc=2, argv=0x):31;"
                      "#0  0x in main (argc=2, argv=0x):31;$1 = 11;"),
}


def broken_programs(directory):
    """Return words for mkinitrd: /bin/echo with a loader that is nowhere, and as a 32-bit program."""
    absent, narrow = directory / "absent", directory / "narrow"
    elf = Elf(debian_programs.Path("/bin/echo"))
    name = next(header for header in elf.headers() if header["type"] == PT_INTERP)
    elf.content[name["offset"]:name["offset"] + 5] = b"/gone"
    absent.write_bytes(elf.content)
    narrow.write_bytes(Elf(debian_programs.Path("/bin/echo")).set("class", ELF_32).content)
    for path in (absent, narrow):
        path.chmod(0o755)
    return f"needs-absent={absent}", f"narrow={narrow}"


@pytest.fixture(scope="module", name="text")
def _text(tmp_path_factory):
    directory = tmp_path_factory.mktemp("debian")
    archive, debugged = directory / "debian.cpio", directory / "debugged"
    subprocess.run(["gcc", "-g", "-O0", "-o", debugged, ROOT / "test" / "qemu" / "debian" / "debugged.c"], check=True)
    subprocess.run([ROOT / "scripts" / "mkinitrd", "-o", archive, *debian_programs.words(PROGRAMS),
                    f"init={ROOT / 'test' / 'qemu' / 'debian' / 'init'}", "tmp/", "dev/console=c:5:1", "dev/null=c:1:3",
                    f"debugged={debugged}", "usr/share/gdb=/usr/share/gdb", f"{THREADS[1:]}={THREADS}",
                    *broken_programs(directory)], check=True)
    boot = bundle(directory / "debian.efi", KERNEL, initrd=archive, cmdline="console=ttyS0")
    with Machine(Config(boot=boot, display=("-vga", "none"), memory="1G")) as machine:
        machine.wait_for(r"^== end$")
        return machine.text


@pytest.mark.parametrize("name", EXPECTED)
def test_program(text, name):
    """Each program prints what it must."""
    assert re.search(rf"^{name}: {EXPECTED[name]}$", text, re.MULTILINE), text


@pytest.mark.parametrize("line", [
    r"\./returns: #!/bin/bash\\r: no such file",
    r"/needs-absent: needs /gone4/ld-linux-x86-64\.so\.2, which is not here",
    r"/narrow: a 32-bit program \(ELF class 1\)"])
def test_refusal(text, line):
    """The log names the program and the reason, once although bash tries a second time."""
    assert len(re.findall(rf"task \d+ \(.*\): {line}$", text, re.MULTILINE)) == 1, text


def test_refused_feature(text):
    """The log names once what a call cannot do, although two programs have asked for it."""
    assert len(re.findall(r"python3\[\d+\]: fcntl: F_SETLEASE, a lease of a file, is not there", text)) == 1, text
