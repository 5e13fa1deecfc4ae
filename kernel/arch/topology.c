/*
 * Asks CPUID how APIC ids are divided: by leaf 0xb where the CPU has it, and otherwise by the older leaves, which give
 * numbers of threads and cores.
 */
#include "kernel/arch/topology.h"

#include "kernel/arch/cpu.h"

#define LEAF_LEVELS  0xb
#define LEVEL_THREAD 1 /* types of levels, in bits 15:8 of this leaf's ECX */
#define LEVEL_CORE   2
#define LEVELS_MOST  8
#define SHIFT_MOST   31u

#define LEAF_CACHES   4
#define LEAF_SIZES    0x80000008
#define LEAF_EXTENDED 0x80000000
#define EDX_THREADS   (1u << 28) /* leaf 1: the package has room for more than one thread */

static bool has_leaf(uint32_t leaf)
{
	return cpu_cpuid(leaf & LEAF_EXTENDED, 0).eax >= leaf;
}

/* Return how many bits are needed for the numbers below `count`. */
static unsigned bits_for(unsigned count)
{
	unsigned bits = 0;

	while (bits < SHIFT_MOST && 1u << bits < count)
		bits++;
	return bits;
}

static struct topology limited(unsigned core_shift, unsigned package_shift)
{
	if (package_shift > SHIFT_MOST)
		package_shift = SHIFT_MOST;
	if (core_shift > package_shift)
		core_shift = package_shift;
	return (struct topology){ (uint8_t)core_shift, (uint8_t)package_shift };
}

/* Read leaf 0xb, whose subleaves say where the next level begins. Returns false when the CPU does not have it. */
static bool read_levels(struct topology *ret)
{
	unsigned core = 0, package = 0;

	if (!has_leaf(LEAF_LEVELS) || !(cpu_cpuid(LEAF_LEVELS, 0).ebx & 0xffff))
		return false;
	for (uint32_t i = 0; i < LEVELS_MOST; i++) {
		struct cpuid level = cpu_cpuid(LEAF_LEVELS, i);
		unsigned type = level.ecx >> 8 & 0xff;

		if (!type)
			break;
		if (type == LEVEL_THREAD)
			core = level.eax & 0x1f;
		/* Levels between core and package, such as a die, count as a part of the core's number. */
		if (type >= LEVEL_CORE || !package)
			package = level.eax & 0x1f;
	}
	*ret = limited(core, package);
	return true;
}

struct topology topology_read(void)
{
	struct topology topology;
	struct cpuid leaf;
	unsigned package, cores = 1;

	if (read_levels(&topology))
		return topology;
	leaf = cpu_cpuid(1, 0);
	if (!(leaf.edx & EDX_THREADS))
		return limited(0, 0);
	package = bits_for(leaf.ebx >> 16 & 0xff);
	if (has_leaf(LEAF_CACHES) && cpu_cpuid(LEAF_CACHES, 0).eax)
		cores = (cpu_cpuid(LEAF_CACHES, 0).eax >> 26) + 1;
	else if (has_leaf(LEAF_SIZES))
		cores = (cpu_cpuid(LEAF_SIZES, 0).ecx & 0xff) + 1;
	return limited(package - (bits_for(cores) < package ? bits_for(cores) : package), package);
}
