"""The goals for the cost of a boot, in guest instructions: the same in every run, so they can be asserted."""

import bootcost
import pytest


@pytest.fixture(name="costs", scope="module")
def _costs():
    """Of the machines that a goal is for, and the smallest; `make bench-boot` shows the others as well."""
    return [bootcost.measure(case) for case in bootcost.CASES if case.framebuffer and case.memory != "8G"]


def test_goals(costs):
    verdicts = bootcost.judge(costs)
    assert len(verdicts) == 6
    report = f"\n{bootcost.table(costs)}\n{bootcost.verdict_table(verdicts)}"
    assert all(verdict.passed for verdict in verdicts), report


def test_count_hardly_grows_with_memory(costs):
    """256M to 512G with 1 GiB pages, 2,048 times the RAM: the loader's own code at most a quarter more."""
    own = [sum(cost.own) for cost in costs if cost.case.gigabyte_pages and cost.case.framebuffer]
    assert max(own) <= 1.25 * min(own), own


def test_same_in_every_run(costs):
    """Another run of one machine gives the same figures."""
    case = bootcost.Case("2G")
    again = bootcost.measure(case)
    assert again == next(cost for cost in costs if cost.case == case)


@pytest.mark.parametrize("quiet", (True, False), ids=("quiet", "with reports"))
def test_a_terabyte_boots_like_a_gigabyte(quiet):
    """1 TiB reaches the monitor with at most 1.5 times the instructions of 1 GiB, loader included and without it."""
    small, large = (bootcost.measure_whole(memory, quiet) for memory in (bootcost.SMALL, bootcost.LARGE))
    print(small, large)
    assert large.all <= bootcost.GROWTH * small.all, (small, large)
    assert large.kernel <= bootcost.GROWTH * small.kernel, (small, large)
