"""AnkeOS in gdb: the commands `ankeos map`, `walk`, `tasks`, `areas`, `frame`, `log`, `audit`
and `in`.

scripts/gdb/attach imports this package. Nothing here changes the guest for good, and nothing runs code of it: what is shown
comes from registers and memory, so it works wherever the machine has stopped. At each stop the symbols are loaded that
fit to where that is: the loader's, and the running user program's beside the kernel's. Page tables are walked by the walker of
test/qemu, which knows them from the manual only.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "test" / "qemu"))

from ankeos import areas, audit, frame, frames, inside, log, map as map_command, session, tasks, walk  # noqa: E402

__all__ = ["areas", "audit", "frame", "frames", "inside", "log", "map_command", "session", "tasks", "walk"]
