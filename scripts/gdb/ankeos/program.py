"""The symbols of the user program that runs: of the current task's executable, at its load base.

The task's file is looked up in the initrd, by name, and there its build-id. Symbols come from the file with the same
build-id in build/user (which holds unstripped copies), else from the file of the initrd itself: when that is
stripped, gdb looks for its build-id below its debug-file-directory, as usual.
"""

from __future__ import annotations

import atexit
import dataclasses
import functools
import posixpath
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import gdb
from ankeos import kernel, memory
from ankeos.areas import areas
from contract import BUILD

HEADER = 110  # bytes of a newc header
LINK, KIND = 0o120000, 0o170000
LINKS_LIMIT = 40
PT_LOAD, PT_NOTE, ET_DYN = 1, 4, 3
BUILD_ID_NOTE = 3


# ---- the initrd ----


def _pad(size: int) -> int:
    return -(-size // 4) * 4


@functools.cache
def initrd() -> dict[str, tuple[int, int, int]]:
    """(mode, physical address, size) of each entry, by its path; later ones replace earlier ones, as in the kernel."""
    info = kernel.boot_info()
    found, at, end = {}, info.initrd, info.initrd + info.initrd_size
    while at + HEADER <= end:
        header = memory.physical(at, HEADER)
        if header[:6] not in (b"070701", b"070702"):
            at += 4  # zeros between archives
            continue
        mode, size, length = (int(header[6 + 8 * field:14 + 8 * field], 16) for field in (1, 6, 11))
        name = memory.physical(at + HEADER, length).split(b"\0")[0].decode("utf-8", "replace")
        data = at + _pad(HEADER + length)
        if name != "TRAILER!!!":
            found[posixpath.normpath("/" + name)] = (mode, data, size)
        at = data + _pad(size)
    return found


def file_content(path: str) -> bytes | None:
    """The file at `path`, behind symbolic links; None when the initrd has no such file."""
    for _ in range(LINKS_LIMIT):
        entry = initrd().get(path) or _through_links(path)
        if entry is None:
            return None
        mode, address, size = entry
        if mode & KIND != LINK:
            return memory.physical(address, size) if size else None
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), memory.physical(address, size).decode()))
    return None


def _through_links(path: str) -> tuple[int, int, int] | None:
    """The entry of a path with a directory that is a link: a link to where the whole path goes. None: there is none."""
    parent, rest = posixpath.dirname(path), posixpath.basename(path)
    while parent != "/":
        mode, address, size = initrd().get(parent, (0, 0, 0))
        if mode & KIND == LINK:
            target = memory.physical(address, size).decode()
            return initrd().get(posixpath.normpath(posixpath.join(posixpath.dirname(parent), target, rest)))
        parent, rest = posixpath.dirname(parent), posixpath.join(posixpath.basename(parent), rest)
    return None


# ---- ELF files ----


def _headers(content: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(type, offset, address, size in the file) of each program header."""
    if content[:5] != b"\x7fELF\x02":
        return
    offset, = struct.unpack_from("<Q", content, 32)
    step, count = struct.unpack_from("<HH", content, 54)
    for at in range(offset, offset + step * count, step):
        if at + 40 <= len(content):
            kind, _, start, address, _, size = struct.unpack_from("<IIQQQQ", content, at)
            yield kind, start, address, size


def build_id(content: bytes) -> str | None:
    """The GNU build-id of an ELF file, in hexadecimal."""
    for kind, start, _, size in _headers(content):
        at, end = start, start + size
        while kind == PT_NOTE and at + 12 <= min(end, len(content)):
            name_size, size_of, note = struct.unpack_from("<III", content, at)
            name = content[at + 12:at + 12 + name_size]
            data = at + 12 + _pad(name_size)
            if note == BUILD_ID_NOTE and name == b"GNU\0":
                return content[data:data + size_of].hex()
            at = data + _pad(size_of)
    return None


def is_relocatable(content: bytes) -> bool:
    """Whether the file can be loaded anywhere."""
    return struct.unpack_from("<H", content, 16)[0] == ET_DYN


@functools.cache
def _built() -> dict[str, Path]:
    """The unstripped programs of build/user, by build-id."""
    found = {}
    for path in sorted((BUILD / "user").rglob("*.debug")):
        identity = build_id(path.read_bytes())
        if identity:
            found[identity] = path
    return found


@functools.cache
def _directory() -> Path:
    """Where files of the initrd are put for gdb; gone when gdb ends."""
    path = tempfile.mkdtemp(prefix="ankeos-gdb-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def symbol_file(path: str, content: bytes) -> Path:
    """The file to take symbols from."""
    built = _built().get(build_id(content) or "")
    if built:
        return built
    copy = _directory() / path.strip("/").replace("/", "_")
    copy.write_bytes(content)
    return copy


def load_base(process: gdb.Value, content: bytes) -> int:
    """What the kernel added to the file's addresses."""
    if not is_relocatable(content):
        return 0
    first = min(address for kind, _, address, _ in _headers(content) if kind == PT_LOAD)
    starts = [int(area["start"]) for area in areas(process["space"]) if int(area["object"]) and not int(area["offset"])]
    if not starts:
        raise gdb.GdbError("no area of the process comes from the start of a file")
    return min(starts) - first // memory.PAGE * memory.PAGE


# ---- the running one ----


@dataclasses.dataclass(frozen=True)
class Program:
    """What the loaded symbols belong to."""

    process: int
    space: int
    path: str


_program: Program | None = None
_symbols: Path | None = None


def forget() -> None:
    """Take the user program's symbols away."""
    global _program, _symbols  # pylint: disable=global-statement
    if _symbols is not None:
        gdb.execute(f"remove-symbol-file {_symbols}", to_string=True)
    _program = _symbols = None


def follow() -> None:
    """Have the symbols of the current task's program, and of no other."""
    global _program, _symbols  # pylint: disable=global-statement
    task = kernel.current_task()
    process = task["process"] if task is not None else None
    if process is None or not int(process) or not int(process["space"]) or not int(process["program"]):
        return  # a kernel task: what was the user program's stays, for its next turn
    program = Program(int(process), int(process["space"]), kernel.program_path(process))
    if program == _program:
        return
    forget()
    _program = program
    content = file_content(program.path)
    if content is None or not build_id(content) and content[:4] != b"\x7fELF":
        gdb.write(f"user program {program.path}: not in the initrd, no symbols\n")
        return
    base = load_base(process, content)
    path = symbol_file(program.path, content)
    gdb.execute(f"add-symbol-file {path} -o {base:#x}", to_string=True)
    _symbols = path
    shown = path.relative_to(BUILD.parent) if path.is_relative_to(BUILD.parent) else "the initrd"
    gdb.write(f"user program {program.path} of process {int(process['pid'])} at {base:#x}: symbols from {shown}\n")
