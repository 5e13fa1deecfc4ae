"""Run the real gdb at `make qemu-gdb`, in batches: any number of attaches to one machine."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from contract import ROOT
from machine import LIMIT

# A mark that is printed before the output of each command, so that each output can be told from the others.
MARK = "--- "


class Session:
    """A machine under make, in a process group that ends with its `with` block."""

    def __init__(self, environment: dict[str, str], process: subprocess.Popen, said: Path) -> None:
        self.environment = environment
        self.process = process
        self._said = said

    def serial(self) -> str:
        """Return what make, scripts/qemu and the guest have said."""
        return self._said.read_text(errors="replace").replace("\r", "")

    def wait_for(self, pattern: str) -> None:
        """Wait until the serial text matches."""
        deadline = time.monotonic() + LIMIT
        while not re.search(pattern, self.serial(), re.MULTILINE):
            assert self.process.poll() is None, f"make ended before {pattern!r} came:\n{self.serial()}"
            assert time.monotonic() < deadline, f"{pattern!r} did not come in {LIMIT:.0f} s:\n{self.serial()}"
            time.sleep(0.1)

    def gdb(self, *commands: str, leave: str = "kill") -> list[str]:
        """Attach with scripts/gdb/attach and run the commands; return what each printed, after what attaching did.

        `leave`: the last command, "kill" for the machine or "detach", which lets it run on.
        """
        words = ["scripts/gdb/attach", "-nx", "-batch"]
        for command in (*commands, leave):
            words += ["-ex", f"echo {MARK}{command}\\n", "-ex", command]
        result = subprocess.run(words, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=LIMIT,
                                check=False)
        parts = re.split(rf"^{MARK}.*\n", result.stdout, flags=re.MULTILINE)
        assert len(parts) == len(commands) + 2, f"{result.stdout}\n{result.stderr}\n--- serial:\n{self.serial()}"
        self.complaints = result.stderr
        return parts[:-1]


@contextlib.contextmanager
def session(**variables: str) -> Iterator[Session]:
    """Start `make qemu-gdb` with these variables; the machine listens when the block is entered."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GDB_PORT": str(port), "MEM": "256M", **variables}
    with tempfile.TemporaryDirectory(prefix="ankeos-gdb-test-") as directory:
        said = Path(directory) / "said"
        with open(said, "wb") as output, subprocess.Popen(
                ["make", "-s", "qemu-gdb"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True) as process:
            try:
                one = Session(environment, process, said)
                one.wait_for("waiting for gdb")
                _wait_for_listener(port, one)
                yield one
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _wait_for_listener(port: int, one: Session) -> None:
    """Wait until QEMU listens, without connecting, which would stop the machine.

    The script's message alone does not say so: it comes before QEMU has started.
    """
    wanted = f"0100007F:{port:04X} 00000000:0000 0A"
    deadline = time.monotonic() + LIMIT
    while wanted not in Path("/proc/net/tcp").read_text():
        assert one.process.poll() is None and time.monotonic() < deadline, one.serial()
        time.sleep(0.05)
