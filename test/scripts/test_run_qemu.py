"""scripts/qemu: the command line it gives to QEMU, which a stand-in notes, in a tree of files made here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from scripts_common import ROOT, make_elf, make_pe, read_sections

STAND_IN = """#!/bin/sh
printf '%s\\n' "$@" >"$ARGUMENTS"
while [ "$1" != -kernel ]; do shift; done
cp "$2" "$BOOTED"
exit "${STATUS:-0}"
"""


@pytest.fixture(name="tree")
def make_tree(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "efi").mkdir(exist_ok=True)
    shutil.copy(ROOT / "efi/os-release", tmp_path / "efi")
    for directory in ("bin", "build"):
        (tmp_path / directory).mkdir()
    (tmp_path / "build/BOOTX64.EFI").write_bytes(b"the boot file")
    (tmp_path / "build/loader.efi").write_bytes(make_pe())
    (tmp_path / "build/kernel.strip.elf").write_bytes(make_elf())
    (tmp_path / "bin/qemu-system-x86_64").write_text(STAND_IN)
    (tmp_path / "bin/qemu-system-x86_64").chmod(0o755)
    return tmp_path


def run(tree: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "PATH", "TMPDIR")}
    clean["PATH"] = f"{tree / 'bin'}:{clean['PATH']}"
    clean |= {"ARGUMENTS": str(tree / "arguments"), "BOOTED": str(tree / "booted")}
    return subprocess.run([str(tree / "scripts/qemu"), *arguments], env=clean | env, cwd=tree, capture_output=True,
                          text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)


def arguments_of(tree: Path, *arguments: str, **env: str) -> list[str]:
    result = run(tree, *arguments, **env)
    assert result.returncode == 0, result.stderr
    return (tree / "arguments").read_text().splitlines()


def value_of(words: list[str], option: str) -> str | None:
    return words[words.index(option) + 1] if option in words else None


# As many as the host has for this process, 4 at most.
CPUS = str(min(len(os.sched_getaffinity(0)), 4))


def test_defaults(tree):
    words = arguments_of(tree)
    options = ("-machine", "-cpu", "-smp", "-m", "-display", "-serial", "-kernel", "-append")
    assert [value_of(words, option) for option in options] == [
        "q35,smm=off", "max", CPUS, "512M", "none", "mon:stdio", str(tree / "build/BOOTX64.EFI"), None]
    assert (tree / "booted").read_bytes() == b"the boot file"


def test_variables(tree):
    words = arguments_of(tree, "nox", MEM="3G", CPU="qemu64", SMP="2", MACHINE="pc", CMDLINE="loglevel=7 -- a b",
                         QEMU_EXTRA="-vga none")
    options = ("-machine", "-cpu", "-smp", "-m", "-append")
    assert [value_of(words, option) for option in options] == [
        "pc,smm=off", "qemu64", "2", "3072M", "loglevel=7 -- a b"]
    assert words[-2:] == ["-vga", "none"]


@pytest.mark.parametrize(("mode", "env", "display"), [
    ("window", {"DISPLAY": ":0"}, "gtk"),
    ("window", {"WAYLAND_DISPLAY": "wayland-0"}, "gtk"),
    ("window", {}, "none"),
    ("nox", {"DISPLAY": ":0"}, "none"),
    ("gdb", {"DISPLAY": ":0"}, "none"),
])
def test_display(tree, mode, env, display):
    assert value_of(arguments_of(tree, mode, **env), "-display") == display


@pytest.mark.parametrize(("memory", "cpu", "reserved_lazily"), [
    ("31G", "max", False),
    ("64G", "max", True),
    ("1T", "max,phys-bits=42", True),
])
def test_large_memory(tree, memory, cpu, reserved_lazily):
    words = arguments_of(tree, MEM=memory)
    assert value_of(words, "-cpu") == cpu
    assert (value_of(words, "-machine") == "q35,smm=off,memory-backend=ram") == reserved_lazily
    assert ((value_of(words, "-object") or "").endswith("reserve=off")) == reserved_lazily


def test_gdb_waits_on_the_port_that_is_told(tree):
    port = run(tree, "port").stdout.strip()
    assert 26000 <= int(port) < 31000
    words = arguments_of(tree, "gdb")
    assert "-S" in words
    assert value_of(words, "-gdb") == f"tcp:127.0.0.1:{port}"
    assert value_of(arguments_of(tree, "gdb", GDB_PORT="4321"), "-gdb") == "tcp:127.0.0.1:4321"


@pytest.mark.parametrize(("stop", "waits"), [("efi", True), ("kernel", True), ("none", False)])
def test_gdb_is_told_where_to_stop(tree, stop, waits):
    words = arguments_of(tree, "gdb", STOP=stop)
    assert ("-S" in words) == waits
    assert value_of(words, "-name") == f"guest=AnkeOS STOP={stop}"


def test_initrd_goes_into_the_boot_file(tree):
    (tree / "my.cpio").write_bytes(b"070701 and so on")
    words = arguments_of(tree, "nox", INITRD="my.cpio", CMDLINE="quiet")
    assert "-initrd" not in words
    assert value_of(words, "-append") == "quiet"
    sections = read_sections((tree / "booted").read_bytes())
    assert sections[".initrd"][1] == b"070701 and so on"
    assert sections[".kernel"][1] == make_elf()
    assert not Path(value_of(words, "-kernel") or "").exists()


def test_exit_status_is_that_of_qemu(tree):
    assert run(tree, "nox", STATUS="7").returncode == 7


@pytest.mark.parametrize(("mode", "env", "complaint"), [
    ("nox", {"MEM": "much"}, "MEM=much: not a size such as 512M, 3G or 1T"),
    ("nox", {"BOOT": "/none.efi"}, "/none.efi: no such file (make builds it)"),
    ("gdb", {"STOP": "late"}, "STOP=late: not one of efi, kernel, none"),
    ("full", {}, "full: not one of window, nox, gdb, port"),
])
def test_refuses(tree, mode, env, complaint):
    result = run(tree, mode, **env)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"qemu: {complaint}\n")
