"""kernel/sys/calls.h: what is listed twice, or not at all, does not compile."""

from __future__ import annotations

import subprocess

import pytest
from scripts_common import ROOT

CALLS = "kernel/sys/calls.h"
FLAGS = ("-std=gnu17", "-Wall", "-Wextra", "-Wmissing-prototypes", "-Werror", "-ffreestanding", "-DDEBUG=0",
         "-mgeneral-regs-only", "-fsyntax-only")


@pytest.mark.parametrize(("old", "new", "source", "fault"), [
    ("call(1, write)", "call(1, write)", "table", None),
    ("call(1, write)", "call(1, write) call(1, vfork)", "table", "number_1_is_given_once"),
    ("call(1, write)", "call(1, write) call(134, write)", "table", "name_write_is_given_once"),
    ("call(334, rseq)", "", "sys_absent", "sys_rseq"),
])
def test_lists(tmp_path, old, new, source, fault):
    text = (ROOT / CALLS).read_text()
    assert old in text
    (tmp_path / CALLS).parent.mkdir(parents=True)
    (tmp_path / CALLS).write_text(text.replace(old, new))
    result = subprocess.run(["gcc", *FLAGS, f"-I{tmp_path}", "-I.", f"kernel/sys/{source}.c"], cwd=ROOT,
                            capture_output=True, text=True, check=False)
    assert (result.returncode != 0) == (fault is not None), result.stderr
    assert fault is None or fault in result.stderr
