"""Job control: Debian's busybox as the shell of a session with a terminal, typed at over the serial port."""

import subprocess

import pytest
from bundles import KERNEL, bundle
from contract import BUILD, ROOT
from machine import Config, Machine

APPLETS = ("sh", "cat", "echo", "sleep", "true", "setsid", "cttyhack", "stty", "init", "kill")
PROMPT = r"^/ # \Z"
STARTS = {
    "cttyhack": ("init", "#!/bin/sh\nexec setsid cttyhack sh\n"),
    "setsid-c": ("init", "#!/bin/sh\nexec setsid -c sh\n"),
    "respawn": ("etc/inittab", "::respawn:-/bin/sh\n"),
    "askfirst": ("etc/inittab", "ttyS0::askfirst:-/bin/sh\n"),
}


def start(tmp_path, how):
    """A machine whose init starts the shell that way."""
    name, text = STARTS[how]
    script = tmp_path / "script"
    script.write_text(text)
    script.chmod(0o755)
    archive = tmp_path / "jobs.cpio"
    subprocess.run([ROOT / "scripts" / "mkinitrd", "-o", archive, "bin/busybox=/bin/busybox", f"{name}={script}",
                    *(f"bin/{applet}=l:busybox" for applet in APPLETS), "dev/console=c:5:1", "dev/null=c:1:3"],
                   check=True)
    path = "/init" if name == "init" else "/bin/init"
    boot = bundle(tmp_path / "jobs.efi", KERNEL, stub=BUILD / "loader.efi", initrd=archive,
                  cmdline=f"console=ttyS0 quiet init={path}")
    return Machine(Config(boot=boot, display=("-vga", "none")))


def step(machine, typed, expected, after=PROMPT):
    """Type, and wait for that answer and the prompt behind it."""
    since = len(machine.raw)
    machine.send(typed)
    machine.wait_for(expected + after, since)


@pytest.mark.parametrize("how", STARTS)
def test_each_start_has_job_control(tmp_path, how):
    """The shell says nothing of job control turned off, and Ctrl-C ends its program, not the shell."""
    with start(tmp_path, how) as machine:
        if how == "askfirst":
            machine.wait_for("Please press Enter")
            machine.send("\n")
        machine.wait_for(PROMPT)
        assert "job control turned off" not in machine.text, machine.text
        since = len(machine.raw)
        machine.send("echo ready; cat\n")
        machine.wait_for("^ready\n", since)
        step(machine, "a line\n", "^a line\na line\n", "")
        step(machine, "\x03", r"\^C\n")
        step(machine, "echo $?\n", "^130\n")
