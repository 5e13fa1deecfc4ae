"""Shared by all live tests: the build must be there, and a failure shows what every running machine said.

With several workers (`-n 2 --dist loadgroup`) each test is given out alone, but those that share a machine together,
and the longest first, so that none runs alone at the end.

Tests with the mark `slow` run when ANKEOS_SLOW is set, as `make test-slow` sets it.
"""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "user"), str(HERE.parent / "machines")]

import machine  # noqa: E402  pylint: disable=wrong-import-position
from contract import BUILD  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(scope="session", autouse=True)
def _build():
    for name in ("BOOTX64.EFI", "loader.efi", "kernel.elf", "kernel.strip.elf", "ankeos.img"):
        if not (BUILD / name).exists():
            pytest.exit(f"{BUILD / name} is missing: run `make all image`, or these tests by `make test-qemu`", 2)


# Files whose tests, or what they share, take ten seconds or more.
LONGEST = ("test_debug_build", "test_speed", "test_bochs", "test_parity", "test_broken", "test_call_speed", "test_user",
           "test_limits", "test_debian_work")


def shared_machine(item):
    """Return a name for what tests of one file share: its module's fixture, with the parameter it was made for."""
    shared = [name for name, found in item._fixtureinfo.name2fixturedefs.items()  # pylint: disable=protected-access
              if found[-1].scope == "module"]
    indices = getattr(getattr(item, "callspec", None), "indices", {})
    return "-".join([item.module.__name__, *(f"{name}{indices.get(name, '')}" for name in shared)]) if shared else None


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: runs only when ANKEOS_SLOW is set, as `make test-slow` sets it")


# Run before xdist's own hook, which reads the groups; that hook was registered later and would otherwise come first.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    if "ANKEOS_SLOW" not in os.environ:
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
    for item in items:
        if group := shared_machine(item):
            item.add_marker(pytest.mark.xdist_group(group))
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.module.__name__, len(ranks)))


def pytest_collection_finish(session):
    """Refuse to give tests out by groups that xdist has not seen: each worker would then make what the tests share."""
    if getattr(session.config.option, "loadgroup", False):
        lost = [item.nodeid for item in session.items if shared_machine(item) and "@" not in item.nodeid]
        if lost:
            raise pytest.UsageError(f"xdist does not know the group of {lost[0]}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for running in machine.live:
            report.sections.append((f"serial of {' '.join(running.config.arguments())}", running.text))
