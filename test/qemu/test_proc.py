"""Test what /proc, /sys and the mounts look like to Debian's busybox: ps, top, free, mount and others, typed over serial."""

import re

import debian_programs
import pytest
from bundles import busybox_bundle
from machine import Config, Machine, plain

APPLETS = ("sh", "ps", "top", "free", "uptime", "df", "mount", "umount", "pidof", "killall", "ls", "cat", "sleep", "head",
           "mkdir", "hostname", "grep", "readlink", "tr", "tail", "wc", "kill")
PROMPT = r"^/ # \Z"
FORMATS = {
    "map": r"^0x[0-9a-f]{16}-0x[0-9a-f]{16} .* kernel text$",
    "audit": r"^audit: kernel context: 0 W\+X, 0 user, 0 stray global, 0 outside the map; \d+ leaves, \d+ tables$",
    "context": r"^0x[0-9a-f]{16}-0x[0-9a-f]{16} .* user memory$",
    "counters": r"^CR3: \d+ writes, \d+ of them flushed; .*\n(?s:.*)^tables: \d+ frames",
    "syscalls": r"^ +\d+ +\d+ +\d+ +\d+  read$",
    "heap": r"^heap: .* mapped",
    "mem": r"^frames: \d+ of \d+ free",
    "irqs": r"^vector \d+: \d+, timer$",
    "tasks": r"^ +1 +1 +\S +0x[0-9a-f]+ .* sh$",
    "cpus": r"^  0 +0 +\S.* +(user|kernel|idle) +0x[0-9a-f]+",
    "cpu": r"^CPU: .*\n(?s:.*)^CR0 0x",
}


class Session:
    """A shell to type at."""

    def __init__(self, machine):
        self.machine = machine
        machine.wait_for(PROMPT)

    def run(self, line):
        """Run a command; return what it printed."""
        since = len(self.machine.raw)
        self.machine.send(line + "\n")
        self.machine.wait_for(PROMPT, since)
        return plain(self.machine.raw[since:]).split("\n", 1)[1].removesuffix("/ # ")

    def expect(self, line, pattern):
        """Check that the output has what the pattern describes, one pattern a line."""
        text = self.run(line)
        assert re.search(pattern, text, re.MULTILINE), f"{line}: expected {pattern!r}, saw\n{text}"
        return text


@pytest.fixture(name="shell", scope="module")
def shell_session(tmp_path_factory):
    """Start one machine for all tests here."""
    directory = tmp_path_factory.mktemp("proc")
    boot = busybox_bundle(directory, "console=ttyS0 quiet init=/bin/sh", APPLETS, "mnt/",
                          *debian_programs.words(["/usr/bin/lspci"]))
    with Machine(Config(boot=boot, display=("-vga", "none"))) as machine:
        yield Session(machine)


def test_processes(shell):
    """ps, top and pidof find the processes that run; kill and killall end them."""
    assert shell.expect("ps", r"^ +1 0 +/bin/sh$").startswith("PID   USER")
    shell.run("sleep 1000 & sleep 1000 &")
    shell.expect("ps", r"^ +\d+ 0 +sleep 1000$")
    found = shell.run("pidof sleep").split()
    assert len(found) == 2, found
    shell.expect("top -b -n1", r"^Mem: \d+K used, \d+K free(?s:.*)^CPU: (?s:.*)^Load average: (?s:.*)"
                 r"^ +1 +0 0 +S +\d+ +\d+% +\d+% /bin/sh$")
    shell.run(f"kill {found[0]}")
    shell.run("killall sleep")
    shell.expect("sleep 0; pidof sleep || echo none", "^none$")
    shell.expect("cat /proc/loadavg", r"^\d+\.\d\d \d+\.\d\d \d+\.\d\d 1/\d+ \d+$")


def test_top_goes_on(shell):
    """top shows itself again and again, until a key ends it, even one that came meanwhile."""
    machine = shell.machine
    since = len(machine.raw)
    machine.send("(sleep 3; exec sleep 1001) & top -d 1\n")
    # Escape sequences stand between the lines.
    machine.wait_for(r"(?s:Mem: .*){2}sleep 1001", since)
    machine.send("q")
    machine.wait_for(PROMPT, since)
    shell.run("killall sleep")


def test_zombie(shell):
    """A process that has ended and was not waited for keeps its name, and has nothing else."""
    text = shell.run("(sleep 0 & exec sleep 1000) & while ! ps | grep -q 'sleep]$'; do :; done; ps | grep 'sleep]$'")
    assert re.search(r"^ +\d+ 0 +\[sleep\]$", text, re.MULTILINE), text
    shell.run("killall sleep")


def test_memory_and_times(shell):
    """free, uptime and df show the machine's memory and times."""
    total, used, free = map(int, re.search(r"^Mem: +(\d+) +(\d+) +(\d+) ", shell.run("free"), re.MULTILINE).groups())
    assert 400_000 < total < 524_288 and 0 < used < total and 0 < free < total
    shell.expect("uptime", r"up \d+ min, +0 users, +load average: \d+\.\d\d, \d+\.\d\d, \d+\.\d\d$")
    # The root takes half of RAM, as by Linux's default, beside what lies in place in the initramfs.
    shown = shell.run("df")
    size, taken, left = map(int, re.search(r"^tmpfs +(\d+) +(\d+) +(\d+) +\d+% /$", shown, re.MULTILINE).groups())
    assert abs(left - total // 2) < 64 and size == taken + left, shown


def test_own_files(shell):
    """A process finds its own descriptors, maps and links."""
    shell.expect("ls -l /proc/self/fd < /dev/null", r"^lr-x------ .* 0 -> /dev/null\n(?s:.*)1 -> /dev/console\n")
    text = shell.run("cat /proc/self/maps")
    lines = text.splitlines()
    assert all(re.fullmatch(r"[0-9a-f]{8,}-[0-9a-f]{8,} [r-][w-][x-][ps] [0-9a-f]{8} [0-9a-f]{2}:[0-9a-f]{2} \d+ "
                            r"( +\S.*)?", line) for line in lines), text
    names = [line[73:] for line in lines if len(line) > 73]
    assert names.count("/bin/busybox") >= 3 and names[-4:] == ["[heap]", "[stack]", "[vvar]", "[vdso]"], text
    shell.expect("for link in $$/exe $$/cwd self/exe; do readlink /proc/$link; done", r"^/bin/busybox\n/\n/bin/busybox$")
    shell.expect("tr '\\0' ' ' < /proc/1/environ; echo", "HOME=/ .*PATH=")


def test_mounts(shell):
    """mount and umount work, and refuse what they must."""
    shell.expect("mount", r"^proc on /proc type proc \(rw,nosuid,nodev,noexec,relatime\)\nsysfs on /sys type sysfs ")
    shell.run("mount -t tmpfs -o mode=700 a /mnt; mkdir /mnt/d; echo x > /mnt/d/f")
    shell.expect("mount", r"^a on /mnt type tmpfs \(rw,relatime\)$")
    shell.expect("df /mnt", r"^a +\d+ +\d+ +\d+ +\d+% /mnt$")
    shell.expect("umount /mnt < /mnt/d/f", "can't unmount /mnt: Device or resource busy")
    assert shell.run("umount /mnt; ls /mnt") == ""
    shell.expect("mount -t sysfs s /sys", "Device or resource busy")
    shell.expect("mount -t ext4 s /mnt", "No such device")
    shell.expect("umount /", "Device or resource busy")


def test_names(shell):
    """The host's name can be set and read in both ways."""
    shell.expect("hostname one; cat /proc/sys/kernel/hostname", "^one$")
    shell.expect("echo two > /proc/sys/kernel/hostname; hostname", "^two$")
    shell.expect("cat /proc/cmdline", "^console=ttyS0 quiet init=/bin/sh$")


def test_contexts(shell):
    """The audit covers each process; the context of a process maps user memory, the heap and the image."""
    text = shell.run("cat /sys/kernel/ankeos/audit")
    assert re.search(r"^audit: context of process 1: 0 W\+X, 0 user, .*\naudit: context of process \d+: ", text, re.MULTILINE), text
    text = shell.run("cat /sys/kernel/ankeos/context")
    assert "kernel heap" in text and "kernel text" in text and "direct map" not in text and "MMIO" not in text, text


@pytest.mark.parametrize("name", FORMATS)
def test_reports(shell, name):
    """The monitor's reports can be read as files; the audit is made when it is read, and finds nothing."""
    shell.expect(f"cat /sys/kernel/ankeos/{name}", FORMATS[name])


def test_nothing_is_left(shell):
    """All that reading /proc and /sys takes is given back: the heap holds as many blocks after it as before."""
    def blocks():
        return sum(map(int, re.findall(r"bytes: +(\d+) of", shell.run("cat /sys/kernel/ankeos/heap"))))

    # Of pagemap, which has a number for each page of the lower half, only a piece.
    line = ("cat /proc/*/maps /proc/*/st* /proc/*/task/*/[!p]* /proc/*/fd/9 /proc/* /sys/kernel/ankeos/* > /dev/null 2>&1;"
            " head -c 9999 /proc/*/pagemap > /dev/null 2>&1")
    shell.run(line)
    before = blocks()
    for _ in range(3):
        shell.run(line)
    assert blocks() <= before + 8


def test_pci(shell):
    """What /proc/bus/pci and /sys/bus/pci show are the functions that QEMU says it has, with the ids that it gives them."""
    wanted = {}
    for bus in shell.machine.qmp.execute("query-pci"):
        for device in bus["devices"]:
            name = f"{device['bus']:02x}:{device['slot']:02x}.{device['function']}"
            wanted[name] = (device["id"]["vendor"], device["id"]["device"], device["class_info"]["class"])
    assert len(wanted) > 3
    assert shell.run("ls -1 /sys/bus/pci/devices").split() == [f"0000:{name}" for name in sorted(wanted)]
    lines = shell.run("cat /proc/bus/pci/devices").splitlines()
    for line, (name, (vendor, device, kind)) in zip(lines, sorted(wanted.items()), strict=True):
        bus, slot, function = re.split("[:.]", name)
        assert line.split()[:2] == [f"{bus}{int(slot, 16) << 3 | int(function):02x}", f"{vendor:04x}{device:04x}"], line
        directory = f"/sys/bus/pci/devices/0000:{name}"
        shell.expect(f"cat {directory}/vendor {directory}/device {directory}/class",
                     rf"^0x{vendor:04x}\n0x{device:04x}\n0x{kind:04x}[0-9a-f]{{2}}$")
        shell.expect(f"cat {directory}/uevent", rf"^PCI_ID={vendor:04X}:{device:04X}$")
    assert "No such file" in shell.run("cat /proc/bus/pci/00/1e.7 2>&1")
    # Debian's lspci reads /sys and /proc.
    for way in ("linux-sysfs", "linux-proc"):
        seen = re.findall(r"^(\S+) ([0-9a-f]{4}): ([0-9a-f]{4}):([0-9a-f]{4})", shell.run(f"lspci -A {way} -n"), re.MULTILINE)
        assert [(name, int(vendor, 16), int(device, 16), int(kind, 16)) for name, kind, vendor, device in seen] == [
            (name, *values) for name, values in sorted(wanted.items())]
