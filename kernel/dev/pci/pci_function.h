/*
 * PCI functions as the configuration space describes them (PCI Express Base Specification, "Software Initialization
 * and Configuration"): headers, base address registers and capabilities. All that a device says is checked. This code
 * reaches the configuration space through functions of its caller, so that host tests and a fuzzer can simulate one.
 */
#pragma once

#include "kernel/boot/memmap.h"

struct pci_address {
	uint16_t segment;
	uint8_t bus, device, function; /* device: 0 to 31, function: 0 to 7 */
};

/* How configuration space is reached. */
struct pci_access {
	/*
	 * Read or write the 4 bytes at `offset`, a multiple of 4. When there is no such function, or its configuration
	 * space ends before `offset`, a read returns all ones, and a write has no effect.
	 */
	uint32_t (*config_read)(void *ctx, struct pci_address address, uint16_t offset);
	void (*config_write)(void *ctx, struct pci_address address, uint16_t offset, uint32_t value);
	/* Called for each thing that is wrong with a function; the caller logs it, with the value that is wrong. */
	void (*fault)(void *ctx, struct pci_address address, const char *what, uint64_t value);
	void *ctx;
};

/* Offsets in configuration space. */
enum pci_register {
	PCI_ID = 0x00,      /* vendor in the lower half, device in the upper */
	PCI_COMMAND = 0x04, /* the status is in the upper half */
	PCI_CLASS = 0x08,   /* the revision is in the lowest byte */
	PCI_HEADER = 0x0c,  /* the header's type is in bits 16 to 23 */
	PCI_BAR = 0x10,     /* the first of up to six base address registers */
	PCI_BUSES = 0x18,   /* of a bridge: primary, secondary, subordinate bus */
	PCI_SUBSYSTEM = 0x2c,
	PCI_CAPABILITIES = 0x34,
	PCI_INTERRUPT = 0x3c, /* interrupt line, and pin in the second byte */
};

#define PCI_COMMAND_IO           0x0001u
#define PCI_COMMAND_MEMORY       0x0002u
#define PCI_COMMAND_MASTER       0x0004u
#define PCI_COMMAND_NO_INTERRUPT 0x0400u
#define PCI_STATUS_CAPABILITIES  0x0010u

#define PCI_CONFIG_SIZE          256
#define PCI_CONFIG_SIZE_EXTENDED 4096

#define PCI_BARS 6

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEMORY, PCI_BAR_MEMORY_64 };

/* A range of ports or of memory at which a function answers. Guard: tasks only, which the kernel does not preempt. */
struct pci_bar {
	uint64_t address; /* a port, or a physical address */
	uint64_t size;    /* 0: not known, since pci_size_bars() has not been called for the function */
	uint8_t kind;     /* enum pci_bar_kind. The register behind one of PCI_BAR_MEMORY_64 has PCI_BAR_NONE */
	bool prefetchable;
};

enum pci_header { PCI_HEADER_DEVICE, PCI_HEADER_BRIDGE, PCI_HEADER_CARDBUS };

/* A function of a PCI device. Guard: fixed when it is added to the list of all, unless a field says otherwise. */
struct pci_function {
	struct pci_address address;
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem_device; /* 0: the header has none */
	uint32_t class;                              /* base class, subclass and interface, 8 bits each */
	uint8_t revision;
	uint8_t header;                 /* enum pci_header */
	uint8_t interrupt_line;         /* as the firmware has set it */
	uint8_t interrupt_pin;          /* 1 to 4 for INTA to INTD; 0: none */
	uint8_t secondary, subordinate; /* of a bridge: the buses behind it */
	bool only_one;                  /* a bridge to a bus that has no device but number 0 */
	bool broken;                    /* the configuration space makes no sense, so no driver gets the function */
	struct pci_bar bars[PCI_BARS];
	uint8_t msi, msix, express; /* where these capabilities are in the configuration space; 0: there is none */
	/* The driver that has claimed the function, or NULL. Guard: tasks only, which the kernel does not preempt */
	const struct pci_driver *driver;
	struct pci_function *next; /* in the list of all, sorted by address. Guard: as for `driver` */
};

/*
 * Read the header and the capabilities of the function at `address`. Changes nothing. Returns false when no function is
 * there, or its header is of no known kind; the latter is a fault.
 */
bool pci_read_function(const struct pci_access *access, struct pci_address address, struct pci_function *ret);

/*
 * Find out how large the ranges of the function's base address registers are. The registers are set to all ones for a
 * moment, while the function is kept from answering at any address. A size that is impossible is a fault, and makes the
 * function broken.
 */
void pci_size_bars(const struct pci_access *access, struct pci_function *function);

/*
 * Return what is wrong with the address of a sized BAR, as words for the log, or NULL: the address is not set, is
 * unaligned, is RAM according to `map`, or is beyond `limit`, where the CPU's physical addresses end.
 */
const char *pci_bar_wrong(const struct pci_bar *bar, const struct memmap *map, uint64_t limit);

/* Where the parts of MSI-X lie, as the capability says; see pci_read_msix(). */
struct pci_msix {
	uint8_t bar;           /* the index of the BAR that has the table */
	uint32_t table_offset; /* of the table's first entry in that BAR, in bytes */
	uint32_t entries;
};

#define PCI_MSIX_ENTRY_SIZE 16

/*
 * Read the MSI-X capability of a function whose BARs have been sized. Returns false when there is none, or the table
 * does not lie inside of a memory BAR; the latter is a fault.
 */
bool pci_read_msix(const struct pci_access *access, const struct pci_function *function, struct pci_msix *ret);
