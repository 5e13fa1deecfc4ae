"""The user programs on Debian's Linux: what they check must be true there (make test-user-linux)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import usertests  # noqa: E402  pylint: disable=wrong-import-position

ROOT = Path(__file__).resolve().parents[2]
LIMIT = float(os.environ.get("ANKEOS_LIMIT", "300"))
FUZZ_CALLS = int(os.environ.get("ANKEOS_FUZZ", "20000"))


def run(archive, words=(), cpu="max,la57=off"):
    """What the archive's /init printed."""
    environment = {**os.environ, "WORDS": " ".join(words), "CPU": cpu}
    command = [str(ROOT / "scripts" / "run-linux"), str(ROOT / "build" / "user" / archive)]
    result = subprocess.run(command, capture_output=True, env=environment, timeout=LIMIT, check=False)
    return (result.stdout + result.stderr).decode("utf-8", "replace").replace("\r", "")


@pytest.mark.parametrize("flavour", usertests.FLAVOURS)
def test_programs(flavour):
    text = run(f"test-{flavour}.cpio")
    complaints = usertests.complaints(text, usertests.TESTS)
    assert not complaints, "\n".join([*complaints, text])


def test_attacks():
    # QEMU 7.2 reads a user's stack with the kernel's rights for a far return: with SMAP, Linux takes that for an oops.
    text = run("attack-musl.cpio", usertests.ATTACKS, "max,la57=off,smap=off")
    complaints = usertests.complaints(text, usertests.ATTACKS)
    assert not complaints, "\n".join([*complaints, text])


def test_fuzz():
    text = run("attack-musl.cpio", [f"fuzz:{FUZZ_CALLS}"])
    complaints = usertests.complaints(text, ("fuzz",))
    assert not complaints, "\n".join([*complaints, text])
