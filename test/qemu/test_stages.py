"""Test stage codes on port 0x80, and squares on the screen: all that a boot shows that dies before its first console."""

import re
import time

import contract
from bundles import PF_X, PT_LOAD, Elf, bundle
from contract import ROOT
from machine import LIMIT, Config, Machine

STAGES = [int(code, 16) for code in
          re.findall(r"^\tSTAGE_\w+ = (0x[0-9a-f]+),", (ROOT / "kernel/boot/boot_stage.h").read_text(), re.MULTILINE)]
LOADER_STAGES = 4
KERNEL_SQUARES = 9  # up to STAGE_MEMORY
SQUARE, STEP = 12, 24
HALT_LOOP = b"\xeb\xfe"  # jmp to itself


def watch(machine, expected):
    """Wait until our codes on port 0x80 are `expected`; the firmware has codes of its own, which do not count."""
    deadline = time.monotonic() + LIMIT
    while True:
        written = (machine.directory / "port80").read_bytes()
        codes = [code for code in written if code in STAGES]
        if codes[-len(expected):] == expected or time.monotonic() > deadline:
            assert codes[-len(expected):] == expected, (written, machine.text)
            return
        time.sleep(0.2)


def config(**fields):
    extra = ("-chardev", "file,id=post,path=port80", "-device", "isa-debugcon,iobase=0x80,chardev=post")
    return Config(extra=extra, **fields)


def squares(machine):
    """Return the colours of the squares in the first row; each must be whole, on black."""
    width, _, pixels = machine.screendump()
    rows = [pixels[3 * width * y:3 * width * (y + 1)] for y in range(SQUARE)]
    found = []
    for stage in range(len(STAGES)):
        left = 3 * STEP * stage
        colours = {row[at:at + 3] for row in rows for at in range(left, left + 3 * SQUARE, 3)}
        if len(colours) != 1:
            break
        found.append(colours.pop())
    return found


def test_codes_of_a_boot():
    """Each stage's code comes once, in order, and the documented list is this one."""
    with Machine(config()) as machine:
        machine.wait_prompt()
        watch(machine, STAGES)
    documented = re.findall(r"^\| `(0x[0-9a-f]{2})` \|", (ROOT / "docs/hardware.md").read_text(), re.MULTILINE)
    assert [int(code, 16) for code in documented] == STAGES


def death_at(tmp_path, address):
    """Make a boot file whose kernel hangs at an address; None: at its first instruction."""
    kernel = Elf()
    text = kernel.load(required=PF_X)
    at = text["offset"] + (kernel.get("entry") if address is None else address) - text["vaddr"]
    kernel.content[at:at + len(HALT_LOOP)] = HALT_LOOP
    return bundle(tmp_path / "dead.efi", bytes(kernel.content))


def colours(count):
    """Return the colours of the first squares: each stage has its own combination of red, green and blue, from one on."""
    return [bytes(255 if (stage % 7 + 1) >> bit & 1 else 0 for bit in range(3)) for stage in range(count)]


def test_death_at_the_first_instruction(tmp_path):
    """With a kernel that does nothing at all the loader's codes, and their squares, are all there is to see."""
    with Machine(config(boot=death_at(tmp_path, None))) as machine:
        watch(machine, STAGES[:LOADER_STAGES])
        assert squares(machine)[:LOADER_STAGES] == colours(LOADER_STAGES), machine.text


def test_death_before_the_screen(tmp_path):
    """With a kernel that hangs once device memory can be mapped its stages up to then have squares too, and no others."""
    with Machine(config(boot=death_at(tmp_path, contract.symbols()["firmware_init"]))) as machine:
        watch(machine, STAGES[:KERNEL_SQUARES])
        found = squares(machine)
        assert found == colours(KERNEL_SQUARES) + [bytes(3)] * (len(STAGES) - KERNEL_SQUARES), machine.text


def test_squares_go_when_the_loader_fails(tmp_path):
    """The firmware's screen under the squares is back before the line about the failure comes."""
    kernel = Elf()
    last = max((h for h in kernel.headers() if h["type"] == PT_LOAD), key=lambda h: h["vaddr"])
    broken = bundle(tmp_path / "broken.efi", bytes(kernel.change(last, memsz=1 << 30).content))
    with Machine(config(boot=broken)) as machine:
        machine.wait_for(r"^ankeos: no memory")
        watch(machine, STAGES[:1])
        assert squares(machine)[:1] != colours(1), machine.text
