"""scripts/check-lists: this tree forgets nothing; what is not listed is found."""

from __future__ import annotations

import pytest
from scripts_common import run_script

MAIN = '''void f(const char *cmdline)
{
	/* cmdline_has(cmdline, "old") */
	if (cmdline_has(cmdline, "quiet") ||
	    cmdline_number(cmdline,
			   "panic", 0))
		g();
}
'''
TABLE = "| Word | What it does |\n| --- | --- |\n| `quiet` | less |\n| `panic=N`, `panic` | restart |\n"
SUITES = '''static const struct selftest_suite *const suites[] = {
	&heap_selftests, &audit_selftests,
};
'''
SOUND = {
    "kernel/main.c": MAIN,
    "docs/boot-words.md": TABLE,
    "kernel/selftest/selftests.c": "static SELFTEST_SUITE(audit, audit_tests);\n" + SUITES,
    "kernel/selftest/memory_selftest.c": "\nSELFTEST_SUITE(heap, heap_tests);\n",
}


def check(tmp_path, changes):
    for path, text in {**SOUND, **changes}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    result = run_script("check-lists", tmp_path)
    return result.returncode, result.stdout.splitlines()


def test_this_tree():
    result = run_script("check-lists")
    assert (result.returncode, result.stdout) == (0, "")


def test_sound_tree(tmp_path):
    assert check(tmp_path, {}) == (0, [])


@pytest.mark.parametrize(("path", "text", "fault"), [
    ("efi/options.c", '\tcmdline_get(l->options, "loglevel", level, sizeof(level));\n',
     "efi/options.c:1: the boot word loglevel has no line in docs/boot-words.md"),
    ("docs/boot-words.md", TABLE + "| `old` | nothing |\n", "docs/boot-words.md:5: no code reads old"),
    ("docs/boot-words.md", TABLE + "| `quiet` | again |\n", "docs/boot-words.md:5: quiet has a line above"),
    ("kernel/selftest/mmio_selftest.c", "SELFTEST_SUITE(mmio, mmio_tests);\n",
     "kernel/selftest/mmio_selftest.c:1: kernel/selftest/selftests.c does not list mmio_selftests"),
])
def test_each_fault(tmp_path, path, text, fault):
    assert check(tmp_path, {path: text}) == (1, [fault])
