"""scripts/check-guards: finds what can be written and says no guard, and nothing else; this tree has none."""

from __future__ import annotations

import pytest
from scripts_common import run_script

HEADER = """#pragma once
/* A point on a stack. */
struct point {
	int x;
};

/* What is inside a thing. */
struct part {
	int size;
};

struct thing {
	const int fixed;
	int count; /* thing_lock */
	struct part part; /* own CPU, interrupts off */

	/* Guard of all the rest: tasks only, which the kernel does not preempt. */
	int first;

	struct thing *next;
};
"""
CODE = """/*
 * Things.
 */
#include "kernel/lib/thing.h"

static struct lock thing_lock = LOCK_INITIAL(LOCK_THING);
static const int sizes[] = { 1, 2 };
static struct thing things[4];

/* Fixed after boot. */
static int most;
static int least;

int measure(struct point *point)
{
	static int calls; /* atomic */
	struct point other = *point;

	return other.x + ++calls;
}
"""


def check(tmp_path, header, code):
    (tmp_path / "kernel/lib").mkdir(parents=True)
    (tmp_path / "kernel/lib/thing.h").write_text(header)
    (tmp_path / "kernel/lib/thing.c").write_text(code)
    result = run_script("check-guards", tmp_path)
    return result.returncode, result.stdout.splitlines()


def test_sound_tree(tmp_path):
    assert check(tmp_path, HEADER, CODE) == (0, [])


@pytest.mark.parametrize(("old", "new", "fault"), [
    (" /* thing_lock */", "", "kernel/lib/thing.h:14: struct thing: int count"),
    (" /* own CPU, interrupts off */", " /* some */", "kernel/lib/thing.h:9: struct part: int size"),
    ("/* Fixed after boot. */\n", "", "kernel/lib/thing.c:10: static int most"),
    ("static int least;\n", "\nstatic int least;\n", "kernel/lib/thing.c:13: static int least"),
    (" /* atomic */", "", "kernel/lib/thing.c:16: static int calls"),
    ("int measure(", "static void (*hook)(void);\n\nint measure(", "kernel/lib/thing.c:14: static void (*hook)(void)"),
])
def test_each_fault(tmp_path, old, new, fault):
    assert (HEADER + CODE).count(old) == 1
    code, lines = check(tmp_path, HEADER.replace(old, new), CODE.replace(old, new))
    assert code == 1 and f"{fault}: its comment says no guard" in lines, lines


def test_array_per_cpu(tmp_path):
    """gcc would let all CPUs use the elements of the first one's."""
    code = CODE.replace("/* Fixed after boot. */\n", "/* Fixed after boot. */\nstatic PER_CPU int counts[4];\n")
    status, lines = check(tmp_path, HEADER, code)
    assert status == 1 and any("counts[4]: an array per CPU has to be in a structure" in line for line in lines), lines


def test_this_tree():
    result = run_script("check-guards")
    assert (result.returncode, result.stdout) == (0, "")
