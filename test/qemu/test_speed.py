"""Test the goals for the cost of a boot, in guest instructions: these are the same in every run."""

import bootcost
import pytest


SOME, MORE = ("2G", "512G"), ("256M", "2G", "64G", "512G")
# How many goals can be judged, by how many machines are measured; those without 1 GiB pages count, too.
GOALS = {3: 4, 6: 6}


@pytest.fixture(name="costs", scope="module", params=[SOME, pytest.param(MORE, marks=pytest.mark.slow)], ids=["some", "more"])
def _costs(request):
    """Measure machines with a framebuffer; `make bench-boot` shows the others as well."""
    return [bootcost.measure(case) for case in bootcost.CASES if case.framebuffer and case.memory in request.param]


def test_goals(costs):
    verdicts = bootcost.judge(costs)
    assert len(verdicts) == GOALS[len(costs)]
    report = f"\n{bootcost.table(costs)}\n{bootcost.verdict_table(verdicts)}"
    assert all(verdict.passed for verdict in verdicts), report


def test_count_hardly_grows_with_memory(costs):
    """From 2G to 512G with 1 GiB pages, 256 times the RAM, the loader's own code costs a quarter more at most.

    With `make test-slow` 256M is measured, too.
    """
    own = [sum(cost.own) for cost in costs if cost.case.gigabyte_pages and cost.case.framebuffer]
    assert max(own) <= 1.25 * min(own), own


def test_first_program_comes_soon():
    """Nothing that could run beside the first program, as the search for USB keyboards, comes before it."""
    verdicts = bootcost.first_verdicts()
    assert all(verdict.passed for verdict in verdicts), bootcost.verdict_table(verdicts)


def test_same_in_every_run(costs):
    """Another run of one machine gives the same figures."""
    case = bootcost.Case("2G")
    again = bootcost.measure(case)
    assert again == next(cost for cost in costs if cost.case == case)


@pytest.mark.parametrize("quiet", (True, pytest.param(False, marks=pytest.mark.slow)), ids=("quiet", "with reports"))
def test_a_terabyte_boots_like_a_gigabyte(quiet):
    """1 TiB reaches the monitor with at most 1.5 times the instructions of 1 GiB, loader included and without it."""
    small, large = (bootcost.measure_whole(memory, quiet) for memory in (bootcost.SMALL, bootcost.LARGE))
    print(small, large)
    assert large.all <= bootcost.GROWTH * small.all, (small, large)
    assert large.kernel <= bootcost.GROWTH * small.kernel, (small, large)
