"""What the tests of the scripts share: running them, and small input files made from nothing.

The PE and ELF files are built here byte by byte, so that a script is never checked against its own reading of a format.
"""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path
from typing import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]

TEXT_FLAGS = 0x60000020  # code, executable, readable
DATA_FLAGS = 0xC0000040  # initialised data, readable, writable
READ_FLAGS = 0x40000040  # initialised data, readable
RELOC_FLAGS = 0x42000040  # the same, discardable


def run_script(name: str, *arguments: object, env: Mapping[str, str] | None = None,
               cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run scripts/NAME; the environment is the test's own with `env` laid over it."""
    command = [str(ROOT / "scripts" / name), *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, **(env or {})}, cwd=cwd or ROOT, capture_output=True,
                          text=True, check=False, timeout=120, stdin=subprocess.DEVNULL)


def make_pe(sections: Sequence[tuple[str, int, bytes, int]] | None = None, *, machine: int = 0x8664,
            subsystem: int = 10, dll_flags: int = 0x100, timestamp: int = 0, image_base: int = 0,
            reloc_directory: tuple[int, int] = (0x2000, 12)) -> bytes:
    """A PE32+ file. A section is (name, address, content, flags); by default .text, .reloc and .data."""
    if sections is None:
        sections = [
            (".text", 0x1000, b"\xc3" * 100, TEXT_FLAGS),
            (".reloc", 0x2000, struct.pack("<IIHH", 0x1000, 12, 0, 0), RELOC_FLAGS),
            (".data", 0x3000, b"data" * 10, DATA_FLAGS),
        ]
    table, body, offset = b"", b"", 0x400
    for name, address, content, flags in sections:
        raw = content + bytes(-len(content) % 512)
        table += struct.pack("<8sIIII12xI", name.encode(), len(content), address, len(raw), offset, flags)
        body += raw
        offset += len(raw)
    image_size = max((address + len(content) + 0xFFF & ~0xFFF for _, address, content, _ in sections), default=0x1000)
    directories = b"".join(struct.pack("<II", *(reloc_directory if index == 5 else (0, 0))) for index in range(16))
    optional = struct.pack("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20B, 2, 40, 0x200, 0x400, 0, 0x1000, 0x1000, image_base,
                           0x1000, 0x200, 0, 0, 0, 0, 0, 0, 0, image_size, 0x400, 0, subsystem, dll_flags, 0, 0, 0, 0,
                           0, 16) + directories
    file_header = struct.pack("<HHIIIHH", machine, len(sections), timestamp, 0, 0, len(optional), 0x206)
    headers = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + file_header + optional + table
    return headers + bytes(0x400 - len(headers)) + body


def make_elf(*, kind: int = 2, machine: int = 62, bits: int = 2, size: int = 5000) -> bytes:
    """An ELF header and filling that tells positions apart; no program headers."""
    header = b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9) + struct.pack("<HHI", kind, machine, 1)
    return (header + bytes(index % 251 for index in range(size)))[:size]


def read_sections(data: bytes) -> dict[str, tuple[int, bytes, int]]:
    """Name to (address, content of the virtual size, flags), as the firmware would load them."""
    (start,) = struct.unpack_from("<I", data, 60)
    count, optional_size = struct.unpack_from("<H12xH", data, start + 6)
    found = {}
    for index in range(count):
        header = start + 24 + optional_size + 40 * index
        name, size, address, _, offset, flags = struct.unpack_from("<8sIIII12xI", data, header)
        found[name.rstrip(b"\0").decode()] = (address, data[offset : offset + size], flags)
    return found
