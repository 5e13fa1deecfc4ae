"""scripts/mkimage: partition table and file system, read with the tools of others."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from scripts_common import run_script

MIB = 1 << 20
ENVIRONMENT = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}


def output_of(*command: object) -> bytes:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, env=ENVIRONMENT).stdout


@pytest.fixture(name="boot")
def make_boot_file(tmp_path: Path) -> Path:
    path = tmp_path / "BOOTX64.EFI"
    path.write_bytes(bytes(index * 7 % 256 for index in range(100_000)))
    return path


def make_image(boot: Path, name: str, **env: str) -> Path:
    image = boot.parent / name
    result = run_script("mkimage", boot, image, env=env)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return image


def test_one_efi_system_partition(boot):
    table = json.loads(output_of("sfdisk", "--json", make_image(boot, "a.img")))["partitiontable"]
    assert table["label"] == "gpt"
    (partition,) = table["partitions"]
    assert partition["type"] == "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
    assert partition["start"] * 512 == MIB


@pytest.mark.parametrize("size", [100_000, 70 * MIB])
def test_file_system_is_sound_fat32_and_holds_the_file(boot, size):
    boot.write_bytes(os.urandom(4096) * (size // 4096))
    image = make_image(boot, "a.img")
    content = image.read_bytes()
    assert content[MIB + 82 : MIB + 90] == b"FAT32   "
    assert output_of("mtype", "-i", f"{image}@@1M", "::/EFI/BOOT/BOOTX64.EFI") == boot.read_bytes()

    (partition,) = json.loads(output_of("sfdisk", "--json", image))["partitiontable"]["partitions"]
    start = partition["start"] * 512
    file_system = boot.parent / "fs.img"
    file_system.write_bytes(content[start : start + partition["size"] * 512])
    output_of("fsck.vfat", "-n", file_system)
    output_of("sfdisk", "--verify", image)


def test_same_boot_file_gives_same_bytes(boot):
    first = make_image(boot, "a.img", TZ="UTC")
    os.utime(boot, (1, 1))
    assert make_image(boot, "b.img", TZ="America/New_York").read_bytes() == first.read_bytes()


def test_missing_boot_file(tmp_path):
    result = run_script("mkimage", tmp_path / "none", tmp_path / "a.img")
    assert (result.returncode, result.stderr) == (1, f"mkimage: {tmp_path / 'none'}: no such file\n")
    assert not list(tmp_path.iterdir())
