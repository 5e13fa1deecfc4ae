"""Test those rows of the matrix of machines that differ most from the plain one; `make test-machines` runs all of them."""

import matrix
import pytest
import rows

ROWS = {row.name: row for row in rows.all_rows()}
DIFFERENT = (
    "OVMF 4M, q35, 512M", "OVMF 4M secboot, q35, 512M", "OVMF 4M Microsoft keys, q35, 512M", "U-Boot, pc, 128M", "U-Boot, q35, 3G",
    "CPU qemu64", "CPU Conroe", "CPU max,level=6,+xsave", "CPU max,-apic,-pat,-pge", "CPU with five levels",
    "CPUs: 8,sockets=2,cores=2,threads=2", "RAM 64M", "RAM 64G", "RAM 64G, no 1 GiB pages", "RAM 2G, 256M of it below 4 GiB",
    "chipset pc-i440fx-2.4", "q35 with pit=off,hpet=off", "q35 with acpi=off", "card: a PCIe switch", "disk: xHCI stick",
    "network: e1000", "screen alone: ramfb", "keyboard: USB behind two hubs", "serial: a card behind a bridge",
    "words: acpi=off nolapic",
)


@pytest.mark.parametrize("name", DIFFERENT)
def test_row(tmp_path_factory, monkeypatch, name):
    """The machine boots to the shell, is typed at, walked from outside and turned off, or says whose limit it is."""
    # Rows with one command line share a file, and a disk, which a worker makes once.
    place = tmp_path_factory.getbasetemp() / "machines"
    place.mkdir(exist_ok=True)
    monkeypatch.setattr(matrix, "PLACE", place)
    row = ROWS[name]
    wrong = matrix.run(row, matrix.boot_file(row))
    assert not wrong, wrong
