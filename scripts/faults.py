"""How the check-* scripts end: a line for each fault, and an exit status that says whether there was one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable, Iterable


def report(faults: Iterable[str]) -> int:
    status = 0
    for fault in faults:
        print(fault)
        status = 1
    return status


def check_tree(check: Callable[[Path], Iterable[str]]) -> int:
    """Check the tree named as the first argument, or else the one that the scripts are part of."""
    return report(check(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent))
