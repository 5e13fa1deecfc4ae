"""Test boot files with profiles: sections that replace those of the base when the profile is chosen with @N."""

import subprocess
import sys

from contract import ROOT
from machine import BOOT_FILE, Config, Machine


def with_profiles(directory, *cmdlines):
    """Make the build's boot file with a profile for each command line; a profile has no other section."""
    path = BOOT_FILE
    for number, cmdline in enumerate(cmdlines):
        output = directory / f"{number}.efi"
        subprocess.run([sys.executable, ROOT / "scripts" / "bundle", "--stub", path, "--profile", f"ID=p{number}",
                        "--cmdline", cmdline, "-o", output], check=True)
        path = output
    return path


def test_chosen(tmp_path):
    """@1 takes the second profile's command line, the only one with init=none, and the base's kernel."""
    path = with_profiles(tmp_path, "console=ttyS0 quiet", "console=ttyS0 init=none")
    with Machine(Config(boot=path, append="@1", display=("-vga", "none"))) as machine:
        machine.wait_prompt()


def test_not_there(tmp_path):
    """For a number beyond the last profile the loader says so, and goes back to the firmware."""
    path = with_profiles(tmp_path, "console=ttyS0")
    with Machine(Config(boot=path, append="@1", display=("-vga", "none"))) as machine:
        machine.wait_for(r"^ankeos: profile @1: this file has 1, and counts from 0\s*$")
