"""Test initial file systems that users make: joined, packed, by other tools, from outside; and those that cannot be used."""

import gzip
import hashlib
import lzma
import shutil
import subprocess

import pytest
from bundles import KERNEL, bundle, from_volume
from contract import BUILD, ROOT
from machine import Config, Machine

DEFAULT = BUILD / "initrd.cpio"
CONTENT = b"0123456789abcdef" * 1000
PATH_MOST = 510  # UTF-16 units of a path that initrd= names
HELLO = b"#!/bin/sh\necho hello from $0 with $#\n"


def boot(directory, *archives, options="", command="", memory="512M"):
    """Boot a machine with these archives, one after another; `command` runs instead of the session."""
    (directory / "initrd").write_bytes(b"".join(archives))
    path = bundle(directory / "initrd.efi", KERNEL, initrd=directory / "initrd",
                  cmdline=f"console=ttyS0 quiet {options}" + (f" -- {command}" if command else ""))
    return Machine(Config(boot=path, display=("-vga", "none"), memory=memory))


def make(directory, *words):
    subprocess.run([ROOT / "scripts" / "mkinitrd", "-o", directory / "out.cpio", *words], check=True)
    return (directory / "out.cpio").read_bytes()


def hello(directory):
    (directory / "hello").write_bytes(HELLO)
    (directory / "hello").chmod(0o755)
    return make(directory, f"bin/hello={directory}/hello")


@pytest.mark.parametrize("packed", ("neither", "first", "second", "both"))
def test_joined_and_packed(tmp_path, packed):
    """A program is joined to the default archive, as docs/userland.md says; each of the two is plain or packed."""
    first, second = DEFAULT.read_bytes(), hello(tmp_path)
    if packed in ("first", "both"):
        first = gzip.compress(first)
    if packed in ("second", "both"):
        second = gzip.compress(second)
    with boot(tmp_path, first, second, command="hello to you") as machine:
        machine.wait_for(r"^hello from /bin/hello with 2$")
        assert machine.wait_exit() == "guest-shutdown"


def test_a_directory(tmp_path):
    """All that lies in a directory arrives: modes, owners, times, links of both kinds, pipes; devices are added to it."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "file").write_bytes(CONTENT)
    (root / "sub" / "file").chmod(0o640)
    (root / "another").hardlink_to(root / "sub" / "file")
    (root / "link").symlink_to("sub/file")
    subprocess.run(["mkfifo", "-m", "600", root / "pipe"], check=True)
    subprocess.run(["touch", "-d", "@1000000000", root / "another"], check=True)
    archive = make(tmp_path, f"test={root}", "test/disk=b:8:17", "test/empty/")
    with boot(tmp_path, DEFAULT.read_bytes(), archive) as machine:
        machine.wait_for(r"^/root # \Z")
        for command, expected in (
                ("cd /test; stat -c '%a %u:%g %h %Y %s %F' another sub/file",
                 r"640 0:0 2 1000000000 16000 regular file\n640 0:0 2 1000000000 16000 regular file"),
                ("md5sum <link; echo x >>another; wc -c <sub/file",
                 f"{hashlib.md5(CONTENT).hexdigest()}  -\n16002"),
                ("readlink link; stat -c '%a %F' pipe; stat -c '%F %t,%T' disk",
                 "sub/file\n600 fifo\nblock special file 8,11")):
            since = len(machine.raw)
            machine.send(command + "\n")
            machine.wait_for(rf"^{expected}\n/test # \Z", since)


def test_of_cpio(tmp_path):
    """An archive by cpio(1), whose files start at any address, packed by gzip(1), can be used."""
    (tmp_path / "hello").write_bytes(HELLO)
    (tmp_path / "hello").chmod(0o755)
    packed = subprocess.run("echo hello | cpio -o -H newc --quiet | gzip -9", shell=True, cwd=tmp_path,
                            capture_output=True, check=True).stdout
    with boot(tmp_path, packed, DEFAULT.read_bytes(), command="/hello") as machine:
        machine.wait_for(r"^hello from /hello with 0$")


UNUSABLE = {
    "xz": (lambda data: lzma.compress(data, preset=0), "the archive is compressed with xz: only gzip's"),
    "zstd": (lambda data: b"\x28\xb5\x2f\xfd" + data[:5000], "the archive is compressed with zstd: only gzip's"),
    "nothing": (lambda data: b"garbage" + data[:5000], "no newc header"),
    "cut": (lambda data: gzip.compress(data)[:100000], "gzip: the compressed data ends early, at offset 0"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable(tmp_path, name):
    """For an archive that cannot be used a line says what is wrong; without a first program the monitor starts."""
    change, complaint = UNUSABLE[name]
    with boot(tmp_path, change(DEFAULT.read_bytes())) as machine:
        machine.wait_prompt()
        machine.wait_for(complaint)


def test_damaged(tmp_path):
    """A wrong checksum, which comes last, is reported; its file has been unpacked by then, and the first program starts."""
    packed = gzip.compress(DEFAULT.read_bytes())
    with boot(tmp_path, packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:], command="echo it runs") as machine:
        machine.wait_for(r"^initramfs: gzip: the checksum is wrong, at offset 0$")
        machine.wait_for(r"^it runs$")


def test_too_large(tmp_path):
    """Of an archive too large for memory the log says what is left out; the file that has no room gives its memory back."""
    with open(tmp_path / "large", "wb") as file:
        file.truncate(200 << 20)
    with boot(tmp_path, gzip.compress(make(tmp_path, f"large={tmp_path}/large"), 1), memory="128M") as machine:
        machine.wait_prompt()
        machine.wait_for(r"^initramfs: no memory for a file's content, at offset 0x[0-9a-f]+ of what was unpacked$")
        machine.wait_for(r"^initramfs: [0-9.]+ KiB of the archives are not unpacked; [0-9]{2,3}(\.[0-9])? MiB are free$")
        assert "audit" in machine.command("help")


def test_what_does_not_fit(tmp_path):
    """An entry that does not fit is passed over with a line, and the rest comes; so is an rdinit= that cannot start."""
    (tmp_path / "broken").write_text("#!/none\n")
    (tmp_path / "broken").chmod(0o755)
    bad = make(tmp_path, f"etc={tmp_path}/broken").replace(b"00000000etc\0", b"00000000bin\0")
    good = make(tmp_path, f"broken={tmp_path}/broken", "sbin/init=t:no program")
    with boot(tmp_path, DEFAULT.read_bytes(), bad, good, options="rdinit=/broken",
              command='-c "echo $0 runs; dmesg | grep initramfs:"') as machine:
        machine.wait_for(r"^init: /broken: .*/none.*, error \d+; tried next: /sbin/init$")
        machine.wait_for(r"^init: /sbin/init: .*, error \d+; tried next: /bin/sh$")
        machine.wait_for(r"^/bin/sh runs$")
        machine.wait_for(r"initramfs: bin, at offset 0x[0-9a-f]+: passed over: a directory that is not empty has its name$")


def saying(directory, text):
    """Return an archive whose /bin/hello says this."""
    (directory / "hello").write_text(f"#!/bin/sh\necho {text}; dmesg | grep 'initramfs:'; poweroff -f\n")
    (directory / "hello").chmod(0o755)
    return make(directory, f"bin/hello={directory}/hello")


def test_files_of_the_command_line(tmp_path):
    """Two initrd= add files to the boot file's own archives, in order: the second file's program counts.

    The second path is nearly as long as the firmware's FAT driver takes, which is 260 units.
    """
    first, second = saying(tmp_path, "first"), gzip.compress(saying(tmp_path, "second"))
    path = "/sub" + r"\." * 120 + r"\last.cpio"
    with from_volume(tmp_path, f"ankeos.efi console=ttyS0 initrd=/sub/one.cpio initrd={path} -- hello",
                     one=first, last=second) as machine:
        machine.wait_for(r"^second$")
        machine.wait_for(r"initramfs: \d+ KiB more from the files of initrd=$")
        assert machine.wait_exit() == "guest-shutdown"


def test_a_file_that_is_not_there(tmp_path):
    """For a file that is not there the loader names it, and goes back to the shell. A directory is no file.

    A path that is too long is not cut off. A path of PATH_MOST units is refused by the firmware, whose FAT driver takes
    260. Messages have the whole path.
    """
    longest = "/sub/one.cpio".ljust(PATH_MOST, "/")
    lines = ("ankeos.efi initrd=/none.cpio", "ankeos.efi quiet initrd=/sub", f"ankeos.efi quiet initrd={longest}",
             f"ankeos.efi quiet initrd={longest}/", "echo back %lasterror%")
    with from_volume(tmp_path, "\r\n".join(lines), one=b"") as machine:
        machine.wait_for(r"^ankeos: initrd=/none\.cpio: not on the volume of the boot file: 0x800000000000000e")
        machine.wait_for(r"^ankeos: initrd=/sub: no file with a size: 0x8000000000000002")
        machine.wait_for(rf"^ankeos: initrd={longest}: not on the volume of the boot file: 0x8000000000000002")
        machine.wait_for(rf"^ankeos: initrd=: more than 510 UTF-16 units: {longest}/")
        machine.wait_for(r"^back 0x")


def test_what_a_boot_manager_offers(tmp_path):
    """Archives offered by LoadFile2 are used, as systemd-boot and GRUB offer them to Linux; initrd= is then ignored."""
    with from_volume(tmp_path, "hostile.efi offer boot console=ttyS0 initrd=/none.cpio -- hello",
                     offered=saying(tmp_path, "offered")) as machine:
        machine.wait_for(r"^offered$")
        machine.wait_for(r"initramfs: \d+ KiB more from the boot manager$")
        assert machine.wait_exit() == "guest-shutdown"


def test_a_lying_offer(tmp_path):
    """An offer that ends before the size that it claims is an error; the loader goes back to the program that started it."""
    with from_volume(tmp_path, "hostile.efi lie boot quiet") as machine:
        machine.wait_for(r"^ankeos: the boot manager's initrd: 5000 of 5000 bytes: 0x8000000000000007")
        machine.wait_for(r"^hostile: Load Error")


def secure_boot(directory):
    """Return QEMU's words for firmware with Secure Boot on, and Debian's test keys enrolled."""
    shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd", directory / "vars.fd")
    return ("-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
            "-drive", f"if=pflash,format=raw,unit=1,file={directory}/vars.fd",
            "-global", "ICH9-LPC.disable_s3=1", "-global", "driver=cfi.pflash01,property=secure,value=on")


def sign(directory, path):
    """Sign the file by Debian's test key, whose pass phrase is in the package's documentation."""
    key, signed = directory / "key.pem", path.with_suffix(".signed.efi")
    subprocess.run(["openssl", "rsa", "-in", "/usr/share/ovmf/PkKek-1-snakeoil.key", "-passin", "pass:snakeoil", "-out",
                    key], check=True, capture_output=True)
    subprocess.run(["sbsign", "--key", key, "--cert", "/usr/share/ovmf/PkKek-1-snakeoil.pem", "--output", signed, path],
                   check=True, capture_output=True)
    return signed


@pytest.mark.parametrize("signed", (True, False), ids=("signed", "unsigned"))
def test_secure_boot(tmp_path, signed):
    """The signed file boots without LoadOptions and initrd=, which no signature covers; the unsigned one does not start."""
    path = bundle(tmp_path / "boot.efi", KERNEL, initrd=DEFAULT, cmdline="console=ttyS0 init=none initrd=/x.cpio")
    config = Config(boot=sign(tmp_path, path) if signed else path, machine="q35,smm=on", append="loglevel=7",
                    display=("-vga", "none"), extra=secure_boot(tmp_path))
    with Machine(config) as machine:
        if not signed:
            machine.wait_for(r"Security Violation")
            assert "ankeos" not in machine.text.lower()
            return
        machine.wait_prompt()
        machine.wait_for(r"^command line: the firmware's LoadOptions are left aside: Secure Boot is on$")
        machine.wait_for(r"^initramfs: what the boot manager or initrd= offers is left aside: Secure Boot is on$")
