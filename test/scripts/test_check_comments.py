"""scripts/check-comments: comments without a subject are found, and nothing else is."""

from __future__ import annotations

import pytest
from scripts_common import run_script


def test_this_tree():
    result = run_script("check-comments")
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize(("comment", "what"), [
    ("The PCID may have been dealt to another context meanwhile: load PCID 0.", None),
    ("This CPU has no PAT.", None),
    ("The other half keeps its rights.", None),
    ("Both tables are empty.", None),
    ("Thatched roofs", None),
    ("These checks rely on the map.", None),
    ("It may be another's by now.", "a pronoun"),
    ("That it counts is enough.", "a pronoun"),
    ("These believe the map.", "a pronoun"),
    ("This is not reached.", "a pronoun"),
    ("Both may change.", "a pronoun"),
    ("The other's stack.", "a pronoun"),
    ("The same for the kernel.", "a reference to another comment"),
    ("Without: `lost`.", "a fragment"),
])
@pytest.mark.parametrize("form", ["int x; /* {} */", "/*\n * {}\n */", "// {}"])
def test_each_opening(tmp_path, form, comment, what):
    (tmp_path / "kernel/lib").mkdir(parents=True)
    # What a string says is no comment.
    (tmp_path / "kernel/lib/x.c").write_text('const char *s = "/* It is */";\n' + form.format(comment) + "\n")
    result = run_script("check-comments", tmp_path)
    expected = f'kernel/lib/x.c:2: a comment opens with {what}: "{comment[:40]}"\n' if what else ""
    assert (result.returncode, result.stdout) == (bool(what), expected)


@pytest.mark.parametrize(("text", "line"), [
    ("int x; /* " + "x" * 110 + " */\n", 1),
    ("/*\n * short\n *" + " words" * 20 + "\n */\n", 3),
    ("\t\t/* " + "x" * 98 + " */\n", None),
    ("\t\t/* " + "x" * 99 + " */\n", 1),
    ("/* " + "ä" * 114 + " */\n", None),
])
def test_columns(tmp_path, text, line):
    """Tabs count as eight columns, a character as one."""
    (tmp_path / "kernel/lib").mkdir(parents=True)
    (tmp_path / "kernel/lib/x.c").write_text(text)
    result = run_script("check-comments", tmp_path)
    assert result.stdout == (f"kernel/lib/x.c:{line}: a comment goes beyond column 120\n" if line else "")
