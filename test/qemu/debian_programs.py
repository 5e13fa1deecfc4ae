"""Debian's own dynamic programs, as its packages install them, with the libraries that they need."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

PYTHON_PARTS = ("encodings", "collections", "re", "json", "importlib", "lib-dynload")


def python_files() -> list[Path]:
    """The part of the standard library that a small program needs."""
    directory = next(iter(sorted(Path("/usr/lib").glob("python3.*"))))
    return [*directory.glob("*.py"), *(directory / part for part in PYTHON_PARTS)]


# What a program needs beside the libraries that ldd finds: files and whole directories.
FILES = {"/usr/bin/perl": lambda: [Path("/usr/lib/x86_64-linux-gnu/perl-base")], "/usr/bin/python3": python_files}


def libraries(program: str) -> list[str]:
    """The files that ldd names, the loader among them."""
    output = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", output)


def words(programs: list[str]) -> list[str]:
    """The words for scripts/mkinitrd that put these programs, and all that they need, where Debian has them."""
    files: dict[str, Path] = {}
    for program in programs:
        beside = FILES[program]() if program in FILES else []
        found = [program, *libraries(program), *map(str, beside)]
        files.update((path.lstrip("/"), Path(path).resolve()) for path in found)
    return [f"{place}={source}" for place, source in sorted(files.items())]
