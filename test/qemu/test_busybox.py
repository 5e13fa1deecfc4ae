"""A program that nobody here wrote: Debian's static busybox as the shell, typed at over the serial port."""

import subprocess

from bundles import KERNEL, bundle
from contract import BUILD, ROOT
from machine import Config, Machine

APPLETS = ("sh", "ls", "cat", "wc", "echo", "true")
PROMPT = r"^/ # \Z"
LINES = (
    ("uname -sm", "Linux x86_64"),
    ("cat /lines | wc -l", "3"),
    ("i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; echo $i", "300"),
    ("echo one > /new; echo two >> /new; cat /new", "one\ntwo"),
    ("cat <<end\n> a here-document\n> end", "a here-document"),
    ("for i in 1 2 3; do true; done && ls /bin/no 2>/dev/null || echo $?", "1"),
)


def test_shell(tmp_path):
    """Pipes, loops, redirection, a here-document; `exit` of the shell ends init and so the machine."""
    (tmp_path / "lines").write_text("1\n2\n3\n")
    archive = tmp_path / "busybox.cpio"
    links = [f"bin/{name}=l:busybox" for name in (*APPLETS, "uname")]
    subprocess.run([ROOT / "scripts" / "mkcpio", "-o", archive, "bin/busybox=/bin/busybox", *links,
                    f"lines={tmp_path / 'lines'}", "dev/console=c:5:1", "dev/null=c:1:3"], check=True)
    boot = bundle(tmp_path / "busybox.efi", KERNEL, stub=BUILD / "loader.efi", initrd=archive,
                  cmdline="console=ttyS0 quiet init=/bin/sh")
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        machine.wait_for(PROMPT)
        for line, expected in LINES:
            since = len(machine.raw)
            machine.send("\n".join(part.removeprefix("> ") for part in line.split("\n")) + "\n")
            machine.wait_for(rf"^{expected}\n{PROMPT}", since)
        machine.send("exit 3\n")
        assert machine.wait_exit() == "guest-shutdown"
