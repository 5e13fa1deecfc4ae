"""Boot a machine and look at it from outside: one QEMU with OVMF, its serial port, its memory.

Nothing here trusts the guest: memory comes from QEMU, text from the serial port or from pixels. A machine lives in a
temporary directory of its own and ends with its `with` block, whatever happens inside.
"""

from __future__ import annotations

import ctypes
import dataclasses
import fcntl
import os
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time
from pathlib import Path

import saved
from contract import BUILD
from qmp import QMP, QMPError

BOOT_FILE = BUILD / "BOOTX64.EFI"
FIRMWARE = "/usr/share/ovmf/OVMF.fd"
# A program that waits where a boot file starts; its texts are those of gate.c.
GATE = BUILD / "gate.efi"
GATE_CLOSED = "gate=closed"
GATE_SAYS = b"gate: waiting\n"
PROMPT = "anke> "

# Boots take seconds. This limit is for a host under load, and only a failure ever waits so long.
LIMIT = float(os.environ.get("ANKEOS_LIMIT", "300"))

GIB = 1 << 30
# For a machine with at least so much RAM the host reserves none: pages come as the guest touches them.
UNRESERVED = 4 * GIB
# The machines whose firmware state is saved, since several tests have each of them.
SHARED_MACHINES = ("q35,smm=off", "pc,smm=off")
# QEMU's CPUs have 40 address bits: too few for so much RAM, because devices lie above it.
WIDE_ADDRESSES = 512 * GIB

CONSOLES = "console=ttyS0 console=tty0"

live: list["Machine"] = []  # machines that run now: a failing test shows their serial logs


class MachineError(AssertionError):
    """The guest did not do what was waited for; the message holds the serial log."""


@dataclasses.dataclass
class Config:
    """The machine to start. Fields that are None are left to the boot file or to QEMU."""

    memory: str = "512M"
    cpu: str = "max,la57=off"
    machine: str = "q35,smm=off"
    firmware: str = FIRMWARE
    boot: Path | None = BOOT_FILE  # passed with -kernel; None boots from `extra`'s devices
    append: str | None = None  # without init= here the default boot file starts no /init, but the monitor at once
    display: tuple[str, ...] = ("-vga", "std")
    serial: bool = True
    # what the serial line is connected to, as character device "line", instead of the first port
    serial_device: tuple[str, ...] = ()
    icount: bool = False  # all clocks count instructions, 16 ns each; a busy host does not change them
    exact: bool = False  # as icount, but with 1 ns an instruction; the firmware has run before, without that
    cold: bool = False  # start from the firmware's first instruction, even if a saved machine could be used
    extra: tuple[str, ...] = ()

    def address_bits(self) -> int:
        """Return how many bits the CPU's physical addresses have; 40 is QEMU's default."""
        found = re.search(r"phys-bits=(\d+)", " ".join(self.arguments()))
        return int(found[1]) if found else 40

    def arguments(self, ram_file: Path | None = None, kept: bool = False) -> list[str]:
        """Return QEMU's command line, without the channels that Machine adds.

        RAM begins as `ram_file` has it; what the guest writes goes there if it is to be `kept`.
        """
        size = parse_size(self.memory)
        cpu, machine = self.cpu, self.machine
        ram = ["-m", f"{size >> 20}M"]
        if ram_file is not None:
            share = "on" if kept else "off"
            ram += ["-object", f"memory-backend-file,id=ram,size={size},mem-path={ram_file},share={share}"]
            machine += ",memory-backend=ram"
        elif size >= UNRESERVED:
            ram += ["-object", f"memory-backend-ram,id=ram,size={size},reserve=off"]
            machine += ",memory-backend=ram"
        if size >= WIDE_ADDRESSES:
            cpu += ",phys-bits=42"
        words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-bios",
                 self.firmware]
        words += ["-machine", machine, "-cpu", cpu, *ram, *self.display]
        if self.boot is not None:
            words += ["-kernel", str(self.boot)]
        append = self.append
        if self.boot == BOOT_FILE and "init=" not in (append or ""):
            append = f"{CONSOLES if append is None else append} init=none".strip()
        if append is not None:
            words += ["-append", append]
        if self.icount:
            words += ["-icount", "shift=4,sleep=off", "-rtc", "clock=vm"]
        if self.exact:
            words += ["-icount", "shift=0,sleep=off", "-rtc", "clock=vm"]
        return [*words, "-no-reboot", *self.extra]

    def shares_firmware(self) -> bool:
        """Return whether many tests have such a machine, so that its firmware need not run for each of them.

        Only a file given with -kernel can be exchanged, and the gate speaks by the serial port.
        """
        if self.cold or self.boot is None or not self.serial or self.serial_device or not GATE.exists():
            return False
        usual = (self.cpu, self.firmware) == (Config.cpu, Config.firmware) and self.machine in SHARED_MACHINES
        return usual and parse_size(self.memory) < UNRESERVED and not any("/" in word for word in self.extra)


def parse_size(text: str) -> int:
    """Return the bytes of "64M", "3G", "1T"."""
    return int(text[:-1]) << {"M": 20, "G": 30, "T": 40}[text[-1]]


def plain(raw: bytes) -> str:
    """Return serial text without terminal control; a move of the cursor to another row counts as a new line."""
    text = raw.decode("utf-8", "replace")
    text = re.sub(r"\x1b\[[0-9;]*H", "\n", text)
    text = re.sub(r"\x1b\[[=?]?[0-9;]*[A-Za-z]", "", text)
    return text.replace("\r", "")


def _die_with_parent() -> None:
    """Have this child killed with its parent (PR_SET_PDEATHSIG), so that a killed test run leaves no QEMU behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class SerialPipe:
    """The other end of the guest's serial port: two named pipes, the way out large enough for all that a guest says.

    A socket holds only some hundred bytes that come one by one; then the firmware waits, and drops the rest.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        os.mkfifo(f"{path}.in")
        os.mkfifo(f"{path}.out")
        self._out = os.open(f"{path}.out", os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self._out, fcntl.F_SETPIPE_SZ, 1 << 20)
        self._in: int | None = None

    def read(self, timeout: float) -> bytes | None:
        """Return what waits; None when nothing came in time; b"" when QEMU, which must have been started, has ended."""
        if not select.select([self._out], [], [], timeout)[0]:
            return None
        return os.read(self._out, 1 << 20)

    def holds(self, timeout: float) -> bool:
        """Return whether there is something to read within that time."""
        return bool(select.select([self._out], [], [], timeout)[0])

    def unread(self) -> int:
        """Return how many bytes wait to be read."""
        return struct.unpack("i", fcntl.ioctl(self._out, termios.FIONREAD, bytes(4)))[0]

    def narrow(self) -> None:
        """Let the guest wait once a page waits to be read here."""
        fcntl.fcntl(self._out, fcntl.F_SETPIPE_SZ, 4096)

    def write(self, data: bytes) -> None:
        if self._in is None:
            self._in = os.open(f"{self._path}.in", os.O_WRONLY)
        os.write(self._in, data)

    def close(self) -> None:
        os.close(self._out)
        if self._in is not None:
            os.close(self._in)


class Machine:
    """A running QEMU. Use it as a context manager."""

    def __init__(self, config: Config, paused: bool = False, ram: Path | None = None) -> None:
        """Start QEMU.

        `paused`: stand before the firmware's first instruction until resume(). `ram`: keep RAM in this file, for
        save().
        """
        self.config = config
        self.paused = paused
        self._ram = ram
        self._state: Path | None = None  # the saved state to start from, instead of the firmware's first instruction
        self.raw = b""  # all that came from the serial port
        self.directory = Path(tempfile.mkdtemp(prefix="ankeos-qemu-"))
        self.process: subprocess.Popen | None = None
        self.qmp: QMP
        self._serial: SerialPipe | None = None

    def __enter__(self) -> "Machine":
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        live.append(self)
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self.close()

    def _start(self) -> None:
        if self._state is None and not self.paused and self.config.shares_firmware():
            self._state, self.raw = firmware_state(self.config)
        # QEMU is the side that connects, so nobody waits for a socket to appear.
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.directory / "qmp"))
        listener.listen(1)
        ram = self._ram or (self._state and self._state.with_suffix(".ram"))
        words = [*self.config.arguments(ram, kept=self._ram is not None), "-S", "-qmp", f"unix:{self.directory}/qmp"]
        if self.config.serial:
            self._serial = SerialPipe(self.directory / "serial")
            words += (["-chardev", f"pipe,id=line,path={self.directory}/serial", *self.config.serial_device]
                      if self.config.serial_device else ["-serial", f"pipe:{self.directory}/serial"])
        if self._state is not None:
            words += ["-incoming", "defer"]
        log = open(self.directory / "stderr", "wb")
        with log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory,
                preexec_fn=_die_with_parent)
        self.qmp = QMP(self._accept(listener))
        if self._state is not None:
            self._load(self._state)
        if not self.paused:
            self.resume()

    def _accept(self, listener: socket.socket) -> socket.socket:
        with listener:
            deadline = time.monotonic() + LIMIT
            while time.monotonic() < deadline:
                if select.select([listener], [], [], 0.1)[0]:
                    return listener.accept()[0]
                if self.process is not None and self.process.poll() is not None:
                    break
        raise MachineError(f"QEMU did not start: {self.stderr()}")

    def _load(self, state: Path) -> None:
        """Load the state of a machine with the same words; -kernel and -append are not part of the state."""
        self._leave_ram_out()
        self.qmp.execute("migrate-incoming", uri=f"exec:cat {shlex.quote(str(state))}")
        while self.qmp.execute("query-status")["status"] == "inmigrate":
            time.sleep(0.01)

    def _leave_ram_out(self) -> None:
        """Leave RAM that is in a file out of the state that QEMU writes and reads."""
        self.qmp.execute("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": True}])

    def save(self, state: Path) -> None:
        """Stop the machine, and write all but RAM, which has a file of its own, to a file."""
        self.stop()
        self._leave_ram_out()
        self.qmp.execute("migrate", uri=f"exec:cat >{shlex.quote(str(state))}")
        while (status := self.qmp.execute("query-migrate")["status"]) != "completed":
            if status == "failed":
                raise self.failure("the state could not be saved")
            time.sleep(0.01)

    def stderr(self) -> str:
        return (self.directory / "stderr").read_text(errors="replace")

    def close(self) -> None:
        """End QEMU, by its own process id, and remove what it left."""
        if self in live:
            live.remove(self)
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if self._serial is not None:
            self._serial.close()
        if hasattr(self, "qmp"):
            self.qmp.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- serial ----

    @property
    def text(self) -> str:
        """Return what came from the serial port so far."""
        return plain(self.raw)

    def _read_serial(self, timeout: float) -> bool:
        """Take what waits at the serial port. Returns False when the port is closed: QEMU has ended."""
        if self._serial is None:
            raise MachineError("this machine has no serial port")
        data = self._serial.read(timeout)
        self.raw += data or b""
        return data != b""

    def wait_for(self, pattern: str, since: int = 0, limit: float = LIMIT) -> re.Match:
        """Wait until the serial text from byte `since` on matches the regular expression."""
        deadline = time.monotonic() + limit
        compiled = re.compile(pattern, re.MULTILINE)
        while True:
            match = compiled.search(plain(self.raw[since:]))
            if match:
                return match
            if not self._read_serial(max(0.0, min(1.0, deadline - time.monotonic()))):
                raise self.failure(f"QEMU ended before {pattern!r} came")
            if time.monotonic() > deadline:
                raise self.failure(f"{pattern!r} did not come in {limit:.0f} s")

    def wait_raw(self, size: int) -> None:
        """Wait until so many bytes have come from the serial port."""
        deadline = time.monotonic() + LIMIT
        while len(self.raw) < size:
            if not self._read_serial(max(0.0, min(1.0, deadline - time.monotonic()))):
                raise self.failure("QEMU ended")
            if time.monotonic() > deadline:
                raise self.failure(f"{len(self.raw)} bytes came in {LIMIT:.0f} s, not {size}")

    def wait_exit(self, limit: float = LIMIT) -> str:
        """Wait until QEMU has ended by itself; return the reason that QEMU's SHUTDOWN event gives."""
        reason = self.qmp.wait_event("SHUTDOWN", limit)["data"]["reason"]
        assert self.process is not None
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired as error:
            raise self.failure(f"shutdown ({reason}), but QEMU still runs") from error
        while self._serial is not None and self._read_serial(1.0):
            pass
        return reason

    def send(self, text: str) -> None:
        assert self._serial is not None
        self._serial.write(text.encode())

    def narrow(self) -> None:
        """Let the port take no more than a page from now on before somebody reads; all that waited is read first."""
        assert self._serial is not None
        self._serial.narrow()

    def heard(self) -> str:
        """Return all that has come from the serial port by now."""
        self._read_serial(0)
        return self.text

    def wait_prompt(self, since: int = 0, limit: float = LIMIT) -> None:
        """Wait until the monitor's prompt is the last that came."""
        self.wait_for(rf"^{PROMPT}\Z", since, limit)

    def command(self, line: str) -> str:
        """Type a line at the monitor's prompt; return what it printed, without echo and prompt."""
        since = len(self.raw)
        self.send(line + "\r")
        self.wait_prompt(since)
        output = plain(self.raw[since:])
        return output[output.index("\n") + 1:output.rindex(PROMPT)]

    def failure(self, message: str) -> MachineError:
        """Return an error that shows how the machine was started and what it said."""
        command = " ".join(self.config.arguments())
        ended = None if self.process is None else self.process.poll()
        status = "" if ended is None else f"(ended: {ended}) "
        return MachineError(f"{message}\n--- {command}\n--- serial:\n{self.text}\n--- QEMU: {status}{self.stderr()}")

    # ---- the guest's state, while it is stopped ----

    def stop(self) -> None:
        self.qmp.execute("stop")

    def resume(self) -> None:
        self.qmp.execute("cont")

    def stop_halted(self) -> None:
        """Stop once the first CPU halts, as it does when no task can run.

        Text reaches us before the guest executes what comes after it: a prompt says only that the shell is about to
        read.
        """
        deadline = time.monotonic() + LIMIT
        self.stop()
        while "HLT=1" not in (text := self.qmp.human("info registers")):
            if time.monotonic() > deadline:
                raise self.failure(f"the CPU did not halt in {LIMIT:.0f} s:\n{text}")
            self.resume()
            self.stop()

    def wait_unread(self) -> None:
        """Wait until something has come from the serial port, and leave it unread."""
        assert self._serial is not None
        if not self._serial.holds(LIMIT):
            raise self.failure(f"nothing came in {LIMIT:.0f} s")

    def wait_full(self) -> None:
        """Wait, after narrow(), until the port takes no more, however slowly the host lets QEMU go on."""
        assert self._serial is not None
        deadline = time.monotonic() + LIMIT
        while self._serial.unread() < 4096:
            if time.monotonic() > deadline:
                raise self.failure(f"{self._serial.unread()} bytes came in {LIMIT:.0f} s, and no full page")
            time.sleep(0.01)

    def wait_interrupts_off(self) -> None:
        """Return once the first CPU has had interrupts off for long, as it has when the machine ends."""
        deadline = time.monotonic() + LIMIT
        times = 0
        while times < 50:
            off = not int(re.search(r"\bRFL=([0-9a-f]+)", self.qmp.human("info registers"))[1], 16) & 0x200
            times = times + 1 if off else 0
            if time.monotonic() > deadline:
                raise self.failure(f"the CPU had interrupts on for {LIMIT:.0f} s")

    def read(self, address: int, size: int) -> bytes:
        """Read guest physical memory, as the CPU's bus sees it."""
        path = self.directory / "memory"
        self.qmp.execute("pmemsave", val=address, size=size, filename=str(path))
        return path.read_bytes()

    def registers(self) -> dict[str, int]:
        """Return RIP, RSP, CR0-CR4, EFER and the other registers of the first CPU."""
        text = self.qmp.human("info registers")
        return {name: int(value, 16) for name, value in re.findall(r"\b([A-Z][A-Z0-9]+) ?=([0-9a-f]{8,16})\b", text)}

    def connect_gdb(self) -> str:
        """Open the gdb stub; returns its socket for `target remote`."""
        path = self.directory / "gdb"
        if not path.exists():
            self.qmp.human(f"gdbserver unix:{path},server=on,wait=off")
        return str(path)

    def gdb(self, *commands: str, symbols: Path | None = None) -> str:
        """Run gdb commands against the stopped machine; returns what they print. The machine stays stopped."""
        words = ["gdb", "-nx", "-batch"]
        for command in ("set confirm off", "set architecture i386:x86-64", f"target remote {self.connect_gdb()}",
                        *commands, "disconnect"):
            words += ["-ex", command]
        result = subprocess.run(words + ([str(symbols)] if symbols else []), capture_output=True, text=True,
                                timeout=LIMIT, check=False)
        return result.stdout + result.stderr

    def screendump(self) -> tuple[int, int, bytes]:
        """Return width, height and RGB bytes of the screen."""
        path = self.directory / "screen.ppm"
        self.qmp.execute("screendump", filename=str(path))
        data = path.read_bytes()
        header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
        if header is None:
            raise QMPError("screendump is no PPM file")
        return int(header[1]), int(header[2]), data[header.end():]


def firmware_state(config: Config) -> tuple[Path, bytes]:
    """Return such a machine's state where the firmware starts a boot file, and the serial port's bytes until then."""
    gate = dataclasses.replace(config, boot=GATE, append=GATE_CLOSED, cold=True, exact=False)

    def make(state: Path, ram: Path) -> bytes:
        with Machine(gate, ram=ram) as machine:
            machine.wait_for(re.escape(GATE_SAYS.decode()))
            machine.save(state)
            return machine.raw.removesuffix(GATE_SAYS)

    return saved.obtain(gate.arguments(), (GATE, Path(config.firmware)), make)
