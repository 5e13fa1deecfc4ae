"""Save machines: QEMU's state at one point of a boot, in files under build/, made once and started from many times.

RAM has a file of its own, NAME.ram: a machine that starts maps it and has its own copy of each page that it writes, so
that a start costs no more than what the machine then uses. NAME.state has the devices, NAME.serial the serial port's
bytes.

Files are named by a hash of all that went in, so nothing stale is ever found: what has changed has another name. The
files that have not been used for longest are removed.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from contract import BUILD

DIRECTORY = BUILD / "saved"
MOST = 32  # machines kept, of 20 to 60 MiB each


@functools.cache
def _version() -> str:
    return subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True).stdout


def _hash(words: Iterable[str], files: Iterable[Path]) -> str:
    """Return a hash of QEMU's words and version, and of what the files hold."""
    digest = hashlib.sha256("\0".join([_version(), "RAM in a file", *words]).encode())
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:24]


def _remove_old(lock: Path) -> None:
    """Remove the machines used least recently, and files without a state that runs which were killed have left.

    The caller has the lock.
    """
    states = sorted(DIRECTORY.glob("*.state"), key=lambda path: path.stat().st_mtime, reverse=True)
    kept = {path.stem for path in states[:MOST]}
    for path in DIRECTORY.iterdir():
        if path != lock and path.stem not in kept:
            path.unlink()


def obtain(words: Iterable[str], files: Iterable[Path], make: Callable[[Path, Path], bytes]) -> tuple[Path, bytes]:
    """Return the file of QEMU's state for these words and files, and what the serial port had said by then.

    `make` is called when there is none: it writes the state to the first path and RAM to the second, and returns the
    serial port's bytes. Other processes that want the same file wait meanwhile.
    """
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    state = DIRECTORY / f"{_hash(words, files)}.state"
    serial, ram, lock = state.with_suffix(".serial"), state.with_suffix(".ram"), DIRECTORY / "lock"
    with open(lock, "wb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        # Without the file of its RAM QEMU would make an empty one.
        if not (state.exists() and ram.exists()):
            new = state.with_suffix(".new")
            # Remove what a run that was killed has left: a machine with its pages would not be a new one.
            ram.unlink(missing_ok=True)
            serial.write_bytes(make(new, ram))
            new.rename(state)
            _remove_old(lock)
        os.utime(state)
    return state, serial.read_bytes()
