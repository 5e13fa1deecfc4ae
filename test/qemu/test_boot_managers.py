"""The boot file started by others than the firmware: boot managers, a network, and shim with a key of the machine's owner.

Their programs are Debian's. The packages are unpacked into build/managers, not installed.
"""

import shutil
import struct
import subprocess
import uuid

import pytest

from bundles import KERNEL, bundle, disk, fat_image
from contract import BUILD, ROOT
from machine import Config, Machine

REFIND = "timeout 1\ntextonly true\nscanfor manual\nmenuentry ankeos {\n loader /ankeos.efi\n}\n"
GRUB = "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
# The manager's package, its program there, and what lies on its volume: a text, or the boot file for None.
MANAGERS = {
    "systemd-boot": ("systemd-boot-efi", "/usr/lib/systemd/boot/efi/systemd-bootx64.efi",
                     {"loader/loader.conf": "timeout 0\n", "EFI/Linux/ankeos.efi": None}),
    "GRUB": ("grub-efi-amd64-signed", GRUB, {"EFI/debian/grub.cfg": "chainloader /ankeos.efi\nboot\n", "ankeos.efi": None}),
    "rEFInd": ("refind", "/usr/share/refind/refind/refind_x64.efi", {"EFI/BOOT/refind.conf": REFIND, "ankeos.efi": None}),
    "iPXE": ("ipxe", "/boot/ipxe.efi", {}),
}
# iPXE's own program has the network's driver; the firmware has one, too, so the card's ROM is left out.
CARD = "virtio-net-pci,netdev=net,romfile="

# Where shim keeps the owner's keys, as boot services alone can change them (shim's MokVars.txt).
SHIM = uuid.UUID("605dab50-e046-4300-abb6-3dd810dd8b23").bytes_le
NON_VOLATILE, BOOT_SERVICES = 1, 2
# EFI_CERT_X509_GUID (UEFI 2.10, "EFI_SIGNATURE_DATA").
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072").bytes_le
# EDK II's store of variables: its header's GUID, and the headers of store and variable (MdeModulePkg's VARIABLE_STORE_HEADER and
# AUTHENTICATED_VARIABLE_HEADER).
STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le
STORE_HEADER = 28
VARIABLE = struct.Struct("<HBBIQ16sIII")  # then the owner's GUID, the name, the data
IN_USE, ADDED = 0x55AA, 0x3F


def unpacked(package, path):
    """A file of a Debian package."""
    directory = BUILD / "managers" / package
    if not (directory / "tree").exists():
        directory.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "-q", "download", package], cwd=directory, check=True)
        subprocess.run(["dpkg-deb", "-x", next(directory.glob(f"{package}_*.deb")), directory / "part"], check=True)
        (directory / "part").rename(directory / "tree")
    return directory / "tree" / path[1:]


def boot_file(directory):
    return bundle(directory / "ankeos.efi", KERNEL, initrd=BUILD / "initrd.cpio", cmdline="console=ttyS0 init=none",
                  osrel=ROOT / "efi" / "os-release")


def volume(directory, program, files):
    """A disk whose default program is `program`, with these files."""
    paths = {"EFI/BOOT/BOOTX64.EFI": program}
    for number, (name, content) in enumerate(files.items()):
        paths[name] = directory / f"file{number}" if isinstance(content, str) else content
        if isinstance(content, str):
            paths[name].write_text(content)
    return disk(fat_image(directory / "disk.img", paths))


def net(directory, *more):
    """A network that offers ankeos.efi of this directory, and a card."""
    return ("-netdev", f"user,id=net,tftp={directory},bootfile=ankeos.efi", "-device", ",".join((CARD, *more)))


@pytest.mark.slow
@pytest.mark.parametrize("name", MANAGERS)
def test_boot_manager(tmp_path, name):
    """Debian's boot managers, each as docs/bundle.md says."""
    package, path, files = MANAGERS[name]
    boot = boot_file(tmp_path)
    words = volume(tmp_path, unpacked(package, path), {place: boot if text is None else text for place, text in files.items()})
    if not files:
        words += net(tmp_path)
    with Machine(Config(boot=None, cold=True, display=("-vga", "none"), extra=words)) as machine:
        machine.wait_prompt()


@pytest.mark.slow
def test_network(tmp_path):
    """The firmware's own PXE."""
    boot_file(tmp_path)
    with Machine(Config(boot=None, cold=True, display=("-vga", "none"), extra=net(tmp_path, "bootindex=0"))) as machine:
        machine.wait_prompt()


@pytest.mark.slow
def test_linux_of_grub(tmp_path):
    """GRUB's `linux` wants Linux's boot protocol: it refuses the file, and says so."""
    files = {"EFI/debian/grub.cfg": "serial\nterminal_output serial\nlinux /ankeos.efi\n", "ankeos.efi": boot_file(tmp_path)}
    words = volume(tmp_path, unpacked("grub-efi-amd64-signed", GRUB), files)
    with Machine(Config(boot=None, cold=True, display=("-vga", "none"), extra=words)) as machine:
        machine.wait_for("error: invalid magic number")


def add_variable(path, name, attributes, data):
    """Add a variable of shim's behind the last one in a file of OVMF's variables."""
    content = bytearray(path.read_bytes())
    start = content.index(STORE)
    end = start + struct.unpack_from("<I", content, start + len(STORE))[0]
    at = start + STORE_HEADER
    while struct.unpack_from("<H", content, at)[0] == IN_USE:
        *_, name_size, data_size = VARIABLE.unpack_from(content, at)
        at = at + VARIABLE.size + len(SHIM) + name_size + data_size + 3 & ~3
    text = name.encode("utf-16-le") + bytes(2)
    added = VARIABLE.pack(IN_USE, ADDED, 0, attributes, 0, bytes(16), 0, len(text), len(data)) + SHIM + text + data
    assert at + len(added) <= end and set(content[at:at + len(added)]) == {0xff}
    content[at:at + len(added)] = added
    path.write_bytes(content)


def owner(directory):
    """A key, and its certificate as PEM and as a list of signatures for MokList."""
    key, pem, der = directory / "key.pem", directory / "owner.pem", directory / "owner.der"
    subprocess.run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=owner/",
                    "-keyout", key, "-out", pem], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-in", pem, "-outform", "DER", "-out", der], check=True)
    certificate = der.read_bytes()
    size = len(SHIM) + len(certificate)
    return key, pem, struct.pack("<16sIII", X509, 28 + size, 0, size) + SHIM + certificate


@pytest.mark.slow
@pytest.mark.parametrize("trusted", (True, False), ids=("trusted", "not trusted"))
def test_shim(tmp_path, trusted):
    """Signed by an owner whose key is in MokList it boots, with its own command line; by anybody else it does not start."""
    key, pem, signatures = owner(tmp_path)
    shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.ms.fd", tmp_path / "vars.fd")
    if trusted:
        add_variable(tmp_path / "vars.fd", "MokList", NON_VOLATILE | BOOT_SERVICES, signatures)
    boot = boot_file(tmp_path)
    signed = tmp_path / "signed.efi"
    subprocess.run(["sbsign", "--key", key, "--cert", pem, "--output", signed, boot], check=True, capture_output=True)
    # shim starts what lies beside it under GRUB's name.
    words = volume(tmp_path, unpacked("shim-signed", "/usr/lib/shim/shimx64.efi.signed"), {"EFI/BOOT/grubx64.efi": signed})
    flash = ("-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
             "-drive", f"if=pflash,format=raw,unit=1,file={tmp_path}/vars.fd",
             "-global", "ICH9-LPC.disable_s3=1", "-global", "driver=cfi.pflash01,property=secure,value=on")
    with Machine(Config(boot=None, cold=True, machine="q35,smm=on", display=("-vga", "none"), extra=flash + words)) as machine:
        if trusted:
            machine.wait_prompt()
        else:
            machine.wait_for("Verification failed: .* Security Violation")
            assert "AnkeOS" not in machine.text
