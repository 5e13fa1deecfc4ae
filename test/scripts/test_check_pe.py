"""scripts/check-pe: silent about a good file, and each fault told with its value."""

from __future__ import annotations

import pytest
from scripts_common import DATA_FLAGS, READ_FLAGS, TEXT_FLAGS, make_pe, run_script

TEXT = (".text", 0x1000, b"\xc3" * 100, TEXT_FLAGS)
RELOC = (".reloc", 0x2000, bytes(12), READ_FLAGS)

SBAT = b"sbat,1,SBAT Version,sbat,1,https://example.org/\n"


def with_sbat(content: bytes) -> bytes:
    return make_pe([TEXT, RELOC, (".sbat", 0x3000, content, READ_FLAGS)])


def check(tmp_path, content: bytes):
    path = tmp_path / "file.efi"
    path.write_bytes(content)
    result = run_script("check-pe", path)
    return result.returncode, [line.removeprefix(f"{path}: ") for line in result.stdout.splitlines()]


def test_good_file(tmp_path):
    assert check(tmp_path, make_pe()) == (0, [])
    assert check(tmp_path, with_sbat(SBAT + b"a,1,A,a,1,https://example.org/a\n")) == (0, [])


@pytest.mark.parametrize(("content", "faults"), [
    (make_pe(machine=0x14C), ["machine 0x14c, not 0x8664 (x86-64)"]),
    (make_pe(subsystem=3), ["subsystem 3, not 10 (EFI application)"]),
    (make_pe(dll_flags=0x40), ["DllCharacteristics 0x40 lacks NX_COMPAT (0x100)"]),
    (make_pe(timestamp=0x65), ["TimeDateStamp 0x65, not 0"]),
    (make_pe([TEXT]), ["no section .reloc"]),
    (make_pe(reloc_directory=(0, 0)), ["base relocation directory at 0x0, 0 bytes; .reloc lies at 0x2000"]),
    (make_pe([TEXT, RELOC, (".data", 0x3000, b"x", DATA_FLAGS | 0x20000000)]),
     [".data: writable and executable: flags 0xe0000040"]),
    (make_pe([TEXT, RELOC, (".data", 0x3010, b"x", DATA_FLAGS)]), [".data: address 0x3010 is not page-aligned"]),
    (make_pe([TEXT, RELOC, (".data", 0, b"x", DATA_FLAGS)]),
     [".data: address 0x0 lies in the headers, 0x400 bytes"]),
    (make_pe([TEXT, RELOC, (".data", 0x3000, b"", DATA_FLAGS)]), [".data: empty"]),
    (make_pe([(".text", 0x1000, b"\xc3" * 0x1100, TEXT_FLAGS), RELOC]),
     [".text ends at 0x2200, inside .reloc at 0x2000"]),
    (make_pe()[:-0x200], [".data: content ends at 0xa00, after the file's 0x800 bytes"]),
    (with_sbat(SBAT + b"a,1,A,a,1,\n"), [".sbat: line 2: 'a,1,A,a,1,' has not 6 fields with text in each"]),
    (with_sbat(SBAT + b"a,1,A,a,1\n"), [".sbat: line 2: 'a,1,A,a,1' has not 6 fields with text in each"]),
    (with_sbat(SBAT + b"a,0,A,a,1,x\n"), [".sbat: line 2: generation '0' is no number above 0"]),
    (with_sbat(b"a,1,A,a,1,x\n"), [".sbat: begins with 'a,1,A,a,1,x', not with the line of sbat itself"]),
    (make_pe([(".text", 0x1000, b"\x0f\x28\xc1\xc3", TEXT_FLAGS), RELOC]),
     ["1 instructions beyond the general registers; the first at 0x1000: movaps %xmm1,%xmm0"]),
    (make_pe([(".text", 0x1000, b"\x90\xdb\xe3\x0f\x77\xc3", TEXT_FLAGS), RELOC]),
     ["2 instructions beyond the general registers; the first at 0x1001: fninit"]),
    (b"MZ", ["not a PE32+ file: no MZ signature"]),
], ids=lambda value: "" if isinstance(value, bytes) else value[0])
def test_each_fault(tmp_path, content, faults):
    assert check(tmp_path, content) == (1, faults)


def test_all_faults_of_a_file_are_told(tmp_path):
    code, faults = check(tmp_path, make_pe(timestamp=1, dll_flags=0))
    assert (code, len(faults)) == (1, 2)


def test_missing_file(tmp_path):
    result = run_script("check-pe", tmp_path / "none")
    assert (result.returncode, result.stdout) == (1, f"{tmp_path / 'none'}: No such file or directory\n")
