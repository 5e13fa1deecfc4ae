/*
 * The firmware's ACPI tables, as far as the kernel needs them (ACPI 6.5, "ACPI Software Programming Model"). This code
 * changes no table and logs nothing: it lists the faults in the result, and the caller logs them. A table with a wrong
 * checksum is used nevertheless, and an MADT with a bad entry is used without that entry. Linux does the same, and
 * firmware is tested with Linux. Only the root pointer and the lists of tables (RSDT, XSDT) must have a right checksum.
 */
#pragma once

#include "paging/types.h"

/* How acpi_read() reaches memory: a function and its argument, supplied by the caller of acpi_read(). */
struct acpi_memory {
	/*
	 * Return a pointer to the `size` bytes at `pa`, readable until acpi_read returns; NULL when not all of them are
	 * memory that may be read.
	 */
	const void *(*at)(void *ctx, paddr_t pa, uint64_t size);
	void *ctx;
};

#define ACPI_IO_APICS  16
#define ACPI_OVERRIDES 16 /* as many as ISA has interrupts */
#define ACPI_MCFGS     16
#define ACPI_SERIALS   4
#define ACPI_CPUS      256
#define ACPI_FAULTS    16

/* An I/O APIC of the MADT. Fixed after boot. */
struct acpi_io_apic {
	uint8_t id;
	paddr_t pa;         /* where its registers are */
	uint32_t first_gsi; /* the global interrupt number (GSI) of its input 0 */
};

/* Flags of an interrupt (ACPI 6.5, "MPS INTI Flags"). */
#define ACPI_ACTIVE_LOW 1 /* not set: active high, ISA's default */
#define ACPI_LEVEL      2 /* not set: edge-triggered, ISA's default */

/*
 * An ISA interrupt whose global number (GSI) differs from its ISA number, or whose signal differs from ISA's.
 * Fixed after boot.
 */
struct acpi_override {
	uint8_t isa;
	uint8_t flags; /* ACPI_ACTIVE_LOW, ACPI_LEVEL */
	uint32_t gsi;
};

enum acpi_space { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1 };

/* A register (ACPI 6.5, "Generic Address Structure"). address 0: the machine has none. Fixed after boot. */
struct acpi_register {
	uint8_t space; /* enum acpi_space, or a kind that the kernel does not use */
	uint8_t bits;
	uint64_t address;
};

/* A part of PCI's configuration space that is mapped as memory: one MiB a bus. Fixed after boot. */
struct acpi_mcfg {
	paddr_t pa; /* the address of bus 0's MiB, even if first_bus is not 0 */
	uint16_t segment;
	uint8_t first_bus, last_bus;
};

/* Something that is wrong with a table. */
struct acpi_fault {
	char table[5];    /* signature, "RSDP" for the root */
	bool used;        /* true: the rest of the table is used; false: none of it */
	const char *what; /* what is wrong with the table */
	paddr_t pa;
};

/* What the tables say. All zero: no tables. Fixed after boot. */
struct acpi_info {
	bool has_madt; /* an MADT was found: all fields up to overrides come from it */
	bool has_8259;
	unsigned cpus;               /* number of enabled CPUs */
	unsigned cpu_id_count;       /* how many of them cpu_ids lists: all, unless there are more than ACPI_CPUS */
	uint32_t cpu_ids[ACPI_CPUS]; /* APIC ids of enabled CPUs, in the order of the table, each once */
	unsigned cpus_absent;        /* CPUs that could be plugged in, or turned on, later */
	paddr_t local_apic;
	unsigned io_apic_count;
	struct acpi_io_apic io_apics[ACPI_IO_APICS];
	unsigned override_count;
	struct acpi_override overrides[ACPI_OVERRIDES];

	bool has_fadt; /* an FADT was found: all fields up to century come from it */
	bool hardware_reduced;
	uint16_t smi_command; /* port for enabling ACPI mode; 0: ACPI mode is always on */
	uint8_t acpi_enable;  /* what to write to that port */
	struct acpi_register pm1a_control, pm1b_control, pm1a_event, pm1b_event;
	struct acpi_register reset; /* the reset register; set only when the table says that it works */
	uint8_t reset_value;
	struct acpi_register pm_timer; /* the power management timer's counter */
	uint8_t century;               /* index of the CMOS register that holds the century; 0: there is none */

	bool has_s5; /* the DSDT or an SSDT tells which SLP_TYP turns the machine off: the next two fields */
	uint8_t s5_type_a, s5_type_b;

	paddr_t hpet; /* address of the HPET's registers; 0: none */

	unsigned mcfg_count;
	struct acpi_mcfg mcfgs[ACPI_MCFGS];

	/*
	 * The serial ports that the tables SPCR (serial console) and DBG2 (debug ports) name: the first register of
	 * each chip like the 16550. For registers in memory `bits` is 8, 16 or 32: the distance from one register to
	 * the next, and the size of an access.
	 */
	unsigned serial_count;
	struct acpi_register serials[ACPI_SERIALS];

	unsigned fault_count;
	struct acpi_fault faults[ACPI_FAULTS]; /* the first ACPI_FAULTS of the faults found */
};

/*
 * Read the tables that the root pointer at `rsdp` leads to. *ret holds what the sound tables say, and *ret lists the
 * faults of the tables that are not sound. Of two tables of one kind the first sound one is used. Returns ERR_NOT_FOUND
 * (rsdp is 0), ERR_FORMAT (no sound list of tables); *ret then has only faults.
 */
MUST_CHECK enum status acpi_read(const struct acpi_memory *memory, paddr_t rsdp, struct acpi_info *ret);
