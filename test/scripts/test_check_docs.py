"""scripts/check-docs: the documents of this tree are true in what can be checked, and lies are caught."""

from __future__ import annotations

import pytest
from scripts_common import ROOT, run_script


LINES = (ROOT / "paging/layout.h").read_text().count("\n")


def test_this_tree():
    result = run_script("check-docs")
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize(("line", "fault"), [
    ("The files of `paging/` and `paging/layout.h`, `make test CC=clang`, 0xffff800000000000.", None),
    ("See `kernel/none.c`.", "no file kernel/none.c"),
    ("See none.c, paging/layout.h, layout.h, test_NAME.c and …_none.c.", "no file none.c"),
    ("See `kernel/none/`.", "no file kernel/none/"),
    (f"| all | `paging/layout.h` | {LINES * 21 // 20} |", None),
    (f"| all | `paging/layout.h` | {LINES * 2} |", f"{LINES * 2} lines, counted {LINES}"),
    ("Run `make build/host/test_none CMDLINE=\"a word\" build/initrd.cpio`.", "no source of build/host/test_none"),
    ("See [that](docs/none.md).", "link to docs/none.md, which does not exist"),
    ("Run `make nothing`.", "no target nothing in the Makefile"),
    ("    walk of 0xffff810000000000:", None),
    ("It lies at 0xffff810000000000.", "0xffff810000000000 is no edge of a range in paging/layout.h"),
])
def test_each_fault(tmp_path, line, fault):
    (tmp_path / "paging").mkdir()
    (tmp_path / "paging/layout.h").write_text((ROOT / "paging/layout.h").read_text())
    (tmp_path / "Makefile").write_text("all qemu: build\n\ntest:\n\ttrue\n")
    (tmp_path / "README.md").write_text(f"# Title\n{line}\n")
    result = run_script("check-docs", tmp_path)
    assert result.stdout == (f"README.md:2: {fault}\n" if fault else "")
    assert result.returncode == (1 if fault else 0)


@pytest.mark.parametrize(("path", "text", "line"), [
    ("kernel/mm/heap.c", '/* See heap.c,\n * mm/none.h. */\n#include "kernel/none.c"\n', 2),
    ("kernel/arch/entry.S", "/* kernel/mm/none.h */\n", 1),
    ("scripts/check", '#!/usr/bin/python3\n"""What\nmm/none.h is."""\nNAME = "kernel/none.h"\n', 3),
    ("scripts/run", "#!/bin/sh\n# Like mm/none.h.\n", 2),
])
def test_names_in_comments(tmp_path, path, text, line):
    for name, content in {"Makefile": "# Of build/a.c\n", "paging/layout.h": "/* layout.h */\n", path: text}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    result = run_script("check-docs", tmp_path)
    assert result.returncode == 1
    assert result.stdout.replace("kernel/mm/none.h", "mm/none.h") == f"{path}:{line}: no file mm/none.h\n"


@pytest.mark.parametrize(("row", "fault"), [
    ("| the constant | `paging/layout.h` | `HHDM_BASE` |", None),
    ("| the file | `paging/layout.h` | |", None),
    ("| a function | `paging/layout.h` | `hhdm_base()` |", "no hhdm_base in paging/layout.h"),
    ("| a file | `layout.h` | `HHDM_BASE` |", "no file layout.h"),
    ("| two | `paging/layout.h`, `paging/pte.h` | |", "a row that is not `| what | `file` | `name()` |`"),
])
def test_where(tmp_path, row, fault):
    """Rows of docs/where.md, each with a file and a name in it."""
    (tmp_path / "paging").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "paging/layout.h").write_text((ROOT / "paging/layout.h").read_text())
    (tmp_path / "Makefile").write_text("all:\n")
    (tmp_path / "docs/where.md").write_text(f"| Where is … | File | Name |\n| --- | --- | --- |\n{row}\n")
    result = run_script("check-docs", tmp_path)
    assert [line for line in result.stdout.splitlines() if fault and fault in line] if fault else not result.stdout
    assert result.returncode == (1 if fault else 0)
