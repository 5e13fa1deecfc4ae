"""Test a program that nobody here wrote: Debian's static busybox as the shell, typed at over the serial port."""

import pytest
from bundles import busybox_bundle
from machine import Config, Machine

APPLETS = ("sh", "ls", "cat", "wc", "echo", "true", "dmesg", "grep", "tail", "head")
PROMPT = r"^/ # \Z"
LINES = (
    ("uname -sm", "Linux x86_64"),
    ("cat /lines | wc -l", "3"),
    ("i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; echo $i", "300"),
    ("echo one > /new; echo two >> /new; cat /new", "one\ntwo"),
    ("cat <<end\n> a here-document\n> end", "a here-document"),
    ("for i in 1 2 3; do true; done && ls /bin/no 2>/dev/null || echo $?", "1"),
)

# Commands for the log: dmesg reads by syslog(2), the others by /dev/kmsg. A program's message is of facility 1, "user".
LOG_LINES = (
    ("dmesg | head -n 1", r"\[ +\d+\.\d{6}\] AnkeOS [\d.]+"),
    ("head -n 1 /dev/kmsg", r"6,0,\d+,-;AnkeOS [\d.]+"),
    ("echo '<4>from a program' > /dev/kmsg; dmesg -r | tail -n 1", r"<12>\[ +\d+\.\d{6}\] from a program"),
    ("dmesg -n 8; echo '<7>shown now' > /dev/kmsg", "shown now"),
    ("dmesg -n 1; echo '<1>not shown' > /dev/kmsg; echo done", "done"),
    ("dmesg -c | tail -n 1; dmesg | wc -l", r"\[ +\d+\.\d{6}\] not shown\n0"),
    # A reader of the log waits for the next message.
    ("cat /dev/kmsg >/all & while ! grep 'to be awaited' /all; do echo to be awaited >/dev/kmsg; done; kill $!",
     r"12,\d+,\d+,-;to be awaited[^$]*"),
)


@pytest.mark.parametrize("lines", [LINES, LOG_LINES], ids=["shell", "log"])
def test_shell(tmp_path, lines):
    """Pipes, loops, redirection, a here-document and the log work; `exit` of the shell ends init and so the machine."""
    (tmp_path / "lines").write_text("1\n2\n3\n")
    boot = busybox_bundle(tmp_path, "console=ttyS0 quiet init=/bin/sh", (*APPLETS, "uname"),
                          f"lines={tmp_path / 'lines'}")
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_for(PROMPT)
        for line, expected in lines:
            since = len(machine.raw)
            machine.send("\n".join(part.removeprefix("> ") for part in line.split("\n")) + "\n")
            machine.wait_for(rf"^{expected}\n{PROMPT}", since)
        machine.send("exit 3\n")
        assert machine.wait_exit() == "guest-shutdown"
