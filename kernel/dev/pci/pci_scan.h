/*
 * Finds all PCI functions of a range of buses: at first on the lowest bus and those behind its bridges; then on the
 * buses that no bridge leads to, since machines with several root bridges tell of them in ACPI's byte code only.
 * Bridges are used as the firmware has set them up. No bus is looked at twice, whatever bridges say.
 */
#pragma once

#include "kernel/dev/pci/pci_function.h"

/*
 * More functions than any machine has. Functions beyond this number are left out, which pci_access.fault() is told:
 * without a limit hostile buses could fill memory.
 */
#define PCI_FUNCTIONS_MOST 1024

/* A scan of a range of buses of one segment. Set the fields up to `last`, and make the others zero. */
struct pci_scan {
	const struct pci_access *access;
	/* Take a function that was found. Returns false to end the scan, as when there is no memory for it. */
	bool (*found)(void *ctx, const struct pci_function *function);
	uint16_t segment;
	uint8_t first, last;  /* the buses to look at */
	uint64_t pending[4];  /* bitmap of buses behind bridges that are still to be looked at */
	uint64_t seen[4];     /* bitmap of buses that were looked at, or are pending */
	uint64_t only_one[4]; /* bitmap of buses that have no device but number 0 */
	unsigned count;       /* functions found */
	bool ended;           /* the rest is not to be looked at */
};

/*
 * Look at one more bus, and pass each function on it to `found`. Returns false when all have been looked at, or the
 * scan has ended for another reason.
 */
bool pci_scan_step(struct pci_scan *scan);
