"""Two thousand keys, as fast as they are taken: each comes once, and no Shift sticks.

The keyboard holds back 16 codes and QEMU drops what comes beyond them, the release of a key too: then Shift is down until it
is pressed again, here as on Linux. So never more than twelve codes are on their way.
"""

from bundles import busybox_bundle
from machine import Config, Machine

KEYS = 2_000


def event(key, down):
    return {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": key}}}


PAIR = [event("shift", True), event("a", True), event("a", False), event("shift", False), event("b", True),
        event("b", False)]


def test_two_thousand_keys(tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nexec </dev/tty0\nstty raw -echo\necho ready\nexec cat\n")
    script.chmod(0o755)
    boot = busybox_bundle(tmp_path, "console=ttyS0 quiet init=/init", ("sh", "stty", "cat", "echo"), f"init={script}")
    with Machine(Config(boot=boot)) as machine:
        machine.wait_for("^ready\n")
        since = len(machine.raw)
        for typed in range(0, KEYS, 4):
            machine.qmp.execute("input-send-event", events=2 * PAIR)
            machine.wait_raw(since + typed + 4)
        assert machine.raw[since:] == b"Ab" * (KEYS // 2), machine.failure("not what was typed")
