"""Shared by all live tests: the build must be there, and a failure shows what every running machine said."""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "user")]

import machine  # noqa: E402  pylint: disable=wrong-import-position
from contract import BUILD  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(scope="session", autouse=True)
def _build():
    for name in ("BOOTX64.EFI", "loader.efi", "kernel.elf", "kernel.strip.elf", "ankeos.img"):
        if not (BUILD / name).exists():
            pytest.exit(f"{BUILD / name} is missing: run `make all image`, or these tests by `make test-qemu`", 2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for running in machine.live:
            report.sections.append((f"serial of {' '.join(running.config.arguments())}", running.text))
