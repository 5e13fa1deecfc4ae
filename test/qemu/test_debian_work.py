"""Test that Debian's gcc compiles a program that runs, and that python3's own regression tests pass."""

import os
import re
import subprocess

import debian_programs
import pytest
from bundles import KERNEL, bundle
from contract import ROOT
from machine import Config, Machine

SHORT = ("test_fcntl", "test_mmap", "test_pty", "test_resource")
LONG = ("test_select", "test_time", "test_posix", "test_shutil", "test_tempfile", "test_os", "test_signal", "test_threading", "test_selectors",
        "test_subprocess", "test_asyncio.test_unix_events")
# A limit in seconds for a host under load; only a failure ever waits so long.
LIMIT = 1800 if os.environ.get("ANKEOS_PYTHON") else 600
TESTS = SHORT + LONG if os.environ.get("ANKEOS_PYTHON") else SHORT


@pytest.fixture(scope="module", name="text")
def _text(tmp_path_factory):
    """Return the serial text of a machine that has compiled and run hello.c, and then the tests of TESTS."""
    directory = tmp_path_factory.mktemp("work")
    archive = directory / "work.cpio"
    programs, files = debian_programs.compiler()
    words = debian_programs.words(["/bin/bash", "/bin/cat", "/bin/mkdir", "/bin/mount", "/usr/bin/python3", *programs],
                                  [*files, *debian_programs.all_python_files()])
    subprocess.run([ROOT / "scripts" / "mkinitrd", "-o", archive, *words, "bin/sh=/bin/sh", "bin/busybox=/bin/busybox",
                    *(f"bin/{name}=l:busybox" for name in ("true", "false", "ls", "sleep", "echo")),
                    f"init={ROOT / 'test' / 'qemu' / 'debian' / 'work'}", "tmp/", "dev/console=c:5:1", "dev/null=c:1:3",
                    "etc/passwd=t:root:x:0:0::/tmp:/bin/bash\n", "etc/group=t:root:x:0:\ntty:x:5:\n"], check=True)
    boot = bundle(directory / "work.efi", KERNEL, initrd=archive, cmdline=f"console=ttyS0 quiet -- {' '.join(TESTS)}")
    with Machine(Config(boot=boot, display=("-vga", "none"), memory="1G")) as machine:
        machine.wait_for(r"^== end$", limit=LIMIT)
        return machine.text


def test_compiled(text):
    """hello.c is compiled, linked and run."""
    assert re.search(r"^hello of a compiled program\n== gcc 7$", text, re.MULTILINE), text


@pytest.mark.parametrize("name", TESTS)
def test_python(text, name):
    """A file of python3's regression tests says that all of it passed."""
    assert re.search(rf"^== {name} 0$", text, re.MULTILINE), text[-20000:]
