/*
 * The I/O APICs: which global system interrupt (GSI) goes to which vector. All masked at first.
 */
#pragma once

#include "kernel/irq/acpi.h"

/*
 * Map each I/O APIC and mask all its inputs. One that cannot be mapped or does not answer is left out.
 * Returns how many are in use.
 */
unsigned ioapic_init(const struct acpi_info *acpi);

/* Is there an input for it? */
bool ioapic_has(uint32_t gsi);

/* Beside the flags of the ACPI tables: deliver as NMI, whatever the vector. */
#define IOAPIC_NMI (1u << 16)

/*
 * Send the interrupt to `vector` of the CPU with this APIC id; flags: ACPI_ACTIVE_LOW, ACPI_LEVEL, IOAPIC_NMI. It stays masked.
 * Returns ERR_NOT_FOUND (no such input), ERR_RANGE (an id of more than 8 bits, which an I/O APIC cannot say).
 * Like the two below it works in any context.
 */
MUST_CHECK enum status ioapic_route(uint32_t gsi, unsigned flags, unsigned vector, uint32_t apic_id);

/* Let it through, or not. No effect without such an input. */
void ioapic_unmask(uint32_t gsi);
void ioapic_mask(uint32_t gsi);
