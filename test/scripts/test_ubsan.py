"""kernel/lib/ubsan.c: the handlers of the debug build, called by what gcc and clang make of undefined code."""

import re
import shutil
import subprocess

import pytest
from scripts_common import ROOT

CASES = (
    r"2147483647 \+ 1 does not fit 'int'",
    r"-2147483648 - 1 does not fit 'int'",
    r"9223372036854775807 \* 2 does not fit 'long long( int)?'",
    r"-2147483648 / -1 does not fit 'int'",
    r"- \(-2147483648\) does not fit 'int'",
    r"1 of type 'int' shifted by 40",
    r"index 4 of 'int ?\[4\]'",
    r"load through a null pointer to '(volatile )?int'",
    r"member access at 0x[0-9a-f]+1, which is not aligned for 'struct aligned'",
    r"3 is no value of '(volatile )?(_Bool|bool)'",
    r"code that cannot be reached was",
    r"0 given to a builtin that counts its zeros",
    r"7 / 0 does not fit 'int'",
)
HERE = "test/scripts/ubsan_cases.c"
# The handlers, and what they print with.
SOURCES = ("kernel/lib/ubsan.c", "kernel/lib/format.c", "kernel/lib/printable.c", "kernel/lib/utf8.c")


@pytest.fixture(name="program", params=["gcc", "clang"], scope="module")
def build(request, tmp_path_factory):
    compiler = request.param
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    directory = tmp_path_factory.mktemp(compiler)
    flags = ["-std=gnu17", "-g", "-I.", "-DDEBUG=1", "-DUBSAN_TEST", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-fsanitize=undefined", "-c", HERE, "-o", directory / "cases.o"], cwd=ROOT,
                   check=True)
    subprocess.run([compiler, *flags, *SOURCES, directory / "cases.o", "-o",
                    directory / "cases"], cwd=ROOT, check=True)
    return directory / "cases"


@pytest.mark.parametrize("case", range(len(CASES)))
def test_case(program, case):
    """It ends there, with what it is and where."""
    result = subprocess.run([program, str(case)], capture_output=True, text=True, check=False)
    assert re.fullmatch(rf"undefined behaviour: {CASES[case]} \({HERE}:\d+:\d+\)", result.stdout), result
    assert result.returncode == 1, result
