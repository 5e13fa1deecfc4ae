/*
 * A machine's PCI configuration space, for tests of kernel/dev/pci: functions with 256 bytes each, and BARs that keep
 * only the address bits of their size.
 */
#pragma once

#include "kernel/dev/pci/pci_scan.h"

#define SIM_FUNCTIONS 300

struct sim_function {
	struct pci_address address;
	uint8_t bytes[256];
	uint32_t bar_mask[PCI_BARS]; /* which bits of a BAR can be written */
};

struct pci_sim {
	struct sim_function functions[SIM_FUNCTIONS];
	unsigned count;
	unsigned reads, writes;
	const char *fault; /* the last one that was told, and how many were */
	uint64_t fault_value;
	unsigned faults;
	struct pci_function found[SIM_FUNCTIONS]; /* by pci_sim_scan() */
	unsigned found_count;
	struct pci_access access; /* set by pci_sim_start() */
};

void pci_sim_start(struct pci_sim *sim);

/* Add a function with these ids and class and no BAR; `header` may have bit 7 for more functions. */
struct sim_function *pci_sim_add(struct pci_sim *sim, uint8_t bus, uint8_t device, uint8_t function, uint32_t class,
				 uint8_t header);
struct sim_function *pci_sim_bridge(struct pci_sim *sim, uint8_t bus, uint8_t device, uint8_t secondary,
				    uint8_t subordinate);

void pci_sim_put(struct sim_function *f, unsigned offset, unsigned bytes, uint64_t value);

/* Look at all buses up to `last`, and fill `found`. Returns how many steps that took. */
unsigned pci_sim_scan(struct pci_sim *sim, uint8_t last);
