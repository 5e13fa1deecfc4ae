"""Test `make map`: the pictures of a real machine must say what its tables hold."""

import re
import subprocess
import xml.etree.ElementTree as ElementTree

from contract import ROOT, layout
from machine import LIMIT

TEXT = "{http://www.w3.org/2000/svg}text"


def test_pictures(tmp_path):
    """Every range is drawn, with a row of the image's text in both contexts, and of user memory in one."""
    target, boot = tmp_path / "map.svg", tmp_path / "boot.svg"
    subprocess.run(["scripts/draw-map", "-o", target, "--boot", boot], cwd=ROOT, check=True, timeout=LIMIT)
    texts = [text.text for text in ElementTree.parse(target).iter(TEXT)]
    for name in ("USER", "HHDM", "MMIO", "HEAP", "IMAGE"):
        base, size = layout()[f"{name}_BASE"], layout()[f"{name}_SIZE"]
        assert any(text.startswith(f"{base:016x} - {base + size - 1:016x}") for text in texts), texts
    rows = [re.match(r"([0-9a-f]{16})  (\S+ \S+) +(r\S+) +(\S.*)$", text) for text in texts]
    found = [(int(row[1], 16), row[3]) for row in rows if row]
    assert found.count((layout()["IMAGE_BASE"], "r-xg")) == 2, texts
    assert {rights for address, rights in found if address < layout()["USER_SIZE"]} >= {"r---u", "r-x-u", "rw--u"}, texts
    assert texts.count("not present") == 3, "HHDM and MMIO in the user context, user memory in the kernel's"
    assert any(re.search(r"usable: .*(heap|user|tables) \d", text) for text in texts), texts
    phases = [text.text for text in ElementTree.parse(boot).iter(TEXT)]
    for phase in ("input", "memory map", "page tables", "firmware", "jump"):
        assert phase in phases, phases
