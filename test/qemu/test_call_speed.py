"""The goals for system calls: at most a third of Linux's instructions each, and 80 for a call that does nothing."""

import callcost


def test_goals():
    rows = callcost.compare(callcost.LINUX, callcost.measure_ours())
    assert rows and all(row.passed for row in rows), "\n" + callcost.table(rows)
