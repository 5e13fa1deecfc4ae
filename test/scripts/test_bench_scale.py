"""scripts/bench-scale's parts: what is read of the program, what the goals are, and that a run goes on where it was."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "test" / "qemu")]

import scalecost  # noqa: E402  pylint: disable=wrong-import-position
import scalesvg  # noqa: E402  pylint: disable=wrong-import-position

TEXT = """scale 10 1600 1 f stat
scale 1000 1760 1 f stat
scale failed 30000 stat: step: saw -12
scale 10 3200 10 b list, a name\r
scale end\r
"""


def test_parse():
    rows, failed = scalecost.parse(TEXT, 16)
    assert rows == {"stat": ("f", {10: 100, 1000: 110}), "list, a name": ("b", {10: 20})}
    assert failed == ["scale failed 30000 stat: step: saw -12"]
    assert scalecost.parse(TEXT.replace("scale end", ""), 16)[1][-1].startswith(scalecost.UNFINISHED)


def row(kind, linux, ours):
    sizes = (10, 1000, 10000)
    return scalecost.Row("x", "names", kind, dict(zip(sizes, linux)), dict(zip(sizes, ours)))


@pytest.mark.parametrize("kind, linux, ours, faults", [
    ("f", (100, 100, 100), (50, 50, 50), []),
    ("f", (100, 100, 100), (50, 51, 50), ["ratio"]),
    ("f", (200, 200, 200), (50, 50, 75), []),
    ("f", (200, 200, 200), (50, 50, 76), ["growth"]),
    ("f", (200, 200, 400), (50, 50, 100), []),
    ("l", (400, 400, 400), (50, 100, 200), []),
    ("l", (500, 500, 500), (50, 100, 201), ["growth"]),
    ("b", (100, 100, 100), (100, 100, 100), []),
    ("b", (100, 100, 100), (101, 100, 100), ["ratio"]),
    ("f", (100, 100, 100), (50,), ["no figure"]),
])
def test_goals(kind, linux, ours, faults):
    assert row(kind, linux, ours).faults == faults


def test_run_goes_on(tmp_path):
    """What has been measured is not measured again; what was not finished, or has another key, is."""
    path, asked = tmp_path / "results.json", []

    def run(words):
        asked.extend(words)
        rows, failed = scalecost.parse(TEXT, 1)
        return rows, failed + ([scalecost.UNFINISHED] if words == ["locks"] and len(asked) <= len(scalecost.ROOMS) else [])

    scalecost.measure(path, b"kernel", run, 1, lambda text: None)
    assert asked == list(scalecost.ROOMS)
    found = scalecost.measure(path, b"kernel", run, 1, lambda text: None)
    assert asked == [*scalecost.ROOMS, "locks"]
    assert scalecost.to_parsed(found["names"])["stat"] == ("f", {10: 1600, 1000: 1760})
    scalecost.measure(path, b"another", run, 1, lambda text: None)
    assert len(asked) == 2 * len(scalecost.ROOMS) + 1


def test_kept_figures():
    """Linux's are of the rows as they are now: a room whose source has changed wants scripts/bench-scale --linux."""
    kept = scalecost.load(scalecost.LINUX)
    assert {room: record["key"] for room, record in kept.items()} == {
        room: scalecost.room_key(room, scalecost.LINUX_KEY) for room in scalecost.ROOMS}
    assert sum(len(record["rows"]) for record in kept.values()) >= 120


def test_picture():
    picture = scalesvg.draw([row("f", (100, 100, 100), (50, 50, 500))])
    assert picture.count("<polyline") == 2 and 'class="missed"' in picture and "var(" not in picture
