"""Type two thousand keys as fast as they are taken: each must come once, and no Shift stick; by a layout of loadkmap's.

The keyboard holds back 16 codes and QEMU drops what comes beyond them, the release of a key, too: then Shift is down
until it is pressed again, here as on Linux. So never more than twelve codes are on their way.
"""

from bundles import busybox_bundle
from machine import Config, Machine

KEYS = 2_000


def event(key, down):
    return {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": key}}}


PAIR = [event("shift", True), event("a", True), event("a", False), event("shift", False), event("b", True),
        event("b", False)]


def binary_map(plain, shifted):
    """Return a file for loadkmap: flags of 256 tables, and 128 keys' values for each; keys not given here do nothing."""
    hole = 0x0200
    tables = [b"".join(keys.get(key, hole).to_bytes(2, "little") for key in range(128)) for keys in (plain, shifted)]
    return b"bkeymap" + bytes([1, 1] + [0] * 254) + b"".join(tables)


def test_two_thousand_keys(tmp_path):
    letter = 0x0b00
    (tmp_path / "map").write_bytes(binary_map(
        {0x1e: letter | ord("a"), 0x30: letter | ord("b"), 0x15: letter | ord("z"), 0x1a: letter | 0xfc},
        {0x1e: letter | ord("A"), 0x30: letter | ord("B"), 0x15: letter | ord("Z")}))
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\nexec </dev/tty0\nloadkmap </map\nstty raw -echo\necho ready\nexec cat\n")
    script.chmod(0o755)
    boot = busybox_bundle(tmp_path, "console=ttyS0 quiet init=/init", ("sh", "stty", "cat", "echo", "loadkmap"),
                          f"init={script}", f"map={tmp_path}/map")
    with Machine(Config(boot=boot)) as machine:
        machine.wait_for("^ready\n")
        since = len(machine.raw)
        for typed in range(0, KEYS, 4):
            machine.qmp.execute("input-send-event", events=2 * PAIR)
            machine.wait_raw(since + typed + 4)
        assert machine.raw[since:] == b"Ab" * (KEYS // 2), machine.failure("not what was typed")
        since = len(machine.raw)
        for key in ("y", "bracket_left", "c", "a"):
            machine.qmp.execute("input-send-event", events=[event(key, True), event(key, False)])
        machine.wait_raw(since + 4)
        assert machine.raw[since:] == "züa".encode(), machine.failure("not what the layout has")
