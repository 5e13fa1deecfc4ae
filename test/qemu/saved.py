"""Saved machines: QEMU's state at one point of a boot, in a file under build/, made once and started from many times.

A file is named after all that went in, so nothing stale is ever found: what has changed has another name. Those that
nobody has used for longest are removed.
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
MOST = 24  # files kept, of 20 to 60 MiB each


@functools.cache
def _version() -> str:
    return subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True).stdout


def _hash(words: Iterable[str], files: Iterable[Path]) -> str:
    """Of QEMU's words and version, and of what the files hold."""
    digest = hashlib.sha256("\0".join([_version(), *words]).encode())
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:24]


def _remove_old() -> None:
    states = sorted(DIRECTORY.glob("*.state"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in states[MOST:]:
        path.unlink(missing_ok=True)
        path.with_suffix(".serial").unlink(missing_ok=True)


def obtain(words: Iterable[str], files: Iterable[Path], make: Callable[[Path], bytes]) -> tuple[Path, bytes]:
    """The file of QEMU's state for these words and files, and what the serial port had said by then.

    `make` is called when there is none: it writes the state to the path, and returns the serial port's bytes. Other
    processes that want the same file wait meanwhile.
    """
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    state = DIRECTORY / f"{_hash(words, files)}.state"
    serial = state.with_suffix(".serial")
    with open(DIRECTORY / "lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not state.exists():
            new = state.with_suffix(".new")
            serial.write_bytes(make(new))
            new.rename(state)
            _remove_old()
        os.utime(state)
    return state, serial.read_bytes()
