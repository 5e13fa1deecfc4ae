"""Test the memory map as a picture: on the screen at boot, in the monitor, and by the session's `map`."""

import re
import shutil
from collections import Counter

import pytest
from machine import BOOT_FILE, CONSOLES, Config, Machine
from screen import WIDTH, load_font, read_text, wait_for_text

SHELL = r"^/root # \Z"
WALL = "\u2502"
RANGES = ("ffff800000000000  HHDM", "ffff900000000000  MMIO", "ffffff8000000000  HEAP", "ffffffff80000000 IMAGE")
# Colours of kernel/dev/text_palette.c for what every machine has: the number in SGR, by the legend's word.
KINDS = {"usable": 32, "reserved": 31, "ACPI NVS": 33, "kernel image": 97, "initrd": 36, "code (r-x)": 33,
         "read only (r--)": 36, "data (rw-)": 32, "devices (uncached)": 34}


def rows_of_picture(text):
    """Return the text of each row between walls, by the text that stands left of the row."""
    return {label.strip(): cells for label, cells in re.findall(rf"^(.{{22}}) {WALL}(.*?){WALL}", text, re.MULTILINE)}


def check_picture(text):
    """Check that the picture has all ranges, in the colours of what they hold, and each kind in the legend."""
    rows = rows_of_picture(text)
    assert len(rows) in (5, 6, 7) and set(RANGES) <= set(rows), text
    assert "\x1b[33m\u2588" in rows[RANGES[3]] and "\x1b[34m\u2588" in rows[RANGES[1]], text
    for name, colour in KINDS.items():
        assert re.search(rf"\x1b\[{colour}m[\u2588\u2592]\x1b\[0m {re.escape(name)}", text), f"{name} in\n{text}"


def test_monitor():
    """The monitor shows the picture behind the lists."""
    with Machine(Config(append="console=ttyS0", display=("-vga", "none"))) as machine:
        machine.wait_prompt()
        assert WALL not in machine.text
        since = len(machine.raw)
        machine.command("map")
        check_picture(machine.raw[since:].decode().replace("\r\n", "\n"))


def test_session(tmp_path):
    """`map` draws on a terminal, and lists into a pipe."""
    boot = shutil.copy(BOOT_FILE, tmp_path / "default.efi")
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_for(SHELL)
        since = len(machine.raw)
        machine.send("map\n")
        machine.wait_for(rf"kernel context, what[\s\S]*{SHELL}", since)
        check_picture(machine.raw[since:].decode().replace("\r\n", "\n"))
        since = len(machine.raw)
        machine.send("map | cat\n")
        machine.wait_for(rf"^page tables: \d+ frames[\s\S]*{SHELL}", since)
        assert WALL not in machine.raw[since:].decode()


def colours_of_row(image, row):
    """Count how many of the row's pixels have each colour."""
    width, _, pixels = image
    height, _ = load_font()
    rows = pixels[row * height * width * 3:(row + 1) * height * width * 3]
    return Counter(rows[i:i + 3] for i in range(0, len(rows), 3))


@pytest.mark.parametrize("size", [(1280, 800), (640, 480)], ids=("1280x800", "640x480"))
def test_screen_at_boot(size):
    """The picture stands on the screen when programs start, with more than two colours in each bar; serial has none of it."""
    width, height = size
    display = ("-vga", "none", "-device", f"VGA,edid=on,xres={width},yres={height}")
    with Machine(Config(append=CONSOLES, display=display, cold=True)) as machine:
        machine.wait_prompt()
        shown = wait_for_text(machine, "kernel context, what is mapped of each range").splitlines()
        image = machine.screendump()
        assert image[:2] == size
        labels = [re.match(r" *[0-9a-f]+ +[A-Z]*", line) for line in shown]
        for name in ("HHDM", "IMAGE"):
            row = next(i for i, label in enumerate(labels) if label and label[0].endswith(name))
            bars = [count for count in colours_of_row(image, row).values() if count >= WIDTH * 16]
            assert len(bars) >= 3, f"row {row}: {bars}\n" + "\n".join(shown)
            assert re.search(r" \d+(\.\d)? [KMGT]iB$", shown[row]), shown  # the line has not been cut in two
        assert any(" usable" in line for line in shown) and any("code (r-x)" in line for line in shown), shown
        assert WALL not in machine.text


def test_quiet():
    with Machine(Config(append=f"{CONSOLES} quiet")) as machine:
        machine.wait_prompt()
        assert "anke>" in wait_for_text(machine, "anke>")
        assert "what is mapped" not in read_text(machine.screendump())
