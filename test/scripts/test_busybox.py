"""scripts/busybox: where it takes busybox from, with stand-ins for dpkg-query and apt-get."""

import os
import subprocess
from pathlib import Path

import pytest
from scripts_common import run_script

INSTALLED = Path("/bin/busybox")


@pytest.fixture(name="run")
def run_with_stand_ins(tmp_path):
    """Run the script where `state` is what dpkg-query says, and `download` is what apt-get does."""
    programs = tmp_path / "bin"
    programs.mkdir()

    def run(state, download):
        for name, text in {"dpkg-query": f"echo '{state}'", "apt-get": download}.items():
            (programs / name).write_text(f"#!/bin/sh\n{text}\n")
            (programs / name).chmod(0o755)
        out = tmp_path / "made" / "busybox"
        return run_script("busybox", str(out), env={"PATH": f"{programs}:{os.environ['PATH']}"}), out

    return run


def make_package(directory, content):
    """A package busybox-static with that file in it."""
    tree = directory / "package"
    (tree / "bin").mkdir(parents=True)
    (tree / "DEBIAN").mkdir()
    (tree / "bin" / "busybox").write_bytes(content)
    (tree / "DEBIAN" / "control").write_text("Package: busybox-static\nVersion: 1\nArchitecture: amd64\n"
                                             "Maintainer: nobody <nobody@localhost>\nDescription: a test\n")
    package = directory / "busybox-static_1_amd64.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, package], check=True, capture_output=True)
    return package


@pytest.mark.skipif(not INSTALLED.exists(), reason="busybox-static is not installed")
def test_installed(run):
    result, out = run("installed amd64", "exit 1")
    assert result.returncode == 0, result.stderr
    assert out.read_bytes() == INSTALLED.read_bytes() and out.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("state", ("", "config-files amd64", "installed arm64"))
def test_downloaded(run, tmp_path, state):
    package = make_package(tmp_path, b"the program")
    result, out = run(state, f'test "$*" = "-q download busybox-static:amd64" && cp {package} .')
    assert result.returncode == 0, result.stderr
    assert out.read_bytes() == b"the program" and out.stat().st_mode & 0o777 == 0o755


def test_not_to_be_had(run):
    result, out = run("", "exit 100")
    assert result.returncode == 1 and "apt cannot download busybox-static" in result.stderr
    assert not out.exists()
