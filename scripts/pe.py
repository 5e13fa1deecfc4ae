"""The headers of a PE32+ file, as far as bundling and checking a boot file need them.

Reads and patches bytes; decides nothing about what is good or bad beyond "this is a PE32+ file".
Source: Microsoft, "PE Format"; UEFI 2.10, "UEFI Images".
"""

from __future__ import annotations

import struct
from typing import NamedTuple

PAGE = 4096

MACHINE_X86_64 = 0x8664
SUBSYSTEM_EFI_APPLICATION = 10
DLL_NX_COMPAT = 0x0100
RELOCS_STRIPPED = 0x0001
MEM_EXECUTE = 0x20000000
MEM_WRITE = 0x80000000
DIRECTORY_BASE_RELOCATION = 5

# Offsets from the "PE\0\0" signature; the optional header follows the file header at 24.
_MACHINE, _SECTIONS, _TIMESTAMP, _OPTIONAL_SIZE, _FLAGS, _OPTIONAL = 4, 6, 8, 20, 22, 24
_SECTION_ALIGNMENT, _IMAGE_SIZE, _HEADERS_SIZE = _OPTIONAL + 32, _OPTIONAL + 56, _OPTIONAL + 60
_IMAGE_BASE, _CHECKSUM, _SUBSYSTEM, _DLL_FLAGS = _OPTIONAL + 24, _OPTIONAL + 64, _OPTIONAL + 68, _OPTIONAL + 70
_DIRECTORIES = _OPTIONAL + 112
_SECTION_HEADER = 40


class PEError(Exception):
    """The bytes are not a PE32+ file; the message says what is wrong with which value."""


class Section(NamedTuple):
    name: str
    virtual_size: int
    address: int  # from the image's base
    raw_size: int
    raw_offset: int
    flags: int

    @property
    def end(self) -> int:
        """Where the section ends in memory: a loader maps the larger of the two sizes."""
        return self.address + max(self.virtual_size, self.raw_size)


class PE:
    """A view on `data`, which the setters change in place."""

    def __init__(self, data: bytearray) -> None:
        self.data = data
        if data[:2] != b"MZ" or len(data) < 64:
            raise PEError("no MZ signature")
        (self._start,) = struct.unpack_from("<I", data, 60)
        if data[self._start : self._start + 4] != b"PE\0\0":
            raise PEError(f"no PE signature at {self._start:#x}")
        if len(data) < self._start + _DIRECTORIES:
            raise PEError("file ends inside the headers")
        magic = self._get("<H", _OPTIONAL)
        if magic != 0x20B:
            raise PEError(f"optional header magic {magic:#x}, not 0x20b (PE32+)")
        self.sections_offset = self._start + _OPTIONAL + self._get("<H", _OPTIONAL_SIZE)
        self.sections_end = self.sections_offset + self._get("<H", _SECTIONS) * _SECTION_HEADER
        if len(data) < self.sections_end:
            raise PEError("file ends inside the section table")

    def _get(self, form: str, offset: int) -> int:
        value: int = struct.unpack_from(form, self.data, self._start + offset)[0]
        return value

    def _set(self, form: str, offset: int, value: int) -> None:
        struct.pack_into(form, self.data, self._start + offset, value)

    @property
    def machine(self) -> int:
        return self._get("<H", _MACHINE)

    @property
    def flags(self) -> int:
        return self._get("<H", _FLAGS)

    @property
    def image_base(self) -> int:
        return self._get("<Q", _IMAGE_BASE)

    @property
    def section_alignment(self) -> int:
        return self._get("<I", _SECTION_ALIGNMENT)

    @property
    def image_size(self) -> int:
        return self._get("<I", _IMAGE_SIZE)

    @property
    def headers_size(self) -> int:
        return self._get("<I", _HEADERS_SIZE)

    @property
    def subsystem(self) -> int:
        return self._get("<H", _SUBSYSTEM)

    @property
    def timestamp(self) -> int:
        return self._get("<I", _TIMESTAMP)

    @timestamp.setter
    def timestamp(self, value: int) -> None:
        self._set("<I", _TIMESTAMP, value)

    @property
    def checksum(self) -> int:
        return self._get("<I", _CHECKSUM)

    @checksum.setter
    def checksum(self, value: int) -> None:
        self._set("<I", _CHECKSUM, value)

    @property
    def dll_flags(self) -> int:
        return self._get("<H", _DLL_FLAGS)

    @dll_flags.setter
    def dll_flags(self, value: int) -> None:
        self._set("<H", _DLL_FLAGS, value)

    def directory(self, index: int) -> tuple[int, int]:
        """Address and size of a data directory; (0, 0) when the file has fewer of them."""
        offset = self._start + _DIRECTORIES + 8 * index
        if offset + 8 > self.sections_offset:
            return (0, 0)
        address, size = struct.unpack_from("<II", self.data, offset)
        return (address, size)

    def sections(self) -> list[Section]:
        found = []
        for offset in range(self.sections_offset, self.sections_end, _SECTION_HEADER):
            fields = struct.unpack_from("<8s4I12xI", self.data, offset)
            name = fields[0].rstrip(b"\0").decode("ascii", "backslashreplace")
            found.append(Section(name, *fields[1:]))
        return found

    def rename(self, index: int, name: str) -> None:
        """Give a section, by its place in the table, another name of at most eight ASCII bytes."""
        struct.pack_into("8s", self.data, self.sections_offset + index * _SECTION_HEADER, name.encode("ascii"))


def align_up(value: int, alignment: int = PAGE) -> int:
    return -(-value // alignment) * alignment
