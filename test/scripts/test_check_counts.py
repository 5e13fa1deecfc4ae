"""scripts/check-counts: counts of references that may wrap are found, and nothing else is."""

from __future__ import annotations

import pytest
from scripts_common import run_script


def test_this_tree():
    result = run_script("check-counts")
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize(("line", "count"), [
    ("\tuint32_t refs; /* who holds it */", "refs"),
    ("\tunsigned int references;", "references"),
    ("\tint first, users;", "users"),
    ("static uint16_t table_refs[512];", "table_refs"),
    ("\tuint64_t refs;", None),
    ("\tsize_t users;", None),
    ("\tuint16_t *refs; /* where they are counted */", None),
    ("\t/* unsigned refs; */", None),
    ("void f(void)\n{\n\tunsigned refs;\n}", None),
    ("\tunsigned refs_seen;", None),
])
def test_each_count(tmp_path, line, count):
    (tmp_path / "kernel/task").mkdir(parents=True)
    (tmp_path / "kernel/task/some.h").write_text(f"\n{line}\n")
    result = run_script("check-counts", tmp_path)
    expected = f"kernel/task/some.h:2: {count} counts references in fewer than 64 bits\n" if count else ""
    assert (result.stdout, result.returncode) == (expected, 1 if count else 0)
