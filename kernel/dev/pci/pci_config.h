/*
 * The machine's PCI configuration space: memory that the ACPI table MCFG names (ECAM), or the ports 0xcf8 and 0xcfc
 * where there is no such table. Guard of all here: tasks only, which the kernel does not preempt. Call in the kernel
 * context.
 */
#pragma once

#include "kernel/dev/pci/pci_function.h"

/*
 * Read or write 4 bytes, as struct pci_access says; `ctx` is ignored. The memory of a range of buses stays mapped after
 * a call, until pci_config_close().
 */
uint32_t pci_config_read(void *ctx, struct pci_address address, uint16_t offset);
void pci_config_write(void *ctx, struct pci_address address, uint16_t offset, uint32_t value);

/* Return how many bytes of a function's configuration space can be reached: 256 by the ports, 4096 by memory. */
uint16_t pci_config_size(struct pci_address address);

/* Undo the mapping that a read or write has made. Call at the end of a group of accesses. */
void pci_config_close(void);

/* A range of buses of one segment that the configuration space has. */
struct pci_range {
	uint16_t segment;
	uint8_t first, last;
};

/* Get the range of buses number `index`, from 0 on. Returns false when there are no more. */
bool pci_config_range(unsigned index, struct pci_range *ret);
