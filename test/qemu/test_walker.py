"""Test the walker itself, on tables made by hand: a checker that sees nothing would pass everything."""

import struct

import pytest
import spec
import walker
from firmware_map import Range, resolve
from walker import Leaf

PAT = 0x0407050600040106
ROOT, PDPT, PD, PT = 0x1000, 0x2000, 0x3000, 0x4000
TABLE = walker.PRESENT | walker.WRITABLE


class Memory:
    """Frames of RAM, zero until they are set."""

    def __init__(self):
        self.frames = {}

    def set(self, table, index, entry):
        frame = self.frames.setdefault(table, bytearray(4096))
        struct.pack_into("<Q", frame, 8 * index, entry)

    def read(self, address, size):
        return bytes(self.frames.get(address, bytes(size)))

    def walk(self):
        return walker.walk(self.read, ROOT, physical_bits=40, pat=PAT)


@pytest.fixture(name="memory")
def _memory():
    """Make three levels of tables for the direct map's first addresses, with no leaf yet."""
    memory = Memory()
    memory.set(ROOT, 256, PDPT | TABLE)
    memory.set(PDPT, 0, PD | TABLE)
    memory.set(PD, 0, PT | TABLE)
    return memory


def test_all_sizes_and_rights(memory):
    memory.set(PT, 1, 0x5000 | walker.PRESENT | walker.NX)
    memory.set(PT, 511, 0x6000 | TABLE | walker.GLOBAL | walker.USER)
    memory.set(PD, 1, 0x200000 | TABLE | walker.LARGE | walker.NX | walker.PCD | walker.PWT)
    memory.set(PDPT, 1, 0x40000000 | TABLE | walker.LARGE | walker.NX | walker.PAT_LARGE | walker.PWT)
    base = 0xFFFF800000000000
    assert memory.walk().leaves == [
        Leaf(base + 0x1000, 0x5000, 4096, False, False, False, False, "WB"),
        Leaf(base + 0x1FF000, 0x6000, 4096, True, True, False, True, "WB"),
        Leaf(base + 0x200000, 0x200000, 1 << 21, True, False, False, False, "UC"),
        Leaf(base + 0x40000000, 0x40000000, 1 << 30, True, False, False, False, "WP"),
    ]


def test_upper_entries_restrict(memory):
    memory.set(PD, 0, PT | walker.PRESENT | walker.NX)
    memory.set(PT, 0, 0x5000 | TABLE)
    leaf, = memory.walk().leaves
    assert not leaf.write and not leaf.execute


@pytest.mark.parametrize("table, entry", [
    (PT, 1 << 40 | TABLE), (PT, 1 << 51 | TABLE), (PD, 0x1000 * 4 | TABLE | walker.LARGE),
    (PDPT, 0x200000 | TABLE | walker.LARGE), (ROOT, TABLE | walker.LARGE)])
def test_what_the_cpu_would_refuse(memory, table, entry):
    memory.set(table, 5, entry)
    with pytest.raises(walker.TableError):
        memory.walk()


@pytest.mark.parametrize("entry, complaint", [
    (TABLE, "W+X"), (TABLE | walker.NX | walker.GLOBAL, "global outside"), (TABLE | walker.NX | walker.USER, "user")])
def test_broken_leaves_are_reported(memory, entry, complaint):
    """Each kind of bad leaf in the direct map leads to its complaint, and to no other."""
    for table, index in ((ROOT, 256), (PDPT, 0), (PD, 0)):
        below = {ROOT: PDPT, PDPT: PD, PD: PT}[table]
        memory.set(table, index, below | TABLE | walker.USER)
    memory.set(PT, 3, 0x7000 | entry)
    complaints = spec.check_everywhere(memory.walk())
    assert len(complaints) == 1 and complaint in complaints[0]


@pytest.mark.parametrize("slot, complaint", [
    (0, "lower half"), (255, "lower half"), (320, "outside"), (510, "outside")])
def test_stray_slots_are_reported(memory, slot, complaint):
    memory.set(ROOT, slot, 0x9000 | TABLE)
    complaints = spec.check_everywhere(memory.walk())
    assert len(complaints) == 1 and complaint in complaints[0]


def test_cover_takes_the_largest_pages():
    """cover() takes every size where it fits, from an odd start to an odd end."""
    end = (2 << 30) + (1 << 21) + 4096
    pieces = list(spec.cover(0xFFFF800000000000 + 0x1FF000, 0x1FF000, end - 0x1FF000, 1 << 30))
    sizes = [size for _, _, size in pieces]
    assert sizes == [4096] + [1 << 21] * 511 + [1 << 30] + [1 << 21] + [4096]
    assert all(va - 0xFFFF800000000000 == pa and va % size == 0 for va, pa, size in pieces)


def test_differences_are_seen():
    leaf = Leaf(0xFFFF800000001000, 0x1000, 4096, True, False, False, False, "WB")
    other = Leaf(0xFFFF800000001000, 0x1000, 4096, False, False, False, False, "WB")
    assert not spec.difference("x", [leaf], [leaf])
    assert len(spec.difference("x", [leaf], [other])) == 2
    assert len(spec.difference("x", [], [other])) == 1
    assert spec.difference("x", [leaf, leaf], [leaf])


def test_strongest_claim_wins():
    claims = [Range(0x5000, 0x9000, "MEM_USABLE"), Range(0, 0x6000, "MEM_BOOT_SERVICES"),
              Range(0x7000, 0x8000, "MEM_IMAGE"), Range(0x8000, 0xA000, "MEM_RESERVED"),
              Range(0xA000, 0xB000, "MEM_RESERVED")]
    assert [str(r) for r in resolve(claims)] == [
        "[0x0, 0x6000) MEM_BOOT_SERVICES", "[0x6000, 0x7000) MEM_USABLE", "[0x7000, 0x8000) MEM_IMAGE",
        "[0x8000, 0xb000) MEM_RESERVED"]
