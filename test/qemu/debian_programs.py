"""List Debian's own dynamic programs, as its packages install them, with the libraries that they need."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Iterable

PYTHON_PARTS = ("encodings", "collections", "re", "json", "importlib", "lib-dynload")


def python_files() -> list[Path]:
    """Return the part of the standard library that a small program needs."""
    directory = next(iter(sorted(Path("/usr/lib").glob("python3.*"))))
    return [*directory.glob("*.py"), *(directory / part for part in PYTHON_PARTS)]


def all_python_files() -> list[Path]:
    """Return the standard library, and those of its regression tests that PYTHON_TESTS need."""
    directory = python_files()[0].parent
    left_out = {"test", "config-3.11-x86_64-linux-gnu", "idlelib", "lib2to3", "distutils", "pydoc_data", "__pycache__"}
    tests = directory / "test"
    if not tests.exists():
        raise FileNotFoundError(f"{tests} is not here: Debian's libpython3.11-testsuite")
    found = [*(path for path in directory.iterdir() if path.name not in left_out),
             *(tests / part for part in ("support", "libregrtest", "subprocessdata", "test_asyncio")),
             *tests.glob("*.pem"), *tests.glob("*cert*"),
             *(path for path in tests.glob("*.py") if path.name.strip("_").startswith(PYTHON_TESTS))]
    modules = (directory / "lib-dynload").glob("*.so")
    return [*found, *{Path(library) for module in modules for library in libraries(str(module))}]


# The beginnings of the names of files in Debian's libpython3.11-testsuite.
PYTHON_TESTS = ("init", "main", "audit", "list_tests", "signalinterproctester", "fork_wait", "lock_tests", "ssl_servers",
                "mapping_tests", "tf_inherit_check",
                *(f"test_{name}" for name in (
                    "os", "posix", "signal", "threading", "mmap", "select", "selectors", "pty", "tempfile", "shutil",
                    "fcntl", "resource", "time", "subprocess", "multiprocessing")))


def compiler() -> tuple[list[str], list[Path]]:
    """Return the programs of gcc, and the files that it needs to compile and link a program that includes stdio.h."""
    def ask(*options: str) -> list[str]:
        result = subprocess.run(["gcc", *options], input="#include <stdio.h>\nint main(void) { return 0; }\n",
                                capture_output=True, text=True, check=True)
        return [os.path.normpath(word) for word in result.stdout.split() if "/" in word]

    with tempfile.NamedTemporaryFile() as out:
        found = {*ask("-O2", "-M", "-xc", "-"), *ask("-Wl,--trace", "-xc", "-", "-o", out.name),
                 *ask("-print-file-name=liblto_plugin.so")}
    programs = [*ask("-print-prog-name=cc1"), *ask("-print-prog-name=collect2")]
    files = [Path(path) for path in found if path.startswith(("/usr/", "/lib/"))]
    return ["/usr/bin/gcc", "/usr/bin/as", "/usr/bin/ld", *programs], files


# What a program needs beside the libraries that ldd finds: files and whole directories.
FILES = {"/usr/bin/perl": lambda: [Path("/usr/lib/x86_64-linux-gnu/perl-base")], "/usr/bin/python3": python_files}


def libraries(program: str) -> list[str]:
    """Return the files that ldd names, the loader among them."""
    output = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", output)


def words(programs: list[str], more: Iterable[Path] = ()) -> list[str]:
    """Return the words for scripts/mkinitrd that put programs, all they need, and more files where Debian has them."""
    files = {str(path).lstrip("/"): path.resolve() for path in more}
    for program in programs:
        beside = FILES[program]() if program in FILES else []
        found = [program, *libraries(program), *map(str, beside)]
        files.update((path.lstrip("/"), Path(path).resolve()) for path in found)
    return [f"{place}={source}" for place, source in sorted(files.items())]
