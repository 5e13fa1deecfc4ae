"""Test real faults: one readable page with what, where, registers, the walk and a backtrace, then a halt."""

import re
import subprocess

import contract
import pytest
from keys import type_text
from machine import Config, Machine
from screen import wait_for_text

# How a fault is caused: (what the page's first lines say, functions in the backtrace in this order).
FAULTS = {
    "null": (r"#PF .*write to a page that is not present, by the kernel\naddress 0x0{16}: a null pointer$", ("write_null", "provoke")),
    "jump": (r"#PF .*execution of a page that is not present", ("jump_null", "provoke")),
    "ud": (r"#UD ", ("invalid_opcode", "provoke")),
    "div": (r"#DE ", ("divide_by_zero", "provoke")),
    "stack": (r"#DF ", ("use_stack", "use_stack")),
    "text": (r"#PF .*write to a page whose rights forbid it", ("write_text", "provoke")),
    "panic": (r"^asked for in the monitor$", ("say_panic", "provoke")),
}


def provoke(machine, how):
    """Cause a fault by `panic HOW`, and return the page."""
    machine.wait_prompt()
    since = len(machine.raw)
    machine.send(f"panic {how}\r")
    machine.wait_for(r"^The machine is halted\.$", since)
    return machine.text[machine.text.rindex("= kernel panic ="):]


@pytest.mark.parametrize("how", FAULTS)
def test_page(how):
    """One page names the fault; then nothing comes: the CPU is halted with interrupts off."""
    what, functions = FAULTS[how]
    with Machine(Config(display=("-vga", "none"))) as machine:
        page = provoke(machine, how)
        assert re.search(what, page, re.MULTILINE), page
        assert len(page.splitlines()) <= 50 and max(map(len, page.splitlines())) <= 96, page
        trace = page[page.index("backtrace:"):]
        names = [*functions] + ([] if how == "stack" else ["run_panic", "monitor_run", "kmain", "kernel_entry"])
        places = []
        for name in names:
            assert name in contract.symbols(), f"{name} is no function of the kernel any more"
            match = re.compile(rf"#\d+ +0x[0-9a-f]{{16}} {name}\b").search(trace, places[-1] if places else 0)
            assert match, f"{name} in\n{page}"
            places.append(match.end())
        if how in ("null", "jump", "text", "stack"):
            check_walk(page)
        if how != "stack":
            check_lines(trace)
        assert re.search(r"^task 0, kernel: of the kernel$", page, re.MULTILINE), page
        check_log(machine, page)
        if how != "panic":
            check_registers(page)
        machine.stop_halted()
        flags = machine.registers()["RFL"]
        assert not flags & 1 << 9, f"RFLAGS {flags:#x}"


def check_walk(page):
    """Check the levels of the walk, from the top down, each with its entry."""
    walk = page[page.index("walk of"):page.index("backtrace:")]
    levels = re.findall(r"^ *(PML4E|PDPTE|PDE|PTE) *\[ *\d+\] 0x[0-9a-f]{16} ", walk, re.MULTILINE)
    assert levels and levels == ["PML4E", "PDPTE", "PDE", "PTE"][:len(levels)], page


def check_lines(trace):
    """Check file and number of each line, also of inlined functions, against what binutils read in the DWARF."""
    shown = re.findall(r"^ #(\d+) +0x([0-9a-f]{16}) \S+ \((\S+)\)$", trace, re.MULTILINE)
    assert len(shown) >= 5, trace
    inlined = re.findall(r"^     (\w+) \((\S+)\), inlined in$", trace, re.MULTILINE)
    expected_inlined = []
    for number, address, place in shown:
        words = ["addr2line", "-f", "-i", "-e", str(contract.BUILD / "kernel.elf"), hex(int(address, 16) - (number != "0"))]
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split("\n")
        places = [told[i + 1].split(" ")[0].removeprefix("./") for i in range(0, len(told) - 1, 2)]
        assert place == places[-1], (address, place, told)
        expected_inlined += zip(told[0:-3:2], places[:-1])
    assert inlined == expected_inlined, trace


def check_log(machine, page):
    """Check that the page has the last lines of the log with their times, whose text the boot has shown."""
    lines = re.findall(r"^\[ *\d+\.\d{6}\] (.*)$", page[page.index("last of the log:"):], re.MULTILINE)
    assert len(lines) >= 2 and "initramfs: " in lines[-1], page
    for line in lines:
        assert line in machine.text[:machine.text.index(page)], line


def check_registers(page):
    values = dict(re.findall(r"\b(R[A-Z0-9]+|CR\d|EFER) +([0-9a-f]{16})\b", page))
    assert {"RAX", "RSP", "R15", "RFLAGS", "CR0", "CR2", "CR3", "CR4", "EFER"} <= values.keys(), page


def test_page_on_the_screen():
    with Machine(Config(serial=False)) as machine:
        wait_for_text(machine, "anke>")
        type_text(machine, "panic null\n")
        shown = wait_for_text(machine, "The machine is halted.")
        assert "kernel panic" in shown and "write_null" in shown and "#PF" in shown, shown


def test_restart_after_panic():
    """With panic=1 the page comes, then, after a second, a reset."""
    with Machine(Config(display=("-vga", "none"), append="panic=1")) as machine:
        machine.wait_prompt()
        machine.send("panic\r")
        machine.wait_for(r"^Restarting in 1 s\.$")
        assert machine.wait_exit() == "guest-reset"


def test_interrupts_from_outside():
    """A non-maskable interrupt is shown like any exception, on a stack of its own."""
    with Machine(Config(display=("-vga", "none"))) as machine:
        machine.wait_prompt()
        machine.qmp.execute("inject-nmi")
        machine.wait_for(r"^The machine is halted\.$")
        assert re.search(r"^NMI|^#NMI|non-maskable", machine.text, re.MULTILINE), machine.text
