"""Test few bytes that ask the screen for much: others must run within a million instructions. Test /dev/fb0, too."""

import re

from bundles import KERNEL, bundle
from contract import BUILD
from machine import Config, Machine
from screen import wait_for_text

ARCHIVE = BUILD / "user" / "screen_work.cpio"
NS = 16  # nanoseconds of the guest's clock for an instruction
MOST = 1_000_000  # the most instructions for which the neighbour may not run
SLEEP = 200_000 // NS  # instructions for which the neighbour itself sleeps
KINDS = 16
RED, GREEN, BLUE = b"\xff\0\0", b"\0\xff\0", b"\0\0\xff"


def type_line(machine):
    machine.qmp.human("sendkey x")
    machine.qmp.human("sendkey ret")


def rows_of(image):
    width, _, pixels = image
    return [pixels[at:at + width * 3] for at in range(0, len(pixels), width * 3)]


def look_at_picture(machine):
    """Check the screen: the program's picture, on which the terminal draws nothing; another one; then text."""
    machine.wait_for("^painted$")
    rows = rows_of(machine.screendump())
    half = len(rows[0]) // 6
    assert set(rows) == {RED * half + BLUE * half}, "the screen is not red and blue"
    type_line(machine)
    machine.wait_for("^painted again$")
    again = rows_of(machine.screendump())
    middle = len(rows) // 2
    assert again[0] == GREEN * 2 * half and again[middle] == GREEN + rows[1][3:], "the screen has not changed"
    assert again[1:middle] + again[middle + 1:] == rows[1:middle] + rows[middle + 1:], "more has changed than was written"
    type_line(machine)
    machine.wait_for("^text$")
    image = machine.screendump()
    assert wait_for_text(machine, "hidden").startswith("hidden") and RED not in set(map(bytes, zip(*[iter(image[2])] * 3)))
    type_line(machine)


def test_a_neighbour_runs_beside_the_screen(tmp_path):
    """The neighbour runs beside sequences that change the whole screen, much text to erase, and typed lines."""
    boot = bundle(tmp_path / "work.efi", KERNEL, initrd=ARCHIVE, cmdline="console=ttyS0 quiet")
    with Machine(Config(boot=boot, icount=True)) as machine:
        machine.wait_for("^type$")
        for _ in range(5):
            type_line(machine)
        look_at_picture(machine)
        machine.wait_exit()
        kept = {name: int(us) * 1000 // NS for us, name in
                re.findall(r"^kept: (\d+) by (.*)\.$", machine.text, re.MULTILINE)}
        assert len(kept) == KINDS and "not ok" not in machine.text, machine.failure("not all was tried")
        late = {name: count for name, count in kept.items() if count > SLEEP + MOST}
        assert not late, machine.failure(f"instructions that the neighbour waited: {late}")
