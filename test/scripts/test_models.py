"""test/models: spin looks at every order of the steps of each protocol, and finds each fault that is built in."""

from __future__ import annotations

import re
import subprocess

import pytest
from scripts_common import ROOT

MODEL = ROOT / "test/models/tlb.pml"


def look_at(tmp_path, *words):
    """Every state of the model: spin's report."""
    subprocess.run(["spin", *words, "-a", str(MODEL)], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["gcc", "-w", "-O2", "-DSAFETY", "-DMEMLIM=2000", "-o", "pan", "pan.c"],
                   cwd=tmp_path, check=True)
    return subprocess.run(["./pan", "-m200000", "-w25"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout


def test_protocol(tmp_path):
    report = look_at(tmp_path)
    assert "errors: 0" in report and "Search not completed" not in report and "max search depth" not in report, report
    assert int(re.search(r"(\d+) states, stored", report)[1]) > 1_000_000, report


@pytest.mark.parametrize("fault", re.findall(r"^ \*   (FAULT_\w+)", MODEL.read_text(encoding="utf-8"), re.M))
def test_each_fault(tmp_path, fault):
    report = look_at(tmp_path, f"-D{fault}")
    assert "assertion violated" in report, report
