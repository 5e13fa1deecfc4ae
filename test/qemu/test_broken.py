"""Start broken boot files: each must print a line with the thing and the value, give memory back, and return."""

import re
import struct

import pytest
from bundles import PF_W, PF_X, PT_NOTE, Elf, bundle, disk, fat_image
from contract import BUILD
from machine import BOOT_FILE, Config, Machine

GIB = 1 << 30
PT_OTHER = 0x6FFFFFFF
NOTE_CONTENT = 12 + 8  # offset of the note's content: behind its header and its name, "AnkeOS" padded to 8


def truncated(size):
    return bytes(Elf().content[:size])


def broken_kernels():
    """Return name: (content of .kernel or None, what the line must name, the value in it)."""
    text, data = Elf().load(required=PF_X), Elf().load(required=PF_W)
    rodata = Elf().load(forbidden=PF_X | PF_W)
    largest = max(text["vaddr"] + text["memsz"], data["vaddr"] + data["memsz"])
    cases = {
        "nokernel": (None, r"no \.kernel section", None),
        "notelf": (b"MZ" + bytes(4094), "not an ELF file", 0x5A4D),
        "class32": (Elf().set("class", 1), "64-bit", 1),
        "bigend": (Elf().set("data", 2), "little-endian", 2),
        "machine": (Elf().set("machine", 183), "machine", 183),
        "dynamic": (Elf().set("type", 3), "executable.* type", 3),
        "phsize": (Elf().set("phentsize", 32), "program header", 32),
        "phnone": (Elf().set("phnum", 0), "program headers", 0),
        "phmany": (Elf().set("phnum", 0xFFFF), "program headers", 0xFFFF),
        "phfar": (Elf().set("phoff", 1 << 63), "program headers", 1 << 63),
        "low": (Elf().change(text, vaddr=0x100000), "segment outside", 0x100000),
        "below": (Elf().change(text, vaddr=text["vaddr"] - 4096), "segment outside", text["vaddr"] - 4096),
        "wraps": (Elf().change(data, memsz=2 * GIB), "segment outside", data["vaddr"]),
        "odd": (Elf().change(data, vaddr=data["vaddr"] + 8), "aligned", data["vaddr"] + 8),
        "skewed": (Elf().change(data, offset=data["offset"] - 16), "aligned", data["offset"] - 16),
        "wx": (Elf().change(text, flags=7), "writable and executable", text["vaddr"]),
        "overlap": (Elf().change(rodata, vaddr=text["vaddr"]), "overlap", text["vaddr"]),
        "bigger": (Elf().change(data, memsz=16), "more file than memory", data["filesz"]),
        "farfile": (Elf().change(data, offset=-4096), "outside the file", (1 << 64) - 4096),
        "entryout": (Elf().set("entry", largest + (1 << 20)), "entry outside", largest + (1 << 20)),
        "entrynx": (Elf().set("entry", data["vaddr"]), "entry outside", data["vaddr"]),
        "cut3": (truncated(3), "ELF header", 3),
        "cut63": (truncated(63), "ELF header", 63),
        "cut100": (truncated(100), "program headers", 64),
        "cuttext": (truncated(text["offset"] + text["filesz"] // 2), "outside the file", None),
        "cutdata": (truncated(data["offset"] + data["filesz"] - 1), "outside the file", None),
    }
    note = next(h for h in Elf().headers() if h["type"] == PT_NOTE)
    other = Elf()
    struct.pack_into("<I", other.content, note["offset"] + NOTE_CONTENT, 99)
    return cases | {
        "nonote": (Elf().change(note, type=PT_OTHER), "note", None),
        "version": (other, "version 99", None),
        # A size that is more than the machine has, and less than the image range: only the allocation can fail.
        "nomemory": (Elf().change(last_load(), memsz=GIB), "no memory: [0-9]+ pages", None),
    }


def last_load():
    """Return the PT_LOAD behind which the image range is free."""
    return max((h for h in Elf().headers() if h["type"] == 1), key=lambda h: h["vaddr"])


# Lines for the UEFI shell that show what memory is used for.
MEMORY = "echo begin-{when}\nmemmap\necho end-{when}\n"
CASES = broken_kernels() if (BUILD / "kernel.strip.elf").exists() else {}


@pytest.fixture(name="shell", scope="module")
def _shell(tmp_path_factory):
    """Run a UEFI shell that starts each broken file, and the good one at the end; yield its text."""
    directory = tmp_path_factory.mktemp("broken")
    files, script = {}, ["@echo -off", "fs0:"]
    for name, (kernel, _, _) in CASES.items():
        content = bytes(kernel.content) if isinstance(kernel, Elf) else kernel
        files[f"{name}.efi"] = bundle(directory / f"{name}.efi", content)
    script += MEMORY.format(when="before").splitlines()
    for name in CASES:
        script += [f"echo begin-{name}", f"{name}.efi", f"echo end-{name} %lasterror%"]
    script += MEMORY.format(when="after").splitlines()
    script += ["good.efi quiet init=none", ""]
    (directory / "startup.nsh").write_text("\r\n".join(script))
    files["startup.nsh"] = directory / "startup.nsh"
    files["good.efi"] = BOOT_FILE
    image = fat_image(directory / "disk.img", files)
    with Machine(Config(memory="512M", boot=None, display=("-vga", "none"), extra=disk(image))) as machine:
        machine.wait_for("any other key to continue")
        machine.send(" ")
        machine.wait_for("end-after")
        yield machine


def piece(machine, name):
    """Return what came between the marks around one program."""
    match = re.search(rf"begin-{name}\n(.*?)end-{name} ?(\S*)", machine.text, re.DOTALL)
    assert match, machine.failure(f"no output of {name}")
    return match


@pytest.mark.parametrize("name", CASES)
def test_one_line_and_back(shell, name):
    """The line names what is wrong, with its value; the firmware gets an error."""
    _, thing, value = CASES[name]
    match = piece(shell, name)
    said = match[1].replace("\n", "")  # the shell's terminal folds long lines
    assert said.count("ankeos: ") == 1 and said.startswith("ankeos: "), said
    assert re.search(thing, said), said
    if value is not None:
        assert re.search(rf"\b0x0*{value:x}\b", said), f"{value:#x} in: {said}"
    assert int(match[2], 16) != 0, "an EFI error"


def test_all_is_given_back(shell):
    """All broken files together leave as much memory of the loader's types as there was before the first."""
    def loader_pages(when):
        return re.findall(r"^ *((?:Loader|RT_)\w+) *: +([\d,]+) Pages", piece(shell, when)[1], re.MULTILINE)

    assert loader_pages("before"), shell.failure("memmap printed no summary")
    assert loader_pages("before") == loader_pages("after")


def test_good_file_boots_afterwards(shell):
    """A good file boots after the broken ones. This test comes last: the firmware is gone then."""
    shell.wait_prompt()


def test_boot_manager_goes_on(tmp_path):
    """After a broken file as the first choice the firmware takes the next one, AnkeOS on a disk."""
    broken = bundle(tmp_path / "broken.efi", None)
    extra = disk(BUILD / "ankeos.img")
    with Machine(Config(boot=broken, display=("-vga", "none"), extra=extra)) as machine:
        machine.wait_for(r"^ankeos: no \.kernel section")
        machine.wait_for(r"^/root # \Z")
        assert machine.text.count("ankeos: ") == 1


def test_too_little_memory(tmp_path):
    """A kernel that does not fit into the machine is an error like others, and the boot manager goes on."""
    kernel = Elf().change(last_load(), memsz=GIB)
    broken = bundle(tmp_path / "broken.efi", bytes(kernel.content))
    with Machine(Config(memory="64M", boot=broken, display=("-vga", "none"))) as machine:
        machine.wait_for(r"^ankeos: no memory: \d+ pages")
        machine.wait_for("UEFI Interactive Shell")


def test_watchdog_is_left_alone(tmp_path):
    """A shell that goes on after a failure is still there five minutes later, so no watchdog has reset the machine.

    The clock counts instructions, so that five minutes pass in seconds.
    """
    (tmp_path / "startup.nsh").write_text("\r\n".join(["@echo -off", "fs0:", "broken.efi", "stall 310000000",
                                                        "echo alive", ""]))
    image = fat_image(tmp_path / "disk.img", {"broken.efi": bundle(tmp_path / "broken.efi", None),
                                              "startup.nsh": tmp_path / "startup.nsh"})
    clock = ("-icount", "shift=10,sleep=off", "-rtc", "clock=vm")
    with Machine(Config(memory="256M", boot=None, display=("-vga", "none"), extra=(*disk(image), *clock))) as machine:
        machine.wait_for(r"^ankeos: no \.kernel section")
        machine.wait_for(r"^alive")
