"""scripts/setup: what it would install and when, with stand-ins for dpkg, apt, sudo and make that note their calls."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from scripts_common import run_script

DPKG_QUERY = """#!/bin/sh
# The package named by MISSING is not there; all others are.
shift 3
for package; do
	[ "$package" = "$MISSING" ] || echo "installed $package"
done
[ -z "$MISSING" ]
"""
NOTE = '#!/bin/sh\necho "${0##*/} $*" >>"$CALLS"\n'
SUDO = NOTE + '"$@"\n'


@pytest.fixture(name="calls")
def run_with_stand_ins(tmp_path: Path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"dpkg-query": DPKG_QUERY, "apt-get": NOTE, "make": NOTE, "sudo": SUDO}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)

    def run(*targets: str, missing: str = "", **env: str):
        log = tmp_path / "calls"
        log.write_text("")
        result = run_script("setup", *targets, env={
            "PATH": f"{programs}:{os.environ['PATH']}", "MISSING": missing, "CALLS": str(log),
            "DISPLAY": "", "WAYLAND_DISPLAY": "", **env})
        assert result.returncode == 0, result.stderr
        # sudo is there for other users than root only.
        return [call for call in log.read_text().splitlines() if not call.startswith("sudo ")], result.stdout

    return run


def test_nothing_missing_goes_straight_to_make(calls):
    assert calls("test") == (["make test"], "")


def test_words_reach_make_as_they_are(calls):
    assert calls("qemu", "MEM=2G", "-k", missing="cppcheck")[0] == ["make qemu MEM=2G -k"]


def test_no_target(calls):
    assert calls()[0] == ["make "]


def test_missing_package_is_installed_first(calls):
    assert calls("test", missing="cppcheck") == ([
        "apt-get -q -y update",
        "apt-get -q -y install --no-install-recommends cppcheck",
        "make test",
    ], "setup: installing cppcheck\n")


@pytest.mark.parametrize(("target", "package", "wanted"), [
    ("all", "gcc", True),
    ("all", "qemu-system-x86", False),
    ("image", "mtools", True),
    ("qemu", "gnu-efi", True),
    ("qemu", "ovmf", True),
    ("qemu", "cppcheck", False),
    ("qemu", "qemu-system-gui", False),
    ("test", "mtools", True),
    ("test", "python3-pytest", True),
    ("lint", "clang-format", True),
    ("bench", "libjemalloc2", True),
    ("test", "libjemalloc2", False),
    ("coverage", "gcovr", True),
    ("coverage", "libcmocka-dev", True),
    ("coverage", "ovmf", False),
])
def test_target_decides_what_is_needed(calls, target, package, wanted):
    assert (len(calls(target, missing=package)[0]) > 1) == wanted


def test_window_libraries_only_with_a_display(calls):
    assert len(calls("qemu", missing="qemu-system-gui", DISPLAY=":0")[0]) == 3
    assert len(calls("qemu-nox", missing="qemu-system-gui", DISPLAY=":0")[0]) == 1
