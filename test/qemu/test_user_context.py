"""Test a user context from outside: the machine is stopped at random moments, and the tables of CR3 are walked.

Whatever the CPU does then, in user mode or in a system call, the tables must have user leaves in the lower half, slot
511, and nothing else.
"""

import random
import re
import struct
import time

import contract
import pytest
import walker
from bundles import KERNEL, bundle
from contract import BUILD
from machine import LIMIT, Config, Machine

ARCHIVE = BUILD / "user" / "spin.cpio"
STOPS = 40
SHARED = 511  # the one slot that every context has
LOWER_HALF = 1 << 47


class Look:
    """The tables of a stopped machine, in whatever context it stands."""

    def __init__(self, machine, root=None, cpl=None):
        """Look at the tables. `root`, `cpl`: those of another CPU than the first; the machine is stopped then."""
        self.machine = machine
        if root is None:
            machine.stop()
            root = machine.registers()["CR3"]
            cpl = int(re.search(r"CPL=(\d)", machine.qmp.human("info registers"))[1])
        self.cpl = cpl
        self.root = root & ~0xFFF
        self.walk = walker.walk(machine.read, self.root, physical_bits=40, pat=contract.number("PAT_VALUE"))

    def kernel_root(self):
        """Return the kernel context's PML4, from the handoff: its pointer lies in the image, which every context has."""
        address = self.walk.translate(contract.symbols()["boot_info"])
        pointer, = struct.unpack("<Q", self.machine.read(address, 8))
        base, size = contract.layout()["HHDM_BASE"], contract.layout()["HHDM_SIZE"]
        assert base <= pointer < base + size
        return contract.BootInfo(self.machine.read(pointer - base, contract.number("sizeof.boot_info"))).tables

    def complaints(self):
        """Return what a user context has and must not have."""
        kernel = struct.unpack("<512Q", self.machine.read(self.kernel_root(), 4096))
        # The CPU sets the accessed bit, in each context by itself, so the bit does not count.
        accessed = 1 << 5
        found = [f"PML4 entry {index}: {entry:#x}" for index, entry in enumerate(self.walk.root[:SHARED])
                 if index >= 256 and entry & 1]
        if self.walk.root[SHARED] | accessed != kernel[SHARED] | accessed:
            found.append(f"slot 511 is {self.walk.root[SHARED]:#x}, in the kernel context {kernel[SHARED]:#x}")
        for leaf in self.walk.leaves:
            lower = leaf.va < LOWER_HALF
            if leaf.user != lower or leaf.glob == lower or (leaf.write and leaf.execute):
                found.append(f"bad rights: {leaf}")
        return found


@pytest.mark.parametrize("mode", ["", "calls"], ids=["computing", "calling"])
def test_contexts(tmp_path, mode):
    """At every stop in a user context its tables are right; there are stops where the program spends its time."""
    path = bundle(tmp_path / "spin.efi", KERNEL, initrd=ARCHIVE, cmdline=f"console=ttyS0 -- {mode}".strip())
    wanted = 0 if mode == "calls" else 3
    seen, source, deadline = set(), random.Random(1), time.monotonic() + LIMIT
    with Machine(Config(boot=path, display=("-vga", "none"))) as machine:
        machine.wait_for(r"^spinning|^anke> \Z")
        assert "spinning" in machine.text, machine.text
        stops = 0
        # On a busy host the machine may hardly run between two stops.
        while stops < STOPS or (wanted not in seen and time.monotonic() < deadline):
            time.sleep(source.uniform(0.001, 0.02))
            stops += 1
            look = Look(machine)
            if look.root != look.kernel_root():
                seen.add(look.cpl)
                complaints = look.complaints()
                assert not complaints, f"at CPL {look.cpl}:\n" + "\n".join(complaints)
                users = [leaf for leaf in look.walk.leaves if leaf.user]
                assert any(leaf.write for leaf in users) and any(leaf.execute for leaf in users)
            else:
                assert look.cpl == 0, "user mode in the kernel context"
            machine.resume()
    assert wanted in seen, seen


def test_contexts_of_all_cpus(tmp_path):
    """While eight threads make random calls on four CPUs, each CPU has the kernel's tables loaded, or a user context's."""
    path = bundle(tmp_path / "storm.efi", KERNEL, initrd=BUILD / "user" / "attack-musl.cpio",
                  cmdline="console=ttyS0 -- stay storm:1000:7")
    source, users = random.Random(2), 0
    with Machine(Config(boot=path, display=("-vga", "none"), extra=("-smp", "4"))) as machine:
        machine.wait_for(r"^# storm")
        for _ in range(STOPS):
            time.sleep(source.uniform(0.001, 0.05))
            machine.stop()
            text = machine.qmp.human("info registers -a")
            roots = [int(value, 16) & ~0xFFF for value in re.findall(r"CR3=([0-9a-f]+)", text)]
            levels = [int(value) for value in re.findall(r"CPL=(\d)", text)]
            assert len(roots) == len(levels) == 4
            for root, level in set(zip(roots, levels)):
                look = Look(machine, root, level)
                if root == look.kernel_root():
                    assert level == 0, "user mode in the kernel context"
                    continue
                users += 1
                complaints = look.complaints()
                assert not complaints, f"at CPL {level}:\n" + "\n".join(complaints)
            machine.resume()
    assert users > STOPS / 2, users


def test_bytes_of_calls_do_not_stay(tmp_path):
    """What other processes gave to pipes, files, sendfile, terminals and execve is not in what a context maps."""
    path = bundle(tmp_path / "secrets.efi", KERNEL, initrd=BUILD / "user" / "secrets.cpio", cmdline="console=ttyS0")
    with Machine(Config(boot=path)) as machine:
        machine.wait_for(r"^secrets kept")
        assert "not ok" not in machine.text, machine.text
        deadline = time.monotonic() + LIMIT
        look = Look(machine)
        while look.root == look.kernel_root() or look.cpl != 3:
            assert time.monotonic() < deadline, "the program never runs in user mode"
            machine.resume()
            look = Look(machine)
        kept = []
        for leaf in look.walk.leaves:
            if leaf.va < LOWER_HALF:
                continue
            memory = machine.read(leaf.pa, leaf.size)
            kept += [f"{leaf.va + found.start():#x}: {found[0].decode()}"
                     for found in re.finditer(rb"known-[a-z]+-of-a-call-", memory)]
        assert not kept, "\n".join(kept)
