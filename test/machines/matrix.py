"""Tries one row of the matrix of machines (rows.py): builds its boot file and its disk, starts it, types, looks, turns it off."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import rows
from bundles import KERNEL, bundle, disk, fat_image
from contract import BUILD
from guest import Guest
from keys import type_text
from machine import PROMPT, Config, Machine, MachineError
from qmp import QMPError
from screen import wait_for_text

PLACE = BUILD / "machines"
CONSOLES = "console=ttyS0 console=tty0"
SHELL = r"^/root # \Z"
AUDIT = "cat /sys/kernel/ankeos/audit"
SOUND = r"audit: kernel context: 0 W\+X, 0 user, 0 stray global, 0 outside the map;"


class SeenGuest(Guest):
    """A guest whose CPU's features come from QEMU, whatever its model."""

    def largest_page(self) -> int:
        cpu = self.machine.qmp.execute("query-cpus-fast")[0]["qom-path"]
        return 1 << (30 if self.machine.qmp.execute("qom-get", path=cpu, property="pdpe1gb") else 21)


def cmdline(row: rows.Row) -> str:
    words = row.words if "console=" in row.words else f"{CONSOLES} {row.words}"
    return f"{words} monitor".strip()


def boot_file(row: rows.Row) -> Path:
    """A file with the row's command line: made once for each."""
    words = cmdline(row)
    path = PLACE / f"{hashlib.sha1(words.encode()).hexdigest()[:8]}.efi"
    if not path.exists():
        bundle(path.with_suffix(".new"), KERNEL, initrd=BUILD / "initrd.cpio", cmdline=words).rename(path)
    return path


def start_words(row: rows.Row, path: Path) -> tuple[Path | None, tuple[str, ...]]:
    """What QEMU hands over itself, and the words for all else that the file may be on."""
    if row.start == "kernel":
        return path, ()
    if row.start.startswith("network "):
        return None, ("-netdev", f"user,id=n,tftp={path.parent},bootfile={path.name}", "-device",
                      f"{row.start.split()[1]},netdev=n,bootindex=0")
    image = path.with_suffix(".img")
    if not image.exists():
        fat_image(path.with_suffix(".imgnew"), {"EFI/BOOT/BOOTX64.EFI": path}).rename(image)
    before, device = rows.DISKS[row.start]
    return None, (*before, *disk(image, device))


def firmware_words(row: rows.Row, directory: Path) -> tuple[str, ...]:
    if row.firmware not in rows.FIRMWARES:
        return ()
    code, variables, smm = rows.FIRMWARES[row.firmware]
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(f"/usr/share/OVMF/{variables}", directory / "vars.fd")
    words = ("-drive", f"if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/{code}",
             "-drive", f"if=pflash,format=raw,unit=1,file={directory}/vars.fd")
    return words + ("-global", "ICH9-LPC.disable_s3=1", "-global", "driver=cfi.pflash01,property=secure,value=on") * smm


def config_of(row: rows.Row, path: Path, directory: Path) -> Config:
    boot, words = start_words(row, path)
    plain = row.serial == rows.Row.serial
    return Config(memory=mebibytes(row.memory), cpu=row.cpu, machine=row.machine, boot=boot, display=row.screen, cold=True,
                  firmware=row.firmware if row.firmware == rows.U_BOOT else Config.firmware,
                  serial=bool(row.serial), serial_device=() if plain else row.serial,
                  extra=(*firmware_words(row, directory), *words, *row.extra))


def mebibytes(size: str) -> str:
    return size if size[:-1].isdigit() and size[-1] in "MGT" else f"{size}M"


def try_by_serial(row: rows.Row, machine: Machine) -> None:
    """A machine with a serial port, from the prompt on."""
    machine.wait_for(r"^/root # ")
    if row.keyboard == "usb":
        # Found beside the first program; what is typed before that is lost.
        machine.wait_for(r"USB \S+: \S+, keyboard$")
        machine.send("\n")
    machine.wait_for(SHELL)
    since = len(machine.raw)
    machine.send(AUDIT + "\n")
    machine.wait_for("^" + SOUND, since)
    machine.wait_for(SHELL, since)
    if row.keyboard and ("tty0" in cmdline(row)):
        since = len(machine.raw)
        type_text(machine, "echo Ty''ped\n")
        machine.wait_for("^Typed\n", since)
        machine.wait_for(SHELL, since)
    since = len(machine.raw)
    machine.send("exit\n")
    machine.wait_prompt(since)
    if row.walk:
        guest = SeenGuest(machine)
        complaints = guest.complaints()
        if bool(guest.info.field("framebuffer.size")) != (row.screen not in rows.UNSEEN_SCREENS):
            complaints.append(f"framebuffer of {guest.info.field('framebuffer.size')} bytes with {' '.join(row.screen)}")
        machine.resume()
        if complaints:
            raise MachineError("from outside: " + "; ".join(complaints[:5]))
    machine.send("poweroff\r")


def try_by_screen(machine: Machine) -> None:
    """A machine with a screen and a keyboard alone."""
    wait_for_text(machine, "/root #")
    type_text(machine, AUDIT + "\n")
    wait_for_text(machine, "0 W+X, 0 user")
    type_text(machine, "exit\n")
    wait_for_text(machine, PROMPT.strip())
    type_text(machine, "poweroff\n")


def run(row: rows.Row, path: Path) -> str:
    """What is wrong with the row; "" when nothing is."""
    directory = PLACE / hashlib.sha1(row.name.encode()).hexdigest()[:12]
    try:
        if row.limit and not row.says:
            return ""
        with Machine(config_of(row, path, directory)) as machine:
            if row.limit:
                machine.wait_for(re.escape(row.says))
                return ""
            if row.serial:
                try_by_serial(row, machine)
            else:
                try_by_screen(machine)
            end = machine.wait_exit()
            return "" if end == row.ends else f"ended by {end}, not {row.ends}"
    except (AssertionError, OSError, QMPError) as error:
        (PLACE / f"{directory.name}.log").write_text(f"{row.name}\n{error}\n")
        return f"{str(error).splitlines()[0]} ({PLACE / directory.name}.log)"
    finally:
        shutil.rmtree(directory, ignore_errors=True)
