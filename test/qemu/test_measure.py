"""Test measured boot: what the loader extends a TPM by, against systemd's own prediction.

The TPM is swtpm, whose log of commands tells what has reached it.
"""

import contextlib
import gzip
import hashlib
import json
import re
import subprocess
import time

from bundles import KERNEL, bundle, from_volume
from contract import BUILD, ROOT
from machine import LIMIT, Config, Machine

DEFAULT = BUILD / "initrd.cpio"
MEASURE = "/lib/systemd/systemd-measure"
PCR_EXTEND = bytes.fromhex("00000182")
SHA256, DIGEST_SIZES = 0x000b, {0x0004: 20, 0x000b: 32, 0x000c: 48, 0x000d: 64, 0x0012: 32}
SECTIONS, OPTIONS, ARCHIVES = 11, 12, 9


@contextlib.contextmanager
def tpm(directory):
    """Start a TPM for one machine; give QEMU's words for it, and the file that gets its log."""
    (directory / "tpm").mkdir()
    log, socket = directory / "tpm.log", directory / "tpm.socket"
    with subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={directory}/tpm", "--ctrl",
                           f"type=unixio,path={socket}", "--flags", "not-need-init", "--log",
                           f"level=20,file={log}"]) as process:
        try:
            deadline = time.monotonic() + LIMIT
            while not socket.exists():
                assert process.poll() is None and time.monotonic() < deadline, "swtpm did not start"
                time.sleep(0.01)
            yield ("-chardev", f"socket,id=tpm,path={socket}", "-tpmdev", "emulator,id=tpm,chardev=tpm",
                   "-device", "tpm-tis,tpmdev=tpm"), log
        finally:
            process.kill()


def commands(log):
    """Return the bytes of each command that the TPM got."""
    text = log.read_text(errors="replace")
    for lines in re.findall(r"SWTPM_IO_Read: length \d+\n((?:\s*(?:[0-9A-Fa-f]{2} ?)+\n)+)", text):
        yield bytes.fromhex(lines)


def extended(log, wanted):
    """Return the value of a PCR of SHA-256 after all that the log has, and how often it was extended."""
    value, count = bytes(32), 0
    for command in commands(log):
        if command[6:10] != PCR_EXTEND or int.from_bytes(command[10:14], "big") != wanted:
            continue
        at = 18 + int.from_bytes(command[14:18], "big")  # behind the authorization
        banks, at = int.from_bytes(command[at:at + 4], "big"), at + 4
        for _ in range(banks):
            bank = int.from_bytes(command[at:at + 2], "big")
            digest = command[at + 2:at + 2 + DIGEST_SIZES[bank]]
            at += 2 + len(digest)
            if bank == SHA256:
                value, count = hashlib.sha256(value + digest).digest(), count + 1
    return value.hex(), count


def after(*measured):
    """Return the value of a PCR that has been extended by these bytes, one after another."""
    value = bytes(32)
    for data in measured:
        value = hashlib.sha256(value + hashlib.sha256(data).digest()).digest()
    return value.hex()


def predicted(directory, **sections):
    """Return PCR 11 as systemd-measure foretells it, before any phase of the system that starts."""
    words = [MEASURE, "calculate", "--bank=sha256", "--phase=:", "--json=short"]
    for name, content in sections.items():
        (directory / name).write_bytes(content)
        words.append(f"--{name}={directory / name}")
    return json.loads(subprocess.run(words, check=True, capture_output=True).stdout)["sha256"][0]["hash"]


def test_sections(tmp_path):
    """PCR 11 is what systemd foretells for the boot file's sections; nothing else is measured."""
    cmdline, osrel = "console=ttyS0 init=none", ROOT / "efi" / "os-release"
    path = bundle(tmp_path / "boot.efi", KERNEL, initrd=DEFAULT, cmdline=cmdline, osrel=osrel, uname="1")
    with tpm(tmp_path) as (words, log):
        with Machine(Config(boot=path, display=("-vga", "none"), extra=words)) as machine:
            machine.wait_for(r"^measured boot: the TPM's PCR 11 has the boot file$")
        assert extended(log, SECTIONS) == (predicted(
            tmp_path, linux=KERNEL.read_bytes(), osrel=osrel.read_bytes(), cmdline=cmdline.encode(),
            initrd=DEFAULT.read_bytes()), 8)
        assert extended(log, OPTIONS)[1] == extended(log, ARCHIVES)[1] == 0


def test_options_and_archives(tmp_path):
    """PCR 12 has the words of the firmware, in UTF-16 with a NUL, and PCR 9 the file that initrd= names."""
    options, archive = "console=ttyS0 init=none initrd=/sub/one.cpio", gzip.compress(DEFAULT.read_bytes())
    with tpm(tmp_path) as (words, log):
        with from_volume(tmp_path, f"ankeos.efi {options}", *words, one=archive) as machine:
            machine.wait_for(r"^measured boot: the TPM's PCR 11 has the boot file, PCR 12 the command line, "
                             r"PCR 9 the archives from outside$")
        assert extended(log, OPTIONS) == (after((options + "\0").encode("utf-16-le")), 1)
        assert extended(log, ARCHIVES) == (after(archive + bytes(-len(archive) % 4096)), 1)
