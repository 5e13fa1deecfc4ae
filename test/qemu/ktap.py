"""Read what the kernel's self-tests said: KTAP version 1, complete or an error."""

from __future__ import annotations

import dataclasses
import re

RESULT = re.compile(r"^(not ok|ok) (\d+) (\w+): (.*?)(?: # (.*))?$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Result:
    """One line of the report."""

    passed: bool
    suite: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.suite}: {self.name}" + (f" ({self.reason})" if self.reason else "")


def parse(text: str) -> list[Result]:
    """Return the results in a boot's text.

    Version line, plan, as many results in order, and totals that agree must be there.
    """
    report = re.search(r"^KTAP version 1\n1\.\.(\d+)\n(.*?)^# Totals: pass:(\d+) fail:(\d+) skip:0$", text,
                       re.MULTILINE | re.DOTALL)
    assert report, f"no complete report in\n{text}"
    planned, passed, failed = int(report[1]), int(report[3]), int(report[4])
    found = RESULT.findall(report[2])
    assert [int(number) for _, number, *_ in found] == list(range(1, planned + 1)), report[0]
    results = [Result(verdict == "ok", suite, name, reason) for verdict, _, suite, name, reason in found]
    assert (passed, failed) == (sum(r.passed for r in results), sum(not r.passed for r in results)), report[0]
    return results
