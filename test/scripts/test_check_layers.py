"""scripts/check-layers: a small sound tree passes; each way to break it is caught, and it alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from scripts_common import ROOT, run_script

SOUND = {
    "paging/types.h": "#pragma once\n\n#include <stdint.h>\n\ntypedef uint64_t vaddr_t;\n",
    "kernel/lib/panic.h": "#pragma once\nvoid panic(void);\n",
    "kernel/boot/boot_info.h": '#pragma once\n#include "paging/types.h"\nstruct boot_info { vaddr_t hhdm; };\n',
    "kernel/arch/cpu.h": '#pragma once\nstatic inline void cpu_halt(void)\n{\n\t__asm__ volatile("hlt");\n}\n',
    "kernel/arch/entry.S": '#include "paging/types.h"\n',
    "kernel/mm/frame/frame.h": '#pragma once\n#include "kernel/boot/boot_info.h"\n#include "kernel/lib/panic.h"\n',
    "kernel/dev/serial.h": '#pragma once\n#include "kernel/mm/frame/frame.h"\n',
    "kernel/fs/file.h": "#pragma once\n",
    "kernel/main.c": '/* asm in a comment, "asm" in a text */\n#include "kernel/dev/serial.h"\n',
    "efi/main.c": '#include <efi.h>\n\n#include "kernel/arch/cpu.h"\n#include "kernel/boot/boot_info.h"\n',
    "test/host/test_frame.c": '#include <stdio.h>\n#include "kernel/mm/frame/frame.h"\n',
}


def check(tmp_path: Path, changes: dict[str, str]):
    for path, text in {**SOUND, **changes}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    result = run_script("check-layers", tmp_path, env={"CC": "gcc"})
    return result.returncode, result.stdout.splitlines()


def test_sound_tree(tmp_path):
    assert check(tmp_path, {}) == (0, [])


@pytest.mark.parametrize(("path", "text", "fault"), [
    ("kernel/lib/panic.c", '#include "kernel/mm/frame/frame.h"\n',
     '1: "kernel/mm/frame/frame.h": kernel/mm/frame does not lie below kernel/lib'),
    ("paging/space.c", '\n#include "kernel/lib/panic.h"\n',
     '2: "kernel/lib/panic.h": kernel/lib does not lie below paging'),
    ("kernel/fs/file.c", '#include "kernel/dev/serial.h"\n',
     '1: "kernel/dev/serial.h": kernel/dev does not lie below kernel/fs'),
    ("kernel/mm/frame/frame.c", '#include "efi/loader.h"\n', '1: "efi/loader.h" is no path from the root'),
    ("kernel/mm/frame/frame.c", '#include "frame.h"\n', '1: "frame.h" is no path from the root'),
    ("kernel/mm/frame/frame.c", '#include "../mm/frame.h"\n', '1: "../mm/frame.h" is no path from the root'),
    ("kernel/mm/frame/frame.c", "#include <string.h>\n", "1: <string.h> is not freestanding"),
    ("efi/tables.c", '#include "kernel/mm/frame/frame.h"\n',
     '1: "kernel/mm/frame/frame.h": efi sees only efi, paging, kernel/boot, kernel/lib, kernel/arch/cpu.h'),
    ("kernel/new/thing.c", "int thing;\n", "1: belongs to no layer"),
    ("kernel/mm/frame/copy.S", "nop\n", "1: assembly outside kernel/arch and efi"),
    ("kernel/mm/frame/frame.c", '/* text\n */\nvoid f(void)\n{\n\t__asm__("nop");\n}\n',
     "5: inline assembly outside kernel/arch/cpu.h"),
    ("kernel/mm/frame/frame.c", "void f(void)\n{\n\tcpu_interrupts_off();\n}\n",
     "3: a lock (kernel/sync/lock.h) or kernel/arch/irq_guard.h turns interrupts off and on"),
    ("kernel/mm/frame/frame.c", "int f(void)\n{\n\treturn task_block(0);\n}\n",
     "3: a task waits by kernel/task/wait_until.h"),
    ("kernel/mm/frame/frame.c", "int x;\n" * 451, "451: 451 lines, more than 450"),
    ("kernel/mm/heap/heap.h", "#ifndef HEAP\n#define HEAP\n#endif\n", "1: no #pragma once"),
])
def test_each_fault(tmp_path, path, text, fault):
    assert check(tmp_path, {path: text}) == (1, [f"{path}:{fault}"])


def test_header_that_needs_another_one(tmp_path):
    code, faults = check(tmp_path, {"kernel/mm/heap/heap.h": "#pragma once\nvaddr_t heap_start(void);\n"})
    assert code == 1
    assert len(faults) == 1
    assert faults[0].startswith("kernel/mm/heap/heap.h:1: does not compile alone: ")
    assert "vaddr_t" in faults[0]


def test_include_cycle(tmp_path):
    assert check(tmp_path, {
        "kernel/mm/frame/a.h": '#pragma once\n#include "kernel/mm/frame/b.h"\n',
        "kernel/mm/frame/b.h": '#pragma once\n#include "kernel/mm/frame/a.h"\n',
    }) == (1, ["kernel/mm/frame/a.h:1: include cycle: kernel/mm/frame/a.h -> kernel/mm/frame/b.h -> kernel/mm/frame/a.h"])


def check_built(tmp_path: Path, sources: dict[str, str]):
    """The same with objects of these sources where a build has them."""
    for path, text in sources.items():
        built = (tmp_path / "build/kernel" / path).with_suffix(".o")
        built.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-x", "c" if path.endswith(".c") else "assembler", "-c", "-o", built, "-"],
                       input=text, text=True, check=True)
    return check(tmp_path, sources)


def test_symbol_that_points_up(tmp_path):
    assert check_built(tmp_path, {
        "kernel/arch/switch.S": ".globl go\ngo: call task_entered\n",
        "kernel/task/sched.c": "void go(void);\nvoid task_entered(void)\n{\n\tgo();\n}\n",
    }) == (1, ["kernel/arch/switch.S:1: task_entered of kernel/task/sched.c: kernel/task does not lie below kernel/arch"])


def test_symbols_that_point_down_and_an_object_without_source(tmp_path):
    stale = tmp_path / "build/kernel/kernel/arch/old.o"
    stale.parent.mkdir(parents=True)
    subprocess.run(["gcc", "-x", "c", "-c", "-o", stale, "-"], input="void up(void); void old(void) { up(); }", text=True,
                   check=True)
    assert check_built(tmp_path, {
        "kernel/arch/low.c": "int low(void)\n{\n\treturn 1;\n}\n",
        "kernel/task/high.c": "int low(void);\nint up(void)\n{\n\treturn low();\n}\n",
    }) == (0, [])


def test_circle(tmp_path):
    names = [f"f{number}" for number in range(30)]
    sources = {f"kernel/fs/{name}.c": f"int {after}(void);\nint {name}(void)\n{{\n\treturn {after}();\n}}\n"
               for name, after in zip(names, names[1:] + names[:1])}
    code, faults = check_built(tmp_path, sources)
    assert code == 1
    assert len(faults) == 1
    assert faults[0].startswith("kernel/fs/f0.c:1: 30 files that need each other, more than ")
    assert faults[0].endswith(" ".join(sorted(sources)))


def test_this_tree():
    result = run_script("check-layers")
    assert (result.returncode, result.stdout) == (0, "")
    assert (ROOT / "paging/layout.h").exists()
