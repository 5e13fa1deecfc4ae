"""List other people's programs: Debian's static ones, and its static libraries with a few lines of ours around them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from contract import ROOT

SOURCES = ROOT / "test" / "user" / "foreign"
PACKAGED = {"bash": Path("/bin/bash-static"), "zsh": Path("/bin/zsh-static"), "mksh": Path("/bin/mksh-static"),
            "sash": Path("/bin/sash")}
LIBRARIES = {"lua": ("-llua5.4", "-lm"), "sql": ("-lsqlite3", "-lm", "-lpthread")}


def collect(directory: Path) -> dict[str, Path]:
    """Return the programs by the name that they have in /bin; what has to be linked first is put into the directory."""
    programs = dict(PACKAGED)
    for name, libraries in LIBRARIES.items():
        programs[name] = directory / name
        # The linker warns of dlopen, which neither program uses.
        result = subprocess.run(["gcc", "-static", "-O2", "-o", programs[name], SOURCES / f"{name}.c", *libraries],
                                capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
    return programs
