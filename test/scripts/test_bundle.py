"""scripts/bundle: what it makes, that it makes it again, and what it refuses."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from scripts_common import DATA_FLAGS, READ_FLAGS, ROOT, make_elf, make_pe, read_sections, run_script


@pytest.fixture(name="files")
def make_files(tmp_path: Path) -> dict[str, Path]:
    """A stub, a kernel and an initrd, and where to write the result."""
    contents = {
        "stub": make_pe(dll_flags=0, timestamp=0x12345678),
        "kernel": make_elf(),
        "initrd": b"070701" + bytes(range(256)) * 40,
        "osrel": b"ID=ankeos\nNAME=AnkeOS\n",
        "sbat": b"sbat,1,SBAT Version,sbat,1,https://example.org/\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in [*contents, "out"]}


def bundle(files: dict[str, Path], *more: object):
    return run_script("bundle", "--stub", files["stub"], "-o", files["out"], *more)


def test_holds_everything_on_pages_of_its_own(files):
    result = bundle(files, "--kernel", files["kernel"], "--initrd", files["initrd"], "--osrel", files["osrel"],
                    "--sbat", files["sbat"], "--cmdline", "loglevel=7 näme=1", "--uname", "6.1.0-anke")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")

    before, after = read_sections(files["stub"].read_bytes()), read_sections(files["out"].read_bytes())
    added = {name: section for name, section in after.items() if name not in before}
    assert {name: after[name] for name in before} == before
    assert {name: content for name, (_, content, _) in added.items()} == {
        ".osrel": files["osrel"].read_bytes(),
        ".uname": b"6.1.0-anke",
        ".cmdline": "loglevel=7 näme=1".encode(),
        ".initrd": files["initrd"].read_bytes(),
        ".kernel": files["kernel"].read_bytes(),
        ".sbat": files["sbat"].read_bytes(),
    }
    assert {flags for _, _, flags in added.values()} == {READ_FLAGS}
    end = 0
    for address, content, _ in sorted(after.values()):
        assert address % 4096 == 0
        assert address >= end
        end = address + len(content)


def test_is_a_unified_kernel_image_by_default(files):
    """What bootctl asks for: an os-release file that says which system this is."""
    assert bundle(files, "--kernel", files["kernel"]).returncode == 0
    osrel = read_sections(files["out"].read_bytes())[".osrel"][1].decode()
    assert osrel == (ROOT / "efi/os-release").read_text()
    words = dict(line.split("=", 1) for line in osrel.splitlines())
    assert words["ID"] == "ankeos" and words["VERSION_ID"] and words["PRETTY_NAME"]


def test_result_passes_check_pe(files):
    assert bundle(files, "--kernel", files["kernel"], "--cmdline", "x").returncode == 0
    result = run_script("check-pe", files["out"])
    assert (result.returncode, result.stdout) == (0, "")


def test_same_inputs_give_same_bytes(files):
    """From another directory, under another name, and with the stub's time stamp and checksum gone."""
    assert bundle(files, "--kernel", files["kernel"], "--cmdline", "x").returncode == 0
    first = files["out"].read_bytes()
    for name in ("stub", "kernel"):
        files[name] = files[name].rename(files[name].with_name(f"other-{name}"))
    files["out"] = files["out"].with_name("elsewhere")
    assert bundle(files, "--kernel", files["kernel"], "--cmdline", "x").returncode == 0
    assert files["out"].read_bytes() == first
    (start,) = struct.unpack_from("<I", first, 60)
    assert struct.unpack_from("<I", first, start + 8) == (0,)
    assert struct.unpack_from("<I", first, start + 24 + 64) == (0,)


def test_image_base_does_not_shift_sections(files):
    files["stub"].write_bytes(make_pe(image_base=0x10000))
    assert bundle(files, "--kernel", files["kernel"]).returncode == 0
    assert read_sections(files["out"].read_bytes())[".kernel"][0] == 0x5000


def test_cmdline_from_file_loses_its_line_end(files, tmp_path):
    (tmp_path / "cmdline").write_text("console=ttyS0 quiet\n")
    assert bundle(files, "--kernel", files["kernel"], "--cmdline", f"@{tmp_path / 'cmdline'}").returncode == 0
    assert read_sections(files["out"].read_bytes())[".cmdline"][1] == b"console=ttyS0 quiet"


def test_empty_cmdline_adds_no_section(files):
    assert bundle(files, "--kernel", files["kernel"], "--cmdline", "").returncode == 0
    assert ".cmdline" not in read_sections(files["out"].read_bytes())


@pytest.mark.parametrize("kernel", [b"not a kernel", make_elf(kind=3), make_elf(size=20)],
                         ids=["text", "dynamic", "short"])
def test_no_check_takes_any_kernel(files, kernel):
    files["kernel"].write_bytes(kernel)
    assert bundle(files, "--no-check", "--kernel", files["kernel"]).returncode == 0
    assert read_sections(files["out"].read_bytes())[".kernel"][1] == kernel


def test_no_check_takes_no_kernel(files):
    assert bundle(files, "--no-check").returncode == 0
    assert ".kernel" not in read_sections(files["out"].read_bytes())


@pytest.mark.parametrize(("name", "content", "complaint"), [
    ("stub", None, "No such file or directory"),
    ("stub", b"", "file is empty"),
    ("stub", b"\x7fELF" + bytes(100), "not a PE32+ file: no MZ signature"),
    ("stub", b"MZ" + bytes(100), "not a PE32+ file: no PE signature at 0x0"),
    ("stub", make_pe()[:0xC0], "not a PE32+ file: file ends inside the headers"),
    ("stub", make_pe()[:0x150], "not a PE32+ file: file ends inside the section table"),
    ("stub", make_pe([(".kernel", 0x1000, b"old", DATA_FLAGS)]), "has a section .kernel already"),
    ("kernel", None, "No such file or directory"),
    ("kernel", b"", "file is empty"),
    ("kernel", b"MZ\x90\x00", "not an ELF file: starts with 4d 5a 90 00"),
    ("kernel", make_elf(size=63), "ELF header cut short: 63 bytes"),
    ("kernel", make_elf(bits=1), "not a 64-bit little-endian ELF file: class 1, data 1"),
    ("kernel", make_elf(kind=3), "ELF type 3, not 2 (ET_EXEC)"),
    ("kernel", make_elf(machine=183), "ELF machine 183, not 62 (x86-64)"),
    ("initrd", None, "No such file or directory"),
    ("initrd", b"", "file is empty"),
], ids=lambda value: "" if isinstance(value, bytes) else value)
def test_refuses_bad_file(files, name, content, complaint):
    """In one line that names the file; what was there before stays."""
    files["out"].write_text("an earlier boot file")
    if content is None:
        files[name].unlink()
    else:
        files[name].write_bytes(content)
    result = bundle(files, "--kernel", files["kernel"], "--initrd", files["initrd"])
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"bundle: {name} {files[name]}: {complaint}\n"
    assert files["out"].read_text() == "an earlier boot file"


@pytest.mark.parametrize(("arguments", "complaint"), [
    ([], "no --kernel given (--no-check makes a file without one)"),
    (["--no-check", "--cmdline", "a=\udcff"], "cmdline: not UTF-8: byte 0xff at offset 2"),
])
def test_refuses_bad_arguments(files, arguments, complaint):
    result = bundle(files, *arguments)
    assert (result.returncode, result.stderr) == (1, f"bundle: {complaint}\n")
    assert not files["out"].exists()


def test_refuses_nul_inside_cmdline(files, tmp_path):
    (tmp_path / "cmdline").write_bytes(b"quiet\0more\n")
    result = bundle(files, "--kernel", files["kernel"], "--cmdline", f"@{tmp_path / 'cmdline'}")
    assert (result.returncode, result.stderr) == (1, "bundle: cmdline: NUL byte at offset 5\n")


def test_names_output_that_cannot_be_written(files):
    files["out"] = files["out"].parent / "nowhere" / "out.efi"
    result = bundle(files, "--kernel", files["kernel"])
    assert (result.returncode, result.stderr) == (1, f"bundle: output {files['out']}: No such file or directory\n")


def test_documented_objcopy_command_gives_the_same_sections(files, tmp_path):
    """The shell block of docs/bundle.md, run as it stands."""
    text = (ROOT / "docs/bundle.md").read_text()
    block = text.split("```sh\n", 1)[1].split("```", 1)[0]
    (tmp_path / "build").mkdir()
    files["stub"].rename(tmp_path / "build/loader.efi")
    files["kernel"].rename(tmp_path / "build/kernel.strip.elf")
    subprocess.run(["sh", "-eu", "-c", block], cwd=tmp_path, check=True)

    files["stub"], files["kernel"] = tmp_path / "build/loader.efi", tmp_path / "build/kernel.strip.elf"
    assert bundle(files, "--no-check", "--kernel", files["kernel"], "--cmdline", "loglevel=7").returncode == 0
    assert read_sections((tmp_path / "my.efi").read_bytes()) == read_sections(files["out"].read_bytes())
