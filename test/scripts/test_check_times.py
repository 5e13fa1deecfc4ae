"""scripts/check-times: sums of times that may wrap are found, and nothing else is."""

from __future__ import annotations

import pytest
from scripts_common import run_script


def test_this_tree():
    result = run_script("check-times")
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize(("line", "fault"), [
    ("next = timer->deadline_ns + interval;", "timer->deadline_ns +"),
    ("at = now + process->signals.alarm_interval_ns;", "+ process->signals.alarm_interval_ns"),
    ("timer_start(&slice, task_current()->started_ns + SLICE);", "started_ns +"),
    ("load_next_ns += n * 5;", "load_next_ns +"),
    ("soonest = clock_monotonic_ns() + PAUSE;", "clock_monotonic_ns() +"),
    ("when = 5 + clock_realtime_ns();", "+ clock_realtime_ns()"),
    ("left = deadline_ns - now;", None),
    ("task->run_ns += now - task->started_ns;", None),
    ("next = time_add(timer->deadline_ns, interval); i++;", None),
    ("/* deadline_ns + interval */ say(\"deadline_ns + 1\");", None),
])
def test_each_sum(tmp_path, line, fault):
    (tmp_path / "kernel/task").mkdir(parents=True)
    (tmp_path / "kernel/task/some.c").write_text(f"\n{line}\n")
    result = run_script("check-times", tmp_path)
    expected = f"kernel/task/some.c:2: a time is added by hand ({fault}): kernel/lib/time.h\n" if fault else ""
    assert (result.stdout, result.returncode) == (expected, 1 if fault else 0)
