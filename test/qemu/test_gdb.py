"""gdb through `make qemu-gdb` and scripts/gdb/attach, as a developer uses them."""

import os
import re
import signal
import socket
import subprocess

import pytest
from contract import ROOT
from machine import LIMIT


@pytest.fixture(name="environment")
def _environment():
    """A stopped QEMU under make, in a process group that ends with the test."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GDB_PORT": str(port), "MEM": "256M"}
    with subprocess.Popen(["make", "-s", "qemu-gdb"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            said = b""
            while b"waiting for gdb" not in said:
                line = process.stdout.readline()
                said += line
                assert line, said.decode()
            yield environment
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def test_breakpoint_and_backtrace(environment):
    """The breakpoint at the kernel's entry is hit, and a backtrace from deeper inside names functions and lines."""
    words = ["scripts/gdb/attach", "-nx", "-batch", "-ex", "continue", "-ex", "info registers rip",
             "-ex", "hbreak monitor_run", "-ex", "continue", "-ex", "backtrace",
             "-ex", "print/x boot_info->magic", "-ex", "kill"]
    result = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT,
                            check=False)
    output = result.stdout + result.stderr
    assert re.search(r"^Breakpoint 1, .*kernel_entry", output, re.MULTILINE), output
    assert re.search(r"^rip +0xffffffff80000000 ", output, re.MULTILINE), output
    assert re.search(r"^#0 .*\bmonitor_run \(", output, re.MULTILINE), output
    assert re.search(r"^#1 .*\bkmain \(.*\) at \.?/?kernel/main\.c:\d+", output, re.MULTILINE), output
    assert re.search(r"^#2 .*\bkernel_entry \(", output, re.MULTILINE), output
    assert "= 0x534f656b6e41" in output, output
