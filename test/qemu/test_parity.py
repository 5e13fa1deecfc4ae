"""Test that scripts print the same, byte for byte, here and on Linux, by Debian's busybox and other static programs."""

import difflib

import parity
import pytest
import static_programs


@pytest.fixture(scope="module", name="outputs")
def _outputs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("parity")
    programs = static_programs.collect(directory)
    path = parity.archive(directory / "parity.cpio", parity.names(), programs)
    return parity.run_on_linux(path, directory), parity.run_here(path, directory)


@pytest.mark.parametrize("name", parity.names())
def test_same_output(outputs, name):
    """All that a script writes, and its exit status, is the same."""
    linux, here = (side[name].decode("utf-8", "backslashreplace") for side in outputs)
    assert len(linux.splitlines()) > 5, f"nothing to compare: {linux}"
    assert here == linux, "\n".join(difflib.unified_diff(linux.splitlines(), here.splitlines(), "Linux", "here"))
