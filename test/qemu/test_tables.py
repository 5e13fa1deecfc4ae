"""Test the kernel context from outside: every leaf of the live tables against the specification."""

import re
import struct

import contract
import pytest
import spec
from firmware_map import PAGE
from guest import (CR0_PG, CR0_WP, CR4_LA57, CR4_PGE, CR4_SMAP, CR4_SMEP, CR4_UMIP, EFER_LMA, EFER_NXE, Guest,
                   elf_loads)
from machine import Config, Machine, parse_size
from walker import pat_names

CPU = "max,la57=off"
SMALL_PAGES = CPU + ",pdpe1gb=off"
MACHINES = [("64M", SMALL_PAGES), ("512M", CPU), ("3G", SMALL_PAGES), ("5G", CPU), ("64G", CPU), ("1T", "max"),
            *(pytest.param(machine, marks=pytest.mark.slow) for machine in (
                ("64M", CPU), ("512M", SMALL_PAGES), ("3G", CPU), ("5G", SMALL_PAGES), ("64G", SMALL_PAGES)))]


@pytest.fixture(name="guest", scope="module", params=MACHINES, ids=" ".join)
def _guest(request):
    memory, cpu = request.param
    with Machine(Config(memory=memory, cpu=cpu, cold=True)) as machine:
        machine.wait_prompt()
        yield Guest(machine)


def expect(complaints):
    """Fail with all complaints, not with the first."""
    assert not complaints, "\n" + "\n".join(complaints)


def in_range(guest, name):
    return guest.walk.in_range(contract.layout()[name + "_BASE"], contract.layout()[name + "_SIZE"])


def test_registers(guest):
    """Paging mode, protections and memory types of the CPU are as specified."""
    registers = guest.registers
    assert registers["CR0"] & (CR0_PG | CR0_WP) == CR0_PG | CR0_WP
    wanted = CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_UMIP
    assert registers["CR4"] & wanted == wanted, "`max` has all of these"
    assert not registers["CR4"] & CR4_LA57
    assert registers["EFER"] & (EFER_LMA | EFER_NXE) == EFER_LMA | EFER_NXE
    assert pat_names(guest.pat) == pat_names(contract.number("PAT_VALUE"))
    assert registers["CR3"] & ~0xFFF == guest.info.tables, "the root is the first of the table frames"


def test_memory_map(guest):
    """The handed-over map is the firmware's, sanitised: sorted, merged, typed, nothing lost and nothing invented."""
    found, wanted = guest.memmap(), guest.expected_memmap()
    assert [str(r) for r in found] == [str(r) for r in wanted]
    memory = parse_size(guest.machine.config.memory)
    assert 0.9 * memory < sum(r.end - r.start for r in found if r.ram) <= memory, "nearly all of the machine's RAM"


def test_direct_map(guest):
    """The direct map has all RAM and no device memory, by the largest leaves; it is read-only where the image is."""
    wanted = spec.expected_hhdm(guest.info, guest.expected_memmap(), guest.largest_page())
    expect(spec.difference("HHDM", in_range(guest, "HHDM"), wanted))


def test_image(guest):
    """Each segment is at its address with its rights, global."""
    expect(spec.difference("image", in_range(guest, "IMAGE"), spec.expected_image(guest.info)))


def test_image_is_the_kernel(guest):
    """The segments are those of the ELF file, and what may not be written holds the file's bytes."""
    wanted, found = {}, {}
    for va, _, size, flags in elf_loads(contract.KERNEL):
        for page in range(va, va + size, PAGE):
            wanted[page] = (bool(flags & 2), bool(flags & 1))
    for leaf in in_range(guest, "IMAGE"):
        for page in range(leaf.va, leaf.va + leaf.size, PAGE):
            found[page] = (leaf.write, leaf.execute)
    assert found == wanted
    expect(guest.image_complaints())


STACK_TOPS = ("boot_stack_top", "df_stack_top", "nmi_stack_top", "mc_stack_top")  # the names in kernel/arch/kernel.ld


def test_stacks_have_guard_pages(guest):
    """Below each stack of the image there is a page that is not mapped."""
    mapped = {page for leaf in in_range(guest, "IMAGE") for page in range(leaf.va, leaf.va + leaf.size, PAGE)}
    tops = [va for name, va in contract.symbols().items() if name in STACK_TOPS]
    assert len(tops) == len(STACK_TOPS)
    for top in tops:
        page = top - PAGE
        assert page in mapped
        while page in mapped:
            page -= PAGE
        assert top - page <= 64 << 10


def test_stack_in_use_has_a_guard_page(guest):
    """Below the stack that the CPU uses, of a task or of the image (which the first task has), a page is not mapped."""
    mapped = {page for name in ("HEAP", "IMAGE") for leaf in in_range(guest, name)
              for page in range(leaf.va, leaf.va + leaf.size, PAGE)}
    bottom = guest.registers["RSP"] & -PAGE
    assert bottom in mapped
    assert not mapped.issuperset(range(bottom - (64 << 10), bottom, PAGE))


def test_mmio_window(guest):
    """The window has device memory only, and the whole framebuffer, write-combining."""
    framebuffer = guest.info.field("framebuffer.pa"), guest.info.field("framebuffer.size")
    assert framebuffer[1], "std VGA has one"
    expect(spec.check_mmio(in_range(guest, "MMIO"), guest.expected_memmap(), framebuffer))


def test_heap_range(guest):
    expect(spec.check_heap(in_range(guest, "HEAP"), guest.expected_memmap()))


def test_nothing_else(guest):
    """There is no W+X, no user leaf, no stray global one, an empty lower half, and nothing between the ranges."""
    expect(spec.check_everywhere(guest.walk))


def test_tables(guest):
    expect(spec.check_tables(guest.walk, guest.root, guest.expected_memmap()))


def test_qemu_walks_the_same(guest):
    """QEMU's own walker agrees with ours on each leaf: address, frame, W and NX."""
    found = set()
    for va, pa, flags in re.findall(r"^([0-9a-f]{16}): ([0-9a-f]{16}) (\S{9})", guest.machine.qmp.human("info tlb"),
                                    re.MULTILINE):
        found.add((int(va, 16), int(pa, 16), flags[8] == "W", flags[0] != "X"))
    assert found == {(leaf.va, leaf.pa, leaf.write, leaf.execute) for leaf in guest.walk.leaves}


def test_descriptor_tables_are_in_slot_511(guest):
    """GDT, IDT and TSS are reachable in every context."""
    text = guest.machine.qmp.human("info registers")
    for name in ("GDT", "IDT", "TR "):
        base = int(re.search(rf"^{name} *=(?:[0-9a-f]{{4}})? *([0-9a-f]{{16}})", text, re.MULTILINE)[1], 16)
        assert base >= contract.layout()["HEAP_BASE"], name


def test_firmware_context(guest):
    """The firmware context has runtime regions at their physical addresses, slot 511 shared, nothing else."""
    root = struct.unpack("<Q", guest.read_virtual(contract.static_address("kernel/mm/space/firmware_context.c", "context"), 8))[0]
    assert root and root != guest.root
    context = guest.walk_from(root)
    assert context.root[511] == guest.walk.root[511]
    assert not any(entry & 1 for entry in context.root[256:511])
    runtime = [r for r in guest.expected_memmap() if r.kind in ("MEM_RUNTIME_CODE", "MEM_RUNTIME_DATA", "MEM_MMIO",
                                                                "MEM_RESERVED")]
    lower = [leaf for leaf in context.leaves if leaf.va < 1 << 47]
    assert lower
    for leaf in lower:
        assert leaf.va == leaf.pa and not leaf.user and not leaf.glob and not (leaf.write and leaf.execute), str(leaf)
        assert any(r.start <= leaf.pa and leaf.pa + leaf.size <= r.end for r in runtime), str(leaf)


def test_handoff_fields(guest):
    """The handoff's fields say what is in the firmware."""
    machine, info = guest.machine, guest.info
    assert machine.read(info.rsdp, 8) == b"RSD PTR "
    assert machine.read(info.smbios, 3) == b"_SM"
    assert machine.read(info.efi_system_table, 8) == b"IBI SYST"
    assert machine.read(info.initrd, info.initrd_size) == (contract.BUILD / "initrd.cpio").read_bytes()
    assert machine.read(info.cmdline, info.cmdline_size + 1)[-1] == 0
    assert info.field("version", "I") == contract.number("BOOT_INFO_VERSION")
    assert info.hhdm == contract.layout()["HHDM_BASE"] and info.hhdm_excess == 0
    stamps = info.stamps("tsc")
    assert 0 < stamps[0] and list(stamps) == sorted(stamps)


def test_framebuffer_is_the_device(guest):
    """The framebuffer's address is the one that the VGA device decodes, and its mode the one on the screen."""
    bars = [region["address"] for bus in guest.machine.qmp.execute("query-pci") for device in bus["devices"]
            if device["class_info"]["class"] == 0x300 for region in device["regions"]]
    info = guest.info
    assert info.field("framebuffer.pa") in bars
    width, height, _ = guest.machine.screendump()
    assert (info.field("framebuffer.width", "I"), info.field("framebuffer.height", "I")) == (width, height)


def test_audit_agrees(guest):
    """The kernel's audit of its own tables finds nothing wrong either."""
    guest.machine.resume()
    try:
        output = guest.machine.command("audit")
    finally:
        guest.machine.stop()
    for context in ("kernel", "firmware"):
        # Further kinds of findings would stand before this semicolon.
        assert f"audit: {context} context: 0 W+X, 0 user, 0 stray global, 0 outside the map; " in output, output
