/*
 * Asks CPUID and keeps the answers. Turns nothing on; uses a leaf only when the CPU says that it has that leaf.
 */
#include "kernel/arch/features.h"

#include "kernel/arch/cpu.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "paging/pte.h"

#define LEAF_XSAVE     0xdu
#define LEAF_EXTENDED  0x80000000u
#define LEAF_BRAND     0x80000002u /* this leaf and the two after it hold the brand */
#define LEAF_ADDRESSES 0x80000008u

struct cpu_features cpu_features_found;

/*
 * Return the leaf, or zeroes when the CPU does not have it: asked for such a leaf, an Intel CPU would answer with the
 * values of its highest one.
 */
static struct cpuid leaf_or_zero(uint32_t leaf)
{
	if (cpu_cpuid(leaf & LEAF_EXTENDED, 0).eax < leaf)
		return (struct cpuid){ 0 };
	return cpu_cpuid(leaf, 0);
}

static void read_vendor(void)
{
	struct cpuid r = cpu_cpuid(0, 0);
	const uint32_t text[3] = { r.ebx, r.edx, r.ecx };

	memcpy(cpu_features_found.vendor, text, sizeof(text));
}

static void read_brand(void)
{
	char text[sizeof(cpu_features_found.brand)] = "";
	const char *start = text;

	for (uint32_t i = 0; i < 3; i++) {
		struct cpuid r = leaf_or_zero(LEAF_BRAND + i);

		memcpy(text + i * sizeof(r), &r, sizeof(r));
	}
	while (*start == ' ')
		start++;
	memcpy(cpu_features_found.brand, start, strlen(start) + 1);
}

/*
 * Read family, model and stepping (Intel SDM vol. 2A, "CPUID"): family 15 adds the extended family, and families 6 and
 * 15 prepend the extended model.
 */
static void read_signature(void)
{
	uint32_t eax = cpu_cpuid(1, 0).eax;
	unsigned family = eax >> 8 & 15;

	cpu_features_found.stepping = eax & 15;
	cpu_features_found.model = eax >> 4 & 15;
	if (family == 6 || family == 15)
		cpu_features_found.model |= eax >> 12 & 0xf0;
	cpu_features_found.family = family == 15 ? family + (eax >> 20 & 255) : family;
}

static void read_address_bits(void)
{
	uint32_t eax = leaf_or_zero(LEAF_ADDRESSES).eax;

	/*
	 * A CPU without this leaf has physical addresses of 36 bits and linear addresses of 48 bits, as the first
	 * 64-bit CPUs had. A page-table entry has room for physical addresses of 52 bits.
	 */
	cpu_features_found.physical_bits = eax ? eax & 255 : 36;
	if (cpu_features_found.physical_bits > PTE_ADDRESS_BITS)
		cpu_features_found.physical_bits = PTE_ADDRESS_BITS;
	cpu_features_found.linear_bits = eax ? eax >> 8 & 255 : 48;
}

static void read_flags(void)
{
	/* Ask for each leaf once: in a virtual machine a CPUID costs a visit to the hypervisor. */
	const struct cpuid leaf_1 = leaf_or_zero(1), leaf_7 = leaf_or_zero(7);
	const struct cpuid leaf_0x80000001 = leaf_or_zero(0x80000001), leaf_0x80000007 = leaf_or_zero(0x80000007);

#define X(field, name, leaf, reg, bit) cpu_features_found.field = leaf_##leaf.reg >> (bit)&1;
	CPU_FEATURES(X)
#undef X
	/*
	 * Leaf 0xd says what XSAVE saves. A firmware setting that limits CPUID to its low leaves hides leaf 0xd, though
	 * leaf 1 still reports XSAVE: count XSAVE as absent then.
	 */
	cpu_features_found.xsave = cpu_features_found.xsave && leaf_or_zero(LEAF_XSAVE).eax;
}

const struct cpu_features *cpu_features_ask(void)
{
	if (cpu_features_found.vendor[0])
		return &cpu_features_found;
	read_flags();
	read_brand();
	read_signature();
	read_address_bits();
	/* The vendor is read last: its presence marks all answers as read. */
	read_vendor();
	return &cpu_features_found;
}

size_t cpu_features_format(const struct cpu_features *f, char *buffer, size_t size)
{
	const struct {
		const char *name;
		bool there;
	} table[] = {
#define X(field, name, leaf, reg, bit) { name, f->field },
		CPU_FEATURES(X)
#undef X
	};
	size_t length = 0;

	if (size)
		buffer[0] = '\0';
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t used = length < size ? length : size;

		if (table[i].there)
			length += format_s(buffer + used, size - used, length ? " %s" : "%s", table[i].name);
	}
	return length;
}
