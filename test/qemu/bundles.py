"""Make boot files to break: bundles with other content than the build's, and kernels with one field changed."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from contract import BUILD, ROOT
from machine import Config, Machine

STUB = BUILD / "loader.efi"
KERNEL = BUILD / "kernel.strip.elf"

PHDR = struct.Struct("<IIQQQQQQ")
PHDR_FIELDS = ("type", "flags", "offset", "vaddr", "paddr", "filesz", "memsz", "align")
# Offset and form of the ELF header's fields (System V ABI, "ELF Header").
EHDR_FIELDS = {"class": (4, "B"), "data": (5, "B"), "type": (16, "H"), "machine": (18, "H"), "entry": (24, "Q"),
               "phoff": (32, "Q"), "phentsize": (54, "H"), "phnum": (56, "H")}
PT_LOAD, PT_NOTE = 1, 4
PF_X, PF_W = 1, 2


class Elf:
    """An ELF file whose fields can be changed."""

    def __init__(self, path: Path = KERNEL) -> None:
        self.content = bytearray(path.read_bytes())

    def get(self, field: str) -> int:
        offset, form = EHDR_FIELDS[field]
        return struct.unpack_from("<" + form, self.content, offset)[0]

    def set(self, field: str, value: int) -> "Elf":
        offset, form = EHDR_FIELDS[field]
        struct.pack_into("<" + form, self.content, offset, value)
        return self

    def headers(self) -> list[dict[str, int]]:
        """Return the program headers; `at` is where each stands in the file."""
        found = []
        for index in range(self.get("phnum")):
            at = self.get("phoff") + index * self.get("phentsize")
            found.append(dict(zip(PHDR_FIELDS, PHDR.unpack_from(self.content, at)), at=at))
        return found

    def load(self, *, forbidden: int = 0, required: int = 0) -> dict[str, int]:
        """Return the first PT_LOAD with all flags of `required` and none of `forbidden`."""
        return next(h for h in self.headers()
                    if h["type"] == PT_LOAD and not h["flags"] & forbidden and h["flags"] & required == required)

    def change(self, header: dict[str, int], **fields: int) -> "Elf":
        """Write the header back with other values."""
        values = {**header, **fields}
        PHDR.pack_into(self.content, header["at"], *(values[name] & (1 << 64) - 1 for name in PHDR_FIELDS))
        return self


def bundle(output: Path, kernel: bytes | Path | None, stub: Path = STUB, **sections: object) -> Path:
    """Assemble `output` with scripts/bundle, without checks, which are the loader's task here.

    The sections are given as in cmdline="quiet".
    """
    words = [sys.executable, str(ROOT / "scripts" / "bundle"), "--no-check", "--stub", str(stub), "-o", str(output)]
    if isinstance(kernel, bytes):
        path = output.with_suffix(".elf")
        path.write_bytes(kernel)
        kernel = path
    if kernel is not None:
        words += ["--kernel", str(kernel)]
    for name, value in sections.items():
        words += [f"--{name}", str(value)]
    subprocess.run(words, check=True)
    return output


def busybox_archive(output: Path, names: Iterable[str], *words: object) -> Path:
    """Make an archive of Debian's static busybox under these names, a console and /dev/null.

    `words` are further words of scripts/mkinitrd.
    """
    links = (f"bin/{name}=l:busybox" for name in names)
    subprocess.run([ROOT / "scripts" / "mkinitrd", "-o", output, "bin/busybox=/bin/busybox", *links,
                    "dev/console=c:5:1", "dev/null=c:1:3", *map(str, words)], check=True)
    return output


def busybox_bundle(directory: Path, cmdline: str, names: Iterable[str], *words: object) -> Path:
    """Make a boot file in `directory` with busybox_archive's files."""
    archive = busybox_archive(directory / "busybox.cpio", names, *words)
    return bundle(directory / "busybox.efi", KERNEL, initrd=archive, cmdline=cmdline)


def fat_image(output: Path, files: dict[str, Path]) -> Path:
    """Make a FAT disk image without partitions: {"EFI/BOOT/BOOTX64.EFI": file, …}."""
    size = sum(path.stat().st_size for path in files.values()) + (8 << 20)
    output.write_bytes(b"")
    with open(output, "r+b") as image:
        image.truncate(size // (1 << 20) * (1 << 20))
    sectors = str(output.stat().st_size // 512)
    subprocess.run(["mformat", "-i", str(output), "-T", sectors, "-h", "64", "-s", "32", "::"], check=True)
    made: set[str] = set()
    for name, path in files.items():
        parts = name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            directory = "/".join(parts[:depth])
            if directory not in made:
                subprocess.run(["mmd", "-i", str(output), f"::/{directory}"], check=True)
                made.add(directory)
        subprocess.run(["mcopy", "-i", str(output), str(path), f"::/{name}"], check=True)
    return output


def disk(image: Path, device: str = "virtio-blk-pci") -> tuple[str, ...]:
    """Return QEMU's words for a disk that is never written to."""
    return ("-drive", f"file={image},format=raw,if=none,id=disk,snapshot=on", "-device", f"{device},drive=disk")


@contextlib.contextmanager
def from_volume(directory: Path, line: str, *words: str, **files: bytes) -> Iterator[Machine]:
    """Start a machine whose UEFI shell types `line` on a volume with ankeos.efi, hostile.efi and these files.

    The files lie in /sub and end with .cpio; one called `offered` is what hostile.efi offers. `words` are further words
    for QEMU.
    """
    (directory / "startup.nsh").write_text(f"@echo -off\r\nfs0:\r\n{line}\r\n")
    for name, content in files.items():
        (directory / name).write_bytes(content)
    default = BUILD / "initrd.cpio"
    boot = bundle(directory / "ankeos.efi", KERNEL, initrd=default, cmdline="console=ttyS0 quiet")
    image = fat_image(directory / "disk.img", {
        "startup.nsh": directory / "startup.nsh", "ankeos.efi": boot, "hostile.efi": BUILD / "hostile.efi",
        "offered.cpio": directory / "offered" if "offered" in files else default,
        **{f"sub/{name}.cpio": directory / name for name in files}})
    with Machine(Config(boot=None, display=("-vga", "none"), extra=(*disk(image), *words))) as machine:
        machine.wait_for(r"^UEFI Interactive Shell")
        machine.send(" ")
        yield machine
