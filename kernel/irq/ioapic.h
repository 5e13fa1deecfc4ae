/*
 * The I/O APICs: which global system interrupt (GSI) goes to which vector. All inputs are masked until ioapic_unmask().
 * "Any context" below means that any page tables may be loaded, also a process's.
 */
#pragma once

#include "kernel/irq/acpi.h"

/*
 * Map each I/O APIC and mask all its inputs. An I/O APIC that cannot be mapped or does not answer is left out. Returns
 * how many are in use.
 */
unsigned ioapic_init(const struct acpi_info *acpi);

/* Return whether an I/O APIC has an input for this GSI. */
bool ioapic_has(uint32_t gsi);

/* A flag for ioapic_route(), besides those of the ACPI tables: deliver the interrupt as NMI, whatever the vector. */
#define IOAPIC_NMI (1u << 16)

/*
 * Route the GSI to `vector` of the CPU with this APIC id; flags: ACPI_ACTIVE_LOW, ACPI_LEVEL, IOAPIC_NMI. The GSI is
 * masked afterwards. May be called in any context.
 * Returns ERR_NOT_FOUND (no I/O APIC has the GSI), ERR_RANGE (an id above 254: an I/O APIC has 8 bits for it, and 255
 * means all CPUs).
 */
MUST_CHECK enum status ioapic_route(uint32_t gsi, unsigned flags, unsigned vector, uint32_t apic_id);

/* Unmask or mask the GSI. No effect when no I/O APIC has it. May be called in any context. */
void ioapic_unmask(uint32_t gsi);
void ioapic_mask(uint32_t gsi);
