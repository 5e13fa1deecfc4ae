"""Few bytes that ask the screen for much: whoever else wants to run does so within a million instructions."""

import re

from bundles import KERNEL, bundle
from contract import BUILD
from machine import Config, Machine

ARCHIVE = BUILD / "user" / "screen_work.cpio"
NS = 16  # of the guest's clock, for an instruction
MOST = 1_000_000  # instructions
SLEEP = 200_000 // NS  # the neighbour's own
KINDS = 15


def test_a_neighbour_runs_beside_the_screen(tmp_path):
    """Sequences that change the whole screen, an erased character behind much text, and lines typed at the keyboard."""
    boot = bundle(tmp_path / "work.efi", KERNEL, initrd=ARCHIVE, cmdline="console=ttyS0 quiet")
    with Machine(Config(boot=boot, icount=True)) as machine:
        machine.wait_for("^type$")
        for _ in range(5):
            machine.qmp.human("sendkey x")
            machine.qmp.human("sendkey ret")
        machine.wait_exit()
        kept = {name: int(us) * 1000 // NS for us, name in
                re.findall(r"^kept: (\d+) by (.*)\.$", machine.text, re.MULTILINE)}
        assert len(kept) == KINDS and "not ok" not in machine.text, machine.failure("not all was tried")
        late = {name: count for name, count in kept.items() if count > SLEEP + MOST}
        assert not late, machine.failure(f"instructions that the neighbour waited: {late}")
