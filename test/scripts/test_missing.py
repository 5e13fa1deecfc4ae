"""What is not installed: make and the scripts say what to run, and not what somebody who wrote them must have forgotten."""

from __future__ import annotations

import os
import subprocess

import pytest
from scripts_common import ROOT, run_script


@pytest.mark.parametrize(("target", "setting", "package"), [
    ("all", "FONT=/none/font.gz", "console-setup-linux"),
    ("all", "EFI_INCLUDE=/none", "gnu-efi"),
    ("all", "MUSL_GCC=none-gcc", "musl-tools"),
    ("all", "CC=none-gcc", "none-gcc"),
    ("build/host/test_load", "CMOCKA=false", "libcmocka-dev"),
    ("test-user-linux", "PYTHON=/none/python3", "python3-pytest python3-pytest-xdist python3-pexpect"),
    ("test-qemu", "FIRMWARE=/none/OVMF.fd", "ovmf"),
])
def test_make(target, setting, package):
    # -n -B: all rules are read and expanded, none is run.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    result = subprocess.run(["make", "-n", "-B", target, setting], cwd=ROOT, env=clean, capture_output=True, text=True,
                            check=False)
    assert result.returncode == 2
    wanted = f" is not here: run ./scripts/setup {target}, which installs what is missing (Debian: {package}).  Stop."
    assert result.stderr.splitlines()[-1].endswith(wanted), result.stderr


@pytest.mark.parametrize(("words", "target", "package"), [
    (("qemu", "nox"), "qemu", "qemu-system-x86"),
    (("gdb/attach",), "gdb", "gdb"),
    (("mkimage", "build/BOOTX64.EFI", "/none/image"), "image", "mtools"),
])
def test_scripts(tmp_path, words, target, package):
    for name in ("bash", "dirname", "realpath", "env"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    # mkimage looks in the directories of root, too.
    result = run_script(*words, env={"PATH": str(tmp_path)})
    assert result.returncode == 1, result.stderr
    assert f"run ./scripts/setup {target}, which installs Debian's" in result.stderr
    assert package in result.stderr
