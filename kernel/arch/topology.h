/*
 * Where a CPU stands among the others: its thread in a core, its core in a package. An APIC id consists of these three
 * numbers; CPUID says how many bits each has (Intel SDM vol. 3A, "Identifying Topological Relationships in an MP
 * System").
 */
#pragma once

#include <stdint.h>

/* How an APIC id is divided: thread in the lowest bits, then core, then package. */
struct topology {
	uint8_t core_shift;    /* bits of the thread */
	uint8_t package_shift; /* bits of thread and core */
};

/*
 * Return how APIC ids are divided, as CPUID of the running CPU says; all CPUs of a machine are taken to be alike. When
 * CPUID does not say it, each CPU is taken to be alone in its package.
 */
struct topology topology_read(void);

static inline uint32_t topology_package(struct topology t, uint32_t apic_id)
{
	return apic_id >> t.package_shift;
}

/* Return the core's number, which is unique in its package. */
static inline uint32_t topology_core(struct topology t, uint32_t apic_id)
{
	return (apic_id & ((1U << t.package_shift) - 1)) >> t.core_shift;
}
