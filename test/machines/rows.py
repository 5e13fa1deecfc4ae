"""The matrix of machines: one row for each machine that the boot file must work on.

A row is a name and what differs from the plain machine: QEMU's q35 with OVMF, 512 MiB, a screen, a PS/2 keyboard and the
first serial port. Rows are written as groups, of which each varies one thing, and pairs of things that meet in firmware.
A row that cannot pass has a `limit`: whose limit it is, and with `says` what must be there all the same.
"""

from __future__ import annotations

import dataclasses
import re

U_BOOT = "/usr/lib/u-boot/qemu-x86_64/u-boot.rom"
SHUTDOWN, RESET = "guest-shutdown", "guest-reset"


@dataclasses.dataclass(frozen=True)
class Row:
    """A machine, and how it is started, typed at and turned off."""

    name: str
    cpu: str = "max,la57=off"
    memory: str = "512M"
    machine: str = "q35,smm=off"
    firmware: str = ""              # "": OVMF in one file; a name of FIRMWARES; U_BOOT
    start: str = "kernel"           # "kernel": QEMU hands the file over; else the device that a disk with it is at
    screen: tuple[str, ...] = ("-vga", "std")
    keyboard: str = "ps2"           # what is typed at besides the serial port: "ps2", "usb", "" for nothing
    serial: tuple[str, ...] = ("-serial", "")  # () is none; else QEMU's words for a device at character device "line"
    words: str = ""                 # on the kernel's command line
    extra: tuple[str, ...] = ()
    ends: str = SHUTDOWN
    limit: str = ""                 # whose limit it is that this row does not come to a prompt
    says: str = ""                  # what the serial port says then; "": nothing is looked at
    walk: bool = True               # the tables are walked from outside, and compared with the firmware's map


# Debian's OVMF in its variants: code, variables, and whether it needs system management mode.
FIRMWARES = {
    "2M": ("OVMF_CODE.fd", "OVMF_VARS.fd", False),
    "4M": ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", False),
    "2M secboot": ("OVMF_CODE.secboot.fd", "OVMF_VARS.fd", True),
    "4M secboot": ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", True),
    "4M Microsoft keys": ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd", True),
    "4M own keys": ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.snakeoil.fd", True),
}
ENFORCING = ("4M Microsoft keys", "4M own keys")
SECURE_BOOT = "Secure Boot's: the file is not signed with a key of this firmware"
SMM = "q35,smm=on"

# The 64-bit models of QEMU 7.2, oldest first.
CPUS = (
    "qemu64", "kvm64", "Opteron_G1", "Opteron_G2", "Opteron_G3", "Opteron_G4", "Opteron_G5", "phenom", "core2duo", "Conroe",
    "Penryn", "Nehalem", "Nehalem-IBRS", "Westmere", "Westmere-IBRS", "SandyBridge", "SandyBridge-IBRS", "IvyBridge",
    "IvyBridge-IBRS", "Haswell", "Haswell-noTSX", "Haswell-IBRS", "Broadwell", "Broadwell-noTSX", "Broadwell-IBRS",
    "Skylake-Client", "Skylake-Client-IBRS", "Skylake-Client-noTSX-IBRS", "Skylake-Server", "Skylake-Server-IBRS",
    "Skylake-Server-noTSX-IBRS", "Cascadelake-Server", "Cascadelake-Server-noTSX", "Cooperlake", "Icelake-Server",
    "Icelake-Server-noTSX", "Snowridge", "KnightsMill", "Denverton", "EPYC", "EPYC-IBPB", "EPYC-Rome", "EPYC-Milan", "Dhyana",
    "max",
)
# XSAVE without XSAVEOPT, XSAVEC and XSAVES: QEMU 7.2 then takes CR4.OSXSAVE as reserved, and stands still at the write.
NO_OSXSAVE = "QEMU's: it emulates no CPU that has XSAVE alone"
# Features that some setup or hypervisor takes away, alone or together.
WITHOUT = (
    "-pat", "-apic", "-x2apic", "-pge", "-pdpe1gb", "-xsave", "-fsgsbase", "-smep", "-smap", "-umip", "-rdtscp", "-erms",
    "-rdrand", "-rdseed", "-pku", "-mce", "-mtrr", "-hypervisor", "-sse4.2", "-popcnt", "-cx16", "-invtsc",
    "-pat,-pge,-pdpe1gb", "-smep,-smap,-umip", "-apic,-pat,-pge", "level=1", "level=3", "level=6", "level=6,+xsave", "level=0xd",
    "xlevel=0x80000001", "xlevel=0x80000004", "phys-bits=36", "phys-bits=39", "phys-bits=46", "phys-bits=52",
    "vendor=CentaurHauls", "vendor=GenuineIntel", "vendor=HygonGenuine", "family=15,model=4", "family=6,model=0x97",
)
MEMORY = ("64M", "65M", "72M", "80M", "96M", "127M", "128M", "192M", "255M", "256M", "384M", "768M", "1G", "1536M", "2G", "2047M",
          "2560M", "3G", "3071M", "4G", "5G", "8G", "16G", "32G", "64G", "128G", "256G")
# RAM, and how much of it lies below 4 GiB: most of it is above then.
SPLIT = (("1G", "64M"), ("1G", "128M"), ("2G", "256M"), ("3G", "512M"), ("4G", "1G"), ("8G", "128M"), ("16G", "3G"))
CHIPSETS = (*(f"pc-i440fx-{version}" for version in ("2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "3.0",
                                                       "3.1", "4.0", "4.1", "4.2", "5.0", "5.1", "5.2", "6.0", "6.1", "6.2",
                                                       "7.0", "7.1", "7.2")),
            *(f"pc-q35-{version}" for version in ("2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "3.0", "3.1",
                                                  "4.0", "4.1", "4.2", "5.0", "5.1", "5.2", "6.0", "6.1", "6.2", "7.0", "7.1",
                                                  "7.2")))
PARTS = ("pit=off", "hpet=off", "pit=off,hpet=off", "sata=off", "smbus=off", "vmport=off", "usb=on", "graphics=off",
         "acpi=off", "mem-merge=off", "dump-guest-core=off", "kernel-irqchip=off")
# What a disk hangs at: the words before it, and the device.
DISKS = {
    "virtio-blk": ((), "virtio-blk-pci"), "AHCI": ((), "ide-hd"), "NVMe": ((), "nvme,serial=1"),
    "virtio-scsi": (("-device", "virtio-scsi-pci"), "scsi-hd"), "LSI SCSI": (("-device", "lsi53c895a"), "scsi-hd"),
    "paravirtual SCSI": (("-device", "pvscsi"), "scsi-hd"), "MPT SAS": (("-device", "mptsas1068"), "scsi-hd"),
    "xHCI stick": (("-device", "qemu-xhci"), "usb-storage"), "NEC xHCI stick": (("-device", "nec-usb-xhci"), "usb-storage"),
    "EHCI stick": (("-device", "usb-ehci"), "usb-storage"), "UHCI stick": (("-device", "piix3-usb-uhci"), "usb-storage"),
    "stick behind a hub": (("-device", "qemu-xhci", "-device", "usb-hub,port=1"), "usb-storage,port=1.1"),
    "CD": ((), "ide-cd"),
}
UNKNOWN_DISKS = ("LSI SCSI", "paravirtual SCSI", "MPT SAS")
NO_DRIVER = "Debian's OVMF's: no driver for this controller"
NETWORKS = ("virtio-net-pci", "e1000", "e1000e", "rtl8139", "vmxnet3", "ne2k_pci", "pcnet")
SCREENS = {
    "none": ("-vga", "none"), "cirrus": ("-vga", "cirrus"), "qxl": ("-vga", "qxl"), "virtio": ("-vga", "virtio"),
    "vmware": ("-vga", "vmware"), "ramfb": ("-vga", "none", "-device", "ramfb"),
    "bochs": ("-vga", "none", "-device", "bochs-display"),
    "secondary": ("-vga", "none", "-device", "secondary-vga"), "virtio-gpu": ("-vga", "none", "-device", "virtio-gpu-pci"),
    **{f"{x} x {y}": ("-vga", "none", "-device", f"VGA,xres={x},yres={y},vgamem_mb=64")
       for x, y in ((640, 480), (800, 600), (1024, 768), (1280, 720), (1400, 1050), (1600, 1200), (1920, 1080), (2560, 1440),
                    (2560, 1600), (3840, 2160))},
    "two": ("-vga", "std", "-device", "secondary-vga"), "VGA of 1 MiB": ("-vga", "none", "-device", "VGA,vgamem_mb=1"),
}
UNSEEN = ("none", "virtio-gpu", "VGA of 1 MiB")  # OVMF has no framebuffer for these
UNSEEN_SCREENS = tuple(SCREENS[name] for name in UNSEEN)
KEYBOARDS = {
    "USB": ("-device", "qemu-xhci", "-device", "usb-kbd"),
    "USB, NEC": ("-device", "nec-usb-xhci", "-device", "usb-kbd"),
    "USB behind a hub": ("-device", "qemu-xhci", "-device", "usb-hub,port=1", "-device", "usb-kbd,port=1.1"),
    "USB behind two hubs": ("-device", "qemu-xhci", "-device", "usb-hub,port=1", "-device", "usb-hub,port=1.1", "-device",
                            "usb-kbd,port=1.1.1"),
    "USB behind a bridge": ("-device", "pcie-root-port,id=root", "-device", "qemu-xhci,bus=root", "-device", "usb-kbd"),
    "USB beside a mouse": ("-device", "qemu-xhci", "-device", "usb-mouse", "-device", "usb-tablet", "-device", "usb-kbd"),
}
SERIALS = {
    "the second": ("-device", "isa-serial,chardev=line,index=1"), "the third": ("-device", "isa-serial,chardev=line,index=2"),
    "the fourth": ("-device", "isa-serial,chardev=line,index=3"), "a card": ("-device", "pci-serial,chardev=line"),
    "a card of two": ("-device", "pci-serial-2x,chardev1=line"), "a card of four": ("-device", "pci-serial-4x,chardev1=line"),
    "a card behind a bridge": ("-device", "pci-bridge,id=bridge,chassis_nr=1", "-device", "pci-serial,chardev=line,bus=bridge"),
}
WORDS = ("acpi=off", "noapic", "nolapic", "acpi=off nolapic", "efi=noruntime", "quiet", "loglevel=7", "printk.time=1", "selftest",
         "watchdog=30", "hwreport", "stops", "console=ttyS0", "console=ttyS0,9600", "console=tty0 console=ttyS0",
         "earlycon=uart8250,io,0x3f8")
CPU_COUNTS = ("2", "3", "4", "6,sockets=2,cores=3,threads=1", "8,sockets=2,cores=2,threads=2", "4,maxcpus=8", "16", "64")
CARDS = {
    "VT-d": ("-device", "intel-iommu"),
    "VT-d, interrupts remapped": ("-machine", "kernel-irqchip=split", "-device", "intel-iommu,intremap=on"),
    "AMD-Vi": ("-device", "amd-iommu"),
    "a PCIe switch": ("-device", "pcie-root-port,id=r", "-device", "x3130-upstream,id=u,bus=r", "-device",
                      "xio3130-downstream,id=d,bus=u,chassis=9", "-device", "e1000e,bus=d"),
    "a PCI bridge": ("-device", "pci-bridge,chassis_nr=2"), "two roots": ("-device", "pxb-pcie,bus_nr=128"),
    "pvpanic": ("-device", "pvpanic"), "a watchdog": ("-device", "i6300esb"), "an unknown card": ("-device", "edu"),
    "sound": ("-device", "intel-hda"), "virtio-rng": ("-device", "virtio-rng-pci"), "balloon": ("-device", "virtio-balloon-pci"),
    "vmgenid": ("-device", "vmgenid,guid=auto"), "shared memory": ("-device", "ivshmem-plain,memdev=shared", "-object",
                                                               "memory-backend-ram,id=shared,size=1M,share=on"),
    "two NUMA nodes": ("-smp", "2", "-object", "memory-backend-ram,id=near,size=256M", "-object",
                       "memory-backend-ram,id=far,size=256M", "-numa", "node,cpus=0,memdev=near", "-numa",
                       "node,cpus=1,memdev=far"),
    "a table of its own": ("-acpitable", "sig=TEST,data=/dev/null"),
    "debug port": ("-debugcon", "null"), "exit port": ("-device", "isa-debug-exit"),
}
U_BOOT_CPUS = ("qemu64", "kvm64", "core2duo", "Nehalem", "Haswell", "Skylake-Server", "EPYC", "phenom", "max")
U_BOOT_MEMORY = ("128M", "256M", "1G", "2G", "3G")


def cpus():
    for cpu in CPUS:
        yield Row(f"CPU {cpu}", cpu=cpu, limit=NO_OSXSAVE if cpu in ("Opteron_G4", "Opteron_G5") else "")
    for feature in WITHOUT:
        # Without a PAT the framebuffer cannot be write-combining, which the walk from outside wants.
        yield Row(f"CPU max,{feature}", cpu=f"max,la57=off,{feature}", walk="-pat" not in feature,
                  limit="OVMF's: it maps its flash above these address bits" if feature == "phys-bits=52" else "")
    yield Row("CPU with five levels", cpu="max,la57=on")
    yield Row("CPU without NX", cpu="max,-nx", limit="ours: no NX, no safety", says="ankeos: this CPU has no NX")
    yield Row("CPU without SYSCALL", cpu="max,-syscall", limit="ours: programs need it", says="ankeos: this CPU has no SYSCALL")
    for count in CPU_COUNTS:
        yield Row(f"CPUs: {count}", extra=("-smp", count))


def memory():
    for size in MEMORY:
        yield Row(f"RAM {size}", memory=size)
    for size in ("1G", "8G", "64G"):
        yield Row(f"RAM {size}, no 1 GiB pages", memory=size, cpu="max,la57=off,-pdpe1gb")
    for size, below in SPLIT:
        yield Row(f"RAM {size}, {below} of it below 4 GiB", memory=size, machine=f"q35,smm=off,max-ram-below-4g={below}")


def chipsets():
    for chipset in CHIPSETS:
        # With a chipset of before 2.10 QEMU's "max" has no extended CPUID leaf, and so neither NX nor SYSCALL.
        old = re.search(r"-2\.\d$", chipset)
        yield Row(f"chipset {chipset}", machine=f"{chipset},smm=off", cpu="Haswell-noTSX" if old else Row.cpu)
    for part in PARTS:
        yield Row(f"q35 with {part}", machine=f"q35,smm=off,{part}")
    yield Row("q35 without a keyboard's controller", machine="q35,smm=off,i8042=off", keyboard="")
    for name, words in CARDS.items():
        yield Row(f"card: {name}", extra=words)


def firmwares():
    for name, (_, _, smm) in FIRMWARES.items():
        refuses = name in ENFORCING
        for chipset in (("q35",) if smm else ("q35", "pc")):
            for size in ("256M", "512M", "4G"):
                yield Row(f"OVMF {name}, {chipset}, {size}", firmware=name, machine=f"{chipset},smm={'on' if smm else 'off'}",
                          memory=size, limit=SECURE_BOOT if refuses else "",
                          says="Security Violation" if refuses else "")
        if not refuses:
            for disk in ("virtio-blk", "AHCI", "NVMe", "xHCI stick"):
                yield Row(f"OVMF {name}, {disk}", firmware=name, machine=f"q35,smm={'on' if smm else 'off'}", start=disk)
    for cpu in U_BOOT_CPUS:
        yield Row(f"U-Boot, CPU {cpu}", cpu=cpu, **u_boot("pc"))
    for size in U_BOOT_MEMORY:
        for chipset in ("pc", "q35"):
            yield Row(f"U-Boot, {chipset}, {size}", memory=size, **u_boot(chipset))


def u_boot(chipset):
    """U-Boot starts from the disks that it has drivers for, and leaves q35 without a way to turn it off. Its map does not say
    where its ACPI tables are, so that what the kernel keeps cannot be compared with it."""
    return {"firmware": U_BOOT, "machine": f"{chipset},smm=off", "start": "virtio-blk" if chipset == "pc" else "AHCI",
            "screen": ("-vga", "none"), "keyboard": "", "ends": SHUTDOWN if chipset == "pc" else RESET, "walk": False}


def devices():
    for disk in DISKS:
        yield Row(f"disk: {disk}", start=disk, limit=NO_DRIVER if disk in UNKNOWN_DISKS else "")
        if disk in ("virtio-blk", "AHCI", "xHCI stick"):
            yield Row(f"disk: {disk}, on pc", start=disk, machine="pc,smm=off")
    for network in NETWORKS:
        yield Row(f"network: {network}", start=f"network {network}", screen=("-vga", "none"), keyboard="")
    for name, words in SCREENS.items():
        yield Row(f"screen: {name}", screen=words, keyboard="" if name in UNSEEN else "ps2")
        if name not in ("none", "two"):
            yield Row(f"screen alone: {name}", screen=words, serial=(),
                      limit="OVMF's: no framebuffer for this screen" if name in UNSEEN else "")
    for name, words in KEYBOARDS.items():
        yield Row(f"keyboard: {name}", machine="q35,smm=off,i8042=off", keyboard="usb", extra=words)
        yield Row(f"keyboard beside PS/2: {name}", keyboard="usb", extra=words)
    for name, words in SERIALS.items():
        yield Row(f"serial: {name}", serial=words, words="console=ttyS0" if "card" in name else "")
    # The screen's keyboard types at tty0, which is another terminal than hvc0.
    yield Row("serial: virtio", serial=("-device", "virtio-serial", "-device", "virtconsole,chardev=line"), keyboard="",
              words="console=tty0 console=hvc0")
    for words in WORDS:
        yield Row(f"words: {words}", words=words)


def all_rows():
    """The whole table; names are unique."""
    rows = [row for group in (firmwares, cpus, memory, chipsets, devices) for row in group()]
    names = [row.name for row in rows]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})
    return rows
