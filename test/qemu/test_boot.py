"""Start the boot file as firmware does, on machines of several kinds; each must reach the monitor.

test_machines.py has more. All of these machines run the firmware from its first instruction, while most tests of other
files start where a saved machine has got to (machine.py).
"""

import re

import pytest
from bundles import PT_LOAD, Elf, bundle, disk, fat_image
from contract import BUILD
from guest import Guest
from keys import type_text
from machine import BOOT_FILE, PROMPT, Config, Machine
from screen import wait_for_text

MACHINES = {
    "ramfb": Config(display=("-vga", "none", "-device", "ramfb"), cold=True),
    "four CPUs, no PAT": Config(cpu="max,la57=off,-pat", display=("-vga", "none"), extra=("-smp", "4"), cold=True),
    "RAM above 4 GiB": Config(memory="2G", machine="q35,smm=off,max-ram-below-4g=128M", display=("-vga", "none")),
}
U_BOOT = "/usr/lib/u-boot/qemu-x86_64/u-boot.rom"


@pytest.mark.parametrize("name", MACHINES)
def test_reaches_the_monitor(name):
    """The prompt comes, commands work, and the live tables are as specified on each machine."""
    with Machine(MACHINES[name]) as machine:
        machine.wait_prompt()
        assert "audit" in machine.command("help")
        guest = Guest(machine)
        complaints = guest.complaints()
        assert not complaints, "\n" + "\n".join(complaints)
        assert bool(guest.info.field("framebuffer.size")) == (machine.config.display != ("-vga", "none"))


def test_reaches_the_shell():
    """A boot from a disk, as users do it, with the boot file's own command line: the shell comes, the map is right."""
    shell = r"^/root # \Z"
    with Machine(Config(boot=None, display=("-vga", "none"), extra=disk(BUILD / "ankeos.img"))) as machine:
        machine.wait_for(shell)
        since = len(machine.raw)
        machine.send("cat /sys/kernel/ankeos/audit\n")
        machine.wait_for(r"^audit: kernel context: 0 W\+X, 0 user, 0 stray global, 0 outside the map;", since)
        machine.wait_for(shell, since)
        machine.send("exit\n")
        assert machine.wait_exit() == "guest-shutdown"


@pytest.mark.parametrize(("machine", "device", "end"), [
    ("pc,smm=off", "virtio-blk-pci", "guest-shutdown"),
    # Here U-Boot has placed no PM1 block, and its ResetSystem() restarts: nothing can turn this machine off.
    ("q35,smm=off", "ide-hd", "guest-reset"),
], ids=("pc", "q35"))
def test_u_boot(tmp_path, machine, device, end):
    """The boot works under a firmware that lacks what OVMF has: SSE, interrupts, tables in their places."""
    shell = r"^/root # \Z"
    image = fat_image(tmp_path / "disk.img", {"EFI/BOOT/BOOTX64.EFI": BOOT_FILE})
    with Machine(Config(boot=None, machine=machine, display=("-vga", "none"), firmware=U_BOOT,
                        extra=disk(image, device))) as guest:
        guest.wait_for(shell)
        assert "LoadOptions are left aside: root= names a disk" in guest.text
        since = len(guest.raw)
        guest.send("cat /sys/kernel/ankeos/audit\n")
        guest.wait_for(r"^audit: kernel context: 0 W\+X, 0 user, 0 stray global, 0 outside the map;", since)
        guest.wait_for(r"^audit: firmware context: 0 W\+X, 0 user,", since)
        guest.wait_for(shell, since)
        guest.send("exit\n")
        assert guest.wait_exit() == end


@pytest.mark.parametrize("display", [("-vga", "std"), ("-vga", "none", "-device", "ramfb")], ids=("std", "ramfb"))
def test_without_a_serial_port(display):
    """The screen shows the prompt; the keyboard works; nobody waits for a port that is not there."""
    with Machine(Config(serial=False, display=display)) as machine:
        shown = wait_for_text(machine, PROMPT.strip())
        assert "audit: kernel context: 0 W+X" in shown
        type_text(machine, "walk 0\n")
        shown = wait_for_text(machine, "not mapped")
        assert re.search(r"PML4E\[ *0\] 0x0{16} not present", shown), shown


def test_screen_and_serial_say_the_same():
    """What the serial port got, the screen shows, as far as it has rows; at boot a picture besides (test_map.py)."""
    with Machine(Config(cold=True)) as machine:
        machine.wait_prompt()
        machine.command("help")
        wanted = machine.text.splitlines()[-10:]
        shown = wait_for_text(machine, f"{wanted[-2].strip()}\n{PROMPT.strip()}").splitlines()
        assert [line.rstrip() for line in shown[-10:]] == [line.rstrip() for line in wanted]


def test_entropy_reaches_the_kernel():
    """A seed from the firmware's random-number protocol, another one in each boot; none without a device."""
    extra = ("-device", "virtio-rng-pci")
    seeds = []
    for _ in range(2):
        with Machine(Config(display=("-vga", "none"), extra=extra, cold=True)) as machine:
            machine.wait_prompt()
            info = Guest(machine).info
            assert info.seed_size == 32
            seeds.append(info.seed())
    assert seeds[0] != seeds[1] and len(set(seeds[0])) > 8


def test_options_of_the_firmware():
    """LoadOptions replace the bundled command line; `quiet` leaves only the prompt."""
    options = "quiet panic=1 word=\"a b\" init=none"
    with Machine(Config(display=("-vga", "none"), append=options, cold=True)) as machine:
        machine.wait_prompt()
        assert machine.text.strip() == PROMPT.strip()
        guest = Guest(machine)
        assert guest.machine.read(guest.info.cmdline, guest.info.cmdline_size).decode() == options


def test_segments_that_end_inside_a_page(tmp_path):
    """File pages that are not whole get frames of their own, the rest zeroed; nothing but a kernel is bundled."""
    kernel = Elf()
    for header in kernel.headers():
        content = bytes(kernel.content[header["offset"]:header["offset"] + header["filesz"]])
        if header["type"] == PT_LOAD and len(content.rstrip(b"\0")) < len(content):
            kernel.change(header, filesz=len(content.rstrip(b"\0")))
    assert any(h["type"] == PT_LOAD and h["filesz"] % 4096 for h in kernel.headers())
    boot = bundle(tmp_path / "boot.efi", bytes(kernel.content))
    with Machine(Config(boot=boot, display=("-vga", "none"), cold=True)) as machine:
        machine.wait_prompt()
        guest = Guest(machine)
        complaints = guest.complaints() + guest.image_complaints()
        assert not complaints, "\n" + "\n".join(complaints)
        assert guest.info.initrd_size == 0 and guest.info.cmdline_size == 0


def test_talkative_loader():
    """loglevel=7: the loader tells its steps, and the kernel still boots."""
    with Machine(Config(display=("-vga", "none"), append="loglevel=7", cold=True)) as machine:
        machine.wait_prompt()
        assert re.search(r"^ankeos: kernel at ", machine.text, re.MULTILINE)
