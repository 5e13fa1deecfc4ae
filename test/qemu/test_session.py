"""Test what a user gets: the default boot file ends at busybox's shell, on the serial port and on the screen."""

import shutil

import pytest
from keys import type_text
from machine import BOOT_FILE, Config, Machine
from screen import wait_for_text

SHELL = r"^/root # \Z"
# Lines to type, and what the shell shows before its next prompt.
LINES = (
    ("pwd", "/root"),
    ("ls -d /bin/demo /etc/motd /tmp", r"/bin/demo +/etc/motd +/tmp"),
    # Line editing: erase a character, a word, the line; move the cursor to the left and to the start.
    ("echo wrong\x7f\x7f\x7f\x7f\x7fright", "right"),
    ("echo one two\x17three", "one three"),
    ("echo nothing\x15echo all", "all"),
    ("echo ac\x1b[Db", "abc"),
    ("cho start\x01e", "start"),
    ("busybox | head -1", r"BusyBox v.*Debian.*"),
    ("stat -c '%a %u %g %F' /bin/busybox /dev/null", "755 0 0 regular file\n666 0 0 character special file"),
    ("sh -c 'kill -9 $$'; echo $?", r"(Killed\n)?137"),
    # Each mount once.
    ("cut -d' ' -f2 /proc/mounts | sort | tr '\\n' ' '; echo", "/ /dev/pts /proc /sys "),
)


def copy_of_boot_file(directory):
    """Copy the boot file to another name, so that Config leaves its command line as it is."""
    return shutil.copy(BOOT_FILE, directory / "default.efi")


def type_lines(machine, lines):
    """Each line typed at the shell's prompt shows what it must, and then the prompt."""
    for line, expected in lines:
        since = len(machine.raw)
        machine.send(line + "\n")
        machine.wait_for(rf"^{expected}\n{SHELL}", since)


def test_default_boot_file(tmp_path):
    """With its own command line: greeting, prompt, commands, line editing; `exit` turns the machine off."""
    with Machine(Config(boot=copy_of_boot_file(tmp_path), display=("-vga", "none"))) as machine:
        greeting = machine.wait_for(r"AnkeOS\. Shell and[\s\S]*" + SHELL)[0]
        for word in ("cat /sys/kernel/ankeos/map", "demo", "top", "vi", "ls", "exit", "userland"):
            assert word in greeting
        type_lines(machine, LINES)
        machine.send("exit\n")
        assert machine.wait_exit() == "guest-shutdown"


def test_reads_that_end_by_time(tmp_path):
    """With stty's min and time a read that gets nothing, and one that gets less than its least, end by themselves."""
    with Machine(Config(boot=copy_of_boot_file(tmp_path), display=("-vga", "none"))) as machine:
        machine.wait_for(SHELL)
        type_lines(machine, (("stty -icanon min 0 time 3; dd bs=9 count=1 2>/dev/null | wc -c; stty sane", "0"),))
        since = len(machine.raw)
        machine.send("stty -icanon -echo min 5 time 20; echo go; dd bs=9 count=1 2>/dev/null; stty sane; echo .\n")
        machine.wait_for("^go$", since)
        machine.send("ab")
        machine.wait_for(rf"^ab\.\n{SHELL}", since)


def test_vi(tmp_path):
    """A file is made with vi, and changed with it."""
    with Machine(Config(boot=copy_of_boot_file(tmp_path), display=("-vga", "none"))) as machine:
        machine.wait_for(SHELL)
        for keys, shown in (("ifirst line\rsecond", "second"), ("Aand\rthird", "third")):
            since = len(machine.raw)
            machine.send("vi notes\n")
            machine.wait_for(r"^- notes", since)
            # vi may show a word in pieces, with other lines between them. ESC must not become the start of a sequence:
            # vi has taken it when the status line says so.
            for part, echo in ((keys, r"(?s:.*?)".join(shown)), ("\x1b", r"- notes \[Modified\]"), (":wq\r", SHELL)):
                since = len(machine.raw)
                machine.send(part)
                machine.wait_for(echo, since)
        type_lines(machine, [("cat notes", "first lineand\nthird\nsecond")])


def test_screen_and_keyboard(tmp_path):
    """The same session works on a machine without a serial port."""
    with Machine(Config(boot=copy_of_boot_file(tmp_path), serial=False)) as machine:
        shown = wait_for_text(machine, "/root #")
        assert "cat /sys/kernel/ankeos/map" in shown
        type_text(machine, "uname\n")
        assert "Linux" in wait_for_text(machine, "Linux")
        type_text(machine, "exit\n")
        assert machine.wait_exit() == "guest-shutdown"


def test_demo_as_the_only_command(tmp_path):
    """Words after -- run instead of a session, and their status is init's; the monitor follows when it is asked for."""
    boot = copy_of_boot_file(tmp_path)
    with Machine(Config(boot=boot, display=("-vga", "none"), append="console=ttyS0 monitor -- demo")) as machine:
        machine.wait_for(r"^This program ends now, with status 0")
        machine.wait_prompt()
        assert "init has ended with status 0" in machine.text
        assert "NO\n" not in machine.text


@pytest.mark.parametrize(("command", "reason"), [("poweroff", "guest-shutdown"), ("reboot", "guest-reset"),
                                                 ("poweroff -f", "guest-shutdown"), ("exit 3", "guest-shutdown")])
def test_ends(tmp_path, command, reason):
    """Each way to end the machine works."""
    with Machine(Config(boot=copy_of_boot_file(tmp_path), display=("-vga", "none"))) as machine:
        machine.wait_for(SHELL)
        machine.send(command + "\n")
        assert machine.wait_exit() == reason
