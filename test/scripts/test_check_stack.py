"""scripts/check-stack: a small program whose frames are known; what it must find in it. `make lint` runs it on the kernel."""

from __future__ import annotations

import re
import subprocess

import pytest
from scripts_common import run_script

FLAGS = ("-std=gnu17", "-O1", "-g", "-ffreestanding", "-nostdlib", "-static", "-fno-pie", "-no-pie", "-fno-optimize-sibling-calls",
         "-fno-omit-frame-pointer", "-fno-stack-protector", "-fcf-protection=none", "-fno-inline", "-mno-red-zone",
         "-fno-asynchronous-unwind-tables", "-Wl,-e,kernel_entry", "-Wl,--build-id=none")
HEADER = "#define KERNEL_STACK_SIZE (16 * 1024)\n"
PROGRAM = """
volatile int again;

struct ops {
	void (*read)(char *bytes);
};

__attribute__((noipa)) void use(char *bytes)
{
	bytes[0]++;
}

static void deep_read(char *bytes)
{
	char own[4000];

	use(own);
	bytes[1] = own[0];
}

static const struct ops deep = { .read = deep_read };

void run(const struct ops *ops)
{
	char own[1000];

	ops->read(own);
	use(own);
}

void trap_common(void)
{
	char own[200];

	use(own);
}

void kernel_entry(void)
{
	char own[500];

	use(own);
	run(&deep);
}
"""


def check(tmp_path, program, *options):
    (tmp_path / "kernel/mm/heap").mkdir(parents=True)
    (tmp_path / "kernel/mm/heap/kernel_stack.h").write_text(HEADER)
    (tmp_path / "kernel/main.c").write_text(program)
    subprocess.run(["gcc", *FLAGS, f"-ffile-prefix-map={tmp_path}=.", "kernel/main.c", "-o", "kernel.elf"], cwd=tmp_path,
                   check=True)
    return run_script("check-stack", "--root", tmp_path, tmp_path / "kernel.elf", *options)


def depths(text):
    return [int(depth) for depth in re.findall(r"^deepest task by [^:]*: (\d+) bytes$", text, re.MULTILINE)]


def test_depths(tmp_path):
    """Frames are their arrays and at most 64 bytes more; the call by a field adds what the field was given."""
    result = check(tmp_path, PROGRAM, "-v")
    assert result.returncode == 0, result.stdout
    direct, indirect = depths(result.stdout)
    assert 1500 < direct < 1500 + 3 * 64, result.stdout
    assert 5500 < indirect < 5500 + 4 * 64, result.stdout
    assert re.search(r"^run \(kernel/main\.c:\d+\) by ->read: deep_read$", result.stdout, re.MULTILINE), result.stdout


@pytest.mark.parametrize(("old", "new", "fault"), [
    ("char own[500]", "char own[6000]", r"the kernel's stack may take \d+ bytes by direct calls, more than 6144"),
    ("char own[4000]", "char own[15000]", r"the kernel's stack may take \d+ bytes by all calls, each function once, more than 14336"),
    ("char own[500];\n", "char own[500];\n\n\tif (again)\n\t\tkernel_entry();\n",
     r"kernel_entry > kernel_entry: a recursion whose bound scripts/check-stack does not know"),
    ("{ .read = deep_read }", "{ 0 }", r"kernel/main\.c:\d+: run calls ->read: what it may reach is not known"),
])
def test_each_fault(tmp_path, old, new, fault):
    assert old in PROGRAM
    program = PROGRAM.replace(old, new).replace("static void deep_read", "void deep_read")
    result = check(tmp_path, program)
    assert result.returncode == 1, result.stdout
    assert any(re.fullmatch(fault, line) for line in result.stdout.splitlines()), result.stdout
