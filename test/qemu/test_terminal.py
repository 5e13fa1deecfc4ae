"""Test the screen and the keyboard as a terminal: Debian's busybox, typed at with QEMU's keys, its screen read from pixels."""

import re

import pytest
from bundles import KERNEL, bundle, busybox_archive
from keys import press, type_text
from machine import Config, Machine
from screen import cursor_cells, read_text, wait_for_rows, wait_for_text

APPLETS = ("sh", "cat", "clear", "dd", "echo", "less", "sleep", "stty", "vi", "watch", "wc")
PROMPT = "/ #"
LINES = [f"line {number} of the file" for number in range(1, 201)]
ROWS, COLUMNS = 50, 160  # those of QEMU's standard VGA under OVMF: 1280 x 800


@pytest.fixture(scope="module", name="archive")
def fixture_archive(tmp_path_factory):
    """Make an archive of busybox, a bash whose line editor is readline, and a text."""
    directory = tmp_path_factory.mktemp("terminal")
    (directory / "lines").write_text("\n".join(LINES) + "\n")
    (directory / "mess").write_text("\033[?1049h\033[2;4r\033[?25l\033(0\033[41;4mmess\033[4h\033[?7l\033]0;unfinished")
    return busybox_archive(directory / "terminal.cpio", APPLETS, "bin/bash=/bin/bash-static",
                           f"lines={directory / 'lines'}", f"mess={directory / 'mess'}")


def machine_for(archive, tmp_path, cmdline):
    """Start a machine with a screen whose first program is busybox's shell."""
    boot = bundle(tmp_path / "terminal.efi", KERNEL, initrd=archive, cmdline=f"{cmdline} quiet init=/bin/sh")
    return Machine(Config(boot=boot))


def clear(machine):
    """Clear the screen, and leave a prompt at the top."""
    type_text(machine, "clear\n")
    wait_for_rows(machine, {0: PROMPT, 1: ""})


def run(machine, line, *expected):
    """Clear the screen and run a line; return when its output and the next prompt are on the screen."""
    clear(machine)
    type_text(machine, line)
    wait_for_rows(machine, {0: f"{PROMPT} {line}"})
    type_text(machine, "\n")
    wait_for_rows(machine, {row: text for row, text in enumerate([*expected, PROMPT], 1)})


def test_size(archive, tmp_path):
    """The terminal has the size of the screen, by ioctl and for those who ask where the cursor is."""
    with machine_for(archive, tmp_path, "console=tty0") as machine:
        wait_for_text(machine, PROMPT)
        run(machine, "stty size", f"{ROWS} {COLUMNS}")
        answer = f"^[[{ROWS};{COLUMNS}R"
        asking = "stty -icanon -echo; printf '\\033[s\\033[999;999H\\033[6n\\033[u'; dd bs=9 count=1 2>/dev/null | cat -v; echo"
        run(machine, asking, answer)
        assert machine.heard().strip() == ""  # the serial port is another terminal


def test_vi(archive, tmp_path):
    """An editor works: motions by arrow and page keys, insertion, deletion, undo, search, saving."""
    status = ROWS - 1
    with machine_for(archive, tmp_path, "console=tty0") as machine:
        wait_for_text(machine, PROMPT)
        type_text(machine, "vi lines\n")
        wait_for_rows(machine, {**dict(enumerate(LINES[:status])), status: "- lines 1/200 0%"})
        assert cursor_cells(machine.screendump()) == [(0, 0)]
        press(machine, "down", "down", "right", "right")
        wait_for_rows(machine, {status: "- lines 3/200 1%"})
        type_text(machine, "iHello (World)!")
        wait_for_rows(machine, {2: "liHello (World)!ne 3 of the file", status: "I lines 3/200 1%"})
        press(machine, "esc")
        wait_for_rows(machine, {status: "- lines [Modified] 3/200 1%"})
        assert cursor_cells(machine.screendump()) == [(2, 15)]
        type_text(machine, "ddj")  # the lines below move up
        wait_for_rows(machine, {2: LINES[3], 3: LINES[4], status: "- lines [Modified] 4/199 2%"})
        type_text(machine, "P")
        wait_for_rows(machine, {3: "liHello (World)!ne 3 of the file", 4: LINES[4]})
        press(machine, "pgdn")
        wait_for_rows(machine, {0: LINES[48], status: "- lines [Modified] 49/200 24%"})
        type_text(machine, "G")
        wait_for_rows(machine, {status: "- lines [Modified] 200/200 100%"})
        type_text(machine, ":wq\n")
        wait_for_text(machine, PROMPT)
        run(machine, "wc -l lines; dd if=lines bs=70 count=1 2>/dev/null; echo", "200 lines", LINES[0], LINES[1], LINES[3],
            "liHello (Worl")


def test_less(archive, tmp_path):
    """A pager works: pages, single lines up and down, a search whose hits are reversed."""
    with machine_for(archive, tmp_path, "console=tty0") as machine:
        wait_for_text(machine, PROMPT)
        type_text(machine, "less lines\n")
        wait_for_rows(machine, {**dict(enumerate(LINES[:ROWS - 1]))})
        press(machine, "pgdn")
        wait_for_rows(machine, {0: LINES[ROWS - 1], ROWS - 2: LINES[2 * ROWS - 3]})
        press(machine, "down", "down", "up")
        wait_for_rows(machine, {**dict(enumerate(LINES[ROWS:2 * ROWS - 1])), ROWS - 1: ":"})
        type_text(machine, "/77\n")
        wait_for_rows(machine, {0: LINES[76], 1: LINES[77]})
        assert cursor_cells(machine.screendump()) == [(0, 5), (0, 6), (ROWS - 1, 1)]
        press(machine, "end")
        assert LINES[199] in wait_for_text(machine, "(END)")
        press(machine, "home")
        wait_for_rows(machine, dict(enumerate(LINES[:ROWS - 1])))
        type_text(machine, "q")
        wait_for_text(machine, PROMPT)


def test_a_screen_that_is_drawn_again(archive, tmp_path):
    """Programs such as top draw the screen from the top left each time, and nothing is left of what was there."""
    with machine_for(archive, tmp_path, "console=tty0") as machine:
        wait_for_text(machine, PROMPT)
        type_text(machine, "while sleep 0.1; do echo >> /count; done &\n")
        type_text(machine, "watch -t -n 1 wc -l /count\n")
        counts = set()
        while len(counts) < 3:
            wait_for_rows(machine, {1: "", 2: ""})
            seen = wait_for_text(machine, " /count")
            assert re.fullmatch(r"\d+ /count", seen), seen
            counts.add(seen)
        press(machine, "ctrl-c")


def test_line_editors(archive, tmp_path):
    """The line editors of ash and bash work: arrows, Home, End, words by Control and Alt, history, lines longer than a row."""
    with machine_for(archive, tmp_path, "console=tty0") as machine:
        wait_for_text(machine, PROMPT)
        clear(machine)
        type_text(machine, "ech three")
        press(machine, "home", "right", "right", "right")
        type_text(machine, "o one two")
        wait_for_rows(machine, {0: f"{PROMPT} echo one two three"})
        assert cursor_cells(machine.screendump()) == [(0, len(f"{PROMPT} echo one two"))]
        press(machine, "end", "left", "left", "backspace", "delete", "ctrl-u")
        type_text(machine, "echo ")
        press(machine, "end")
        type_text(machine, "x")
        wait_for_rows(machine, {0: f"{PROMPT} echo ex"})
        press(machine, "ret")
        wait_for_rows(machine, {1: "ex", 2: PROMPT})
        press(machine, "up", "backspace", "y", "ret")
        wait_for_rows(machine, {2: f"{PROMPT} echo ey", 3: "ey", 4: PROMPT})
        clear(machine)
        # Type a line of more than one row, and go back to its beginning.
        type_text(machine, "echo " + "a" * COLUMNS)
        press(machine, "home", "delete", "delete")
        type_text(machine, "ec")
        wait_for_rows(machine, {0: f"{PROMPT} echo " + "a" * (COLUMNS - 9), 1: "a" * 9})
        press(machine, "ret")
        wait_for_rows(machine, {2: "a" * COLUMNS, 3: PROMPT})
        # Readline knows more keys than ash does.
        clear(machine)
        type_text(machine, "PS1='bash: ' bash --norc\n")
        wait_for_text(machine, "\nbash:")
        type_text(machine, "clear\n")
        wait_for_rows(machine, {0: "bash:", 1: ""})
        type_text(machine, "echo one two three")
        press(machine, "home", "ctrl-right", "ctrl-right")
        type_text(machine, "1")
        press(machine, "alt-f", "alt-b", "alt-d")
        type_text(machine, "2")
        wait_for_rows(machine, {0: "bash: echo one1 2 three"})
        assert cursor_cells(machine.screendump()) == [(0, len("bash: echo one1 2"))]
        press(machine, "ctrl-r")
        type_text(machine, "cle")
        wait_for_rows(machine, {0: "(reverse-i-search)`cle': clear"})
        press(machine, "ctrl-g")
        wait_for_rows(machine, {0: "bash: echo one1 2 three"})
        press(machine, "home", "ctrl-k", "ctrl-d")
        wait_for_text(machine, PROMPT)


def test_programs_and_the_kernel_share_the_screen(archive, tmp_path):
    """Whatever a program leaves behind, the monitor can be used, and the panic page can be read."""
    with machine_for(archive, tmp_path, "console=tty0 monitor") as machine:
        wait_for_text(machine, PROMPT)
        type_text(machine, "cat mess; exit\n")
        wait_for_text(machine, "anke>")
        type_text(machine, "panic null\n")
        seen = wait_for_text(machine, "The machine is halted.")
        lines = seen.splitlines()
        start = next(i for i, line in enumerate(lines) if "kernel panic" in line)
        assert "=" * 30 in lines[start] and "backtrace:" in lines[start:], seen
        assert len(lines) <= ROWS and "address 0x0000000000000000" in seen, seen


def test_console_chooses(archive, tmp_path):
    """With one console the other device is a terminal of its own; with both there is one terminal with two places to type."""
    with machine_for(archive, tmp_path, "console=ttyS0") as machine:
        machine.wait_for(r"^/ # \Z")
        machine.send("stty size; sh </dev/tty0 >/dev/tty0 2>&1 &\n")
        machine.wait_for(r"^stty: standard input$")
        wait_for_text(machine, PROMPT)
        type_text(machine, "echo seen here\n")
        assert "seen here" in wait_for_text(machine, "here\n")
        machine.send("echo $((6*7))\n")
        machine.wait_for(r"^42$")
        assert "42" not in read_text(machine.screendump()) and "seen" not in machine.text
    with machine_for(archive, tmp_path, "console=ttyS0 console=tty0") as machine:
        machine.wait_for(r"^/ # \Z")
        machine.send("echo from the line\n")
        wait_for_text(machine, "\nfrom the line")
        # The place where somebody types gives the size.
        machine.send("stty size\n")
        machine.wait_for(r"^stty: standard input$")
        type_text(machine, "stty size; exit 3\n")
        machine.wait_for(rf"^{ROWS} {COLUMNS}$")
        assert machine.wait_exit() == "guest-shutdown"
