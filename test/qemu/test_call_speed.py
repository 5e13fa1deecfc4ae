"""The goals for system calls: at most a third of Linux's instructions each, and 80 for a call that does nothing."""

import callcost


def test_goals():
    """Each goal is met, but for those that callcost.MISSED names, which must not get worse."""
    rows = callcost.compare(callcost.LINUX, callcost.measure_ours())
    late = [row for row in rows if row.name in callcost.MISSED]
    complaint = "\n" + callcost.table(rows)
    assert rows and all(row.passed for row in rows if row not in late), complaint
    assert all(row.ours is not None and row.ours <= callcost.MISSED[row.name] for row in late), complaint
    assert not any(row.passed for row in late), "take it out of callcost.MISSED" + complaint
