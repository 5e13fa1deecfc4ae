"""Run Bochs with OVMF, its serial port on a socket: a CPU with PCID, INVPCID and global pages, which QEMU's TCG lacks.

This is Debian's Bochs 2.7 (packages bochs, bochsbios, vgabios). OVMF passes no ACPI tables on from its machine, and the
machine has no framebuffer.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from machine import FIRMWARE, LIMIT, PROMPT, MachineError, _die_with_parent, plain

# Without the last two lines Bochs's sound code looks for a sound card, and ends Bochs when there is none.
CONFIGURATION = """\
config_interface: textconfig
display_library: rfb, options="timeout=0"
memory: guest=256, host=256
romimage: file={firmware}, address=0xffe00000
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model={cpu}, ips=10000000
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path={image}, mode=volatile
boot: disk
com1: enabled=1, mode=socket-client, dev=localhost:{port}
log: bochs.log
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
plugin_ctrl: speaker=0
"""


class Bochs:
    """A running Bochs. Use it as a context manager."""

    def __init__(self, image: Path, cpu: str = "tigerlake") -> None:
        self.image = image
        self.cpu = cpu
        self.raw = b""
        self.directory = Path(tempfile.mkdtemp(prefix="ankeos-bochs-"))
        self._process: subprocess.Popen | None = None
        self._serial: socket.socket | None = None

    def __enter__(self) -> "Bochs":
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self.close()

    def _start(self) -> None:
        with socket.create_server(("localhost", 0)) as listener:
            listener.settimeout(LIMIT)
            text = CONFIGURATION.format(firmware=FIRMWARE, cpu=self.cpu, image=self.image.resolve(),
                                        port=listener.getsockname()[1])
            (self.directory / "rc").write_text(text)
            # Bochs starts in its debugger: "c" lets the machine run.
            (self.directory / "debugger").write_text("c\n")
            with open(self.directory / "output", "wb") as output:
                self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                    ["bochs", "-q", "-f", "rc", "-rc", "debugger"], stdin=subprocess.DEVNULL, stdout=output,
                    stderr=output, cwd=self.directory, env={**os.environ, "HOME": str(self.directory)},
                    preexec_fn=_die_with_parent)
            try:
                self._serial = listener.accept()[0]
            except TimeoutError as error:
                raise self.failure("Bochs did not open its serial port") from error

    def close(self) -> None:
        """End Bochs, by its own process id, and remove what it left, its copy of the disk's changes included."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._serial is not None:
            self._serial.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def text(self) -> str:
        return plain(self.raw)

    def failure(self, message: str) -> MachineError:
        log = self.directory / "bochs.log"
        tail = log.read_text(errors="replace")[-3000:] if log.exists() else ""
        output = (self.directory / "output").read_text(errors="replace")[-1000:]
        return MachineError(f"{message}\n--- serial:\n{self.text}\n--- Bochs:\n{output}\n{tail}")

    def _wait_for(self, pattern: str, since: int) -> None:
        """Wait until the serial text from byte `since` on matches the regular expression."""
        deadline = time.monotonic() + LIMIT
        assert self._serial is not None
        while not re.search(pattern, plain(self.raw[since:]), re.MULTILINE):
            if select.select([self._serial], [], [], 1.0)[0]:
                data = self._serial.recv(1 << 16)
                if not data:
                    raise self.failure("Bochs ended")
                self.raw += data
            if time.monotonic() > deadline:
                raise self.failure(f"{pattern!r} did not come in {LIMIT:.0f} s")

    def wait_prompt(self, since: int = 0) -> None:
        """Wait until the monitor's prompt is the last of what came from byte `since` on."""
        self._wait_for(rf"^{PROMPT}\Z", since)

    def command(self, line: str) -> str:
        """Type a line at the monitor's prompt; return what it printed, without echo and prompt."""
        since = len(self.raw)
        assert self._serial is not None
        # Send one character at a time, the next when the guest has echoed the last: the emulated port has no room for
        # more.
        for typed in range(len(line)):
            self._serial.sendall(line[typed].encode())
            self._wait_for(rf"{re.escape(line[:typed + 1])}\Z", since)
        self._serial.sendall(b"\r")
        self._wait_for(r"\n", since)
        self.wait_prompt(since)
        output = plain(self.raw[since:])
        return output[output.index("\n") + 1:output.rindex(PROMPT)]
