"""Run the scripts of test/qemu/parity, here and on the Linux of the host, and tell what each printed."""

from __future__ import annotations

import base64
import os
import re
import subprocess
from pathlib import Path

from bundles import KERNEL, bundle, busybox_archive
from contract import BUILD, ROOT
from machine import Config, Machine

SCRIPTS = ROOT / "test" / "qemu" / "parity"
DRIVER = SCRIPTS / "run-parity"
BUSYBOX = Path("/bin/busybox")
NODES = ("tmp/", "proc/", "etc/", "dev/zero=c:1:5", "dev/fd=l:/proc/self/fd",
         "dev/stdout=l:/proc/self/fd/1")
LIMIT = 1800.0


def names() -> list[str]:
    """Return the names of all scripts."""
    return sorted(path.name for path in SCRIPTS.iterdir() if path != DRIVER)


def archive(path: Path, scripts: list[str], programs: dict[str, Path]) -> Path:
    """Make an initramfs with these scripts, busybox's applets, and other programs in /bin."""
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    words = [f"bin/{name}={program}" for name, program in programs.items()]
    words += [f"parity/{name}={SCRIPTS / name}" for name in scripts]
    return busybox_archive(path, (name for name in applets if name != "busybox"), f"init={DRIVER}", *words, *NODES)


def parse(text: str) -> dict[str, bytes]:
    """Return what each script printed, from the driver's output."""
    found: dict[str, str] = {}
    for part in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        found[name] = "".join(line for line in rest.splitlines() if re.fullmatch(r"[A-Za-z0-9+/=]+", line))
    return {name: base64.b64decode(data) for name, data in found.items() if name != "end"}


def run_here(path: Path, directory: Path) -> dict[str, bytes]:
    """Run the scripts on AnkeOS."""
    boot = bundle(directory / "parity.efi", KERNEL, stub=BUILD / "loader.efi", initrd=path,
                  cmdline="console=ttyS0 quiet")
    with Machine(Config(boot=boot, display=("-vga", "none"), memory="1G")) as machine:
        machine.wait_for(r"^== end$", limit=LIMIT)
        machine.wait_exit()
        return parse(machine.text)


def run_on_linux(path: Path, directory: Path) -> dict[str, bytes]:
    """Run the scripts on the host in a tmpfs of their own, as root; where the tests run as a user, of a namespace."""
    root = directory / "root"
    root.mkdir()
    inside = (f"mount -t tmpfs none {root} && cd {root} && cpio -id --quiet --no-preserve-owner <{path} && "
              "{ test -c dev/zero || for n in null zero; do rm -f dev/$n; touch dev/$n; "
              "mount --bind /dev/$n dev/$n; done; } && "
              "exec env -i /usr/sbin/chroot . /init")
    how = ["unshare", "--mount", "--pid", "--fork"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    result = subprocess.run([*how, "sh", "-c", inside], capture_output=True, text=True, check=False,
                            stdin=subprocess.DEVNULL, timeout=LIMIT)
    assert "== end" in result.stdout, f"the host's run did not end: {result.stdout[-500:]} {result.stderr}"
    return parse(result.stdout)
