"""Rows of `make bench-scale` whose figures would grow with N, or be those of something else, if what they stand on broke."""

import pytest

import scalecost

# By room: rows that are quick to measure, and the ratio to Linux's kept figure that they may have. A first row is
# measured right after boot, while the kernel looks for devices.
ROWS = {
    "processes": {"fork, exit, wait4": 0.5, "getpriority of a group": 1.0, "setpriority of a group": 1.0},
}


@pytest.mark.parametrize("room", ROWS)
def test_rows(room):
    """The rows cost no more than they may, and do not grow beyond their goal."""
    wanted = ROWS[room]
    found, failed = scalecost.run_ours([name.replace(" ", "_") for name in wanted])
    assert not failed, failed
    linux = scalecost.load(scalecost.LINUX)
    rows = {row.name: row for row in scalecost.compare({room: linux[room]}, {room: {"rows": found}}) if row.name in found}
    assert rows.keys() == wanted.keys()
    for name, row in rows.items():
        assert row.worst <= wanted[name] and "growth" not in row.faults, scalecost.table([row])
