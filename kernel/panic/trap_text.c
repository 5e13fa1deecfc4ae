/*
 * Puts into words what a panic shows: error codes (Intel SDM vol. 3A, "Error Code" and "Page-Fault Exceptions"), what
 * an address belongs to, and values with which the debug build fills the heap.
 */
#include "kernel/panic/trap_text.h"

#include "kernel/arch/trap.h"
#include "kernel/lib/format.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/report/ranges.h"

enum page_fault_code {
	PF_PRESENT = 1 << 0, /* the page is present: its rights, or what a bit below says, forbid the access */
	PF_WRITE = 1 << 1,
	PF_USER = 1 << 2,
	PF_RESERVED = 1 << 3,
	PF_FETCH = 1 << 4,
	PF_KEY = 1 << 5,
	PF_SHADOW = 1 << 6,
};

enum selector_code {
	SELECTOR_EXTERNAL = 1 << 0,
	SELECTOR_IDT = 1 << 1,
	SELECTOR_LDT = 1 << 2,
};

static void page_fault_text(uint64_t error, char buffer[TRAP_TEXT])
{
	const char *access = "read of", *why = "whose rights forbid it";

	if (error & PF_FETCH)
		access = "execution of";
	else if (error & PF_SHADOW)
		access = "shadow-stack access to";
	else if (error & PF_WRITE)
		access = "write to";

	/* Test PF_RESERVED first: QEMU's TCG sets it without PF_PRESENT. */
	if (error & PF_RESERVED)
		why = "with a reserved bit set in an entry";
	else if (!(error & PF_PRESENT))
		why = "that is not present";
	else if (error & PF_KEY)
		why = "whose protection key forbids it";
	format_s(buffer, TRAP_TEXT, "%s a page %s, by %s", access, why, error & PF_USER ? "user code" : "the kernel");
}

static void selector_text(uint64_t error, char buffer[TRAP_TEXT])
{
	const char *table = "GDT";

	if (error & SELECTOR_IDT)
		table = "IDT";
	else if (error & SELECTOR_LDT)
		table = "LDT";
	format_s(buffer, TRAP_TEXT, "entry %llu of the %s%s", (unsigned long long)(error >> 3 & 0x1fff), table,
		 error & SELECTOR_EXTERNAL ? ", for an event from outside" : "");
}

char *trap_text(uint64_t vector, uint64_t error, char buffer[TRAP_TEXT])
{
	buffer[0] = '\0';
	switch (vector) {
	case TRAP_PF:
		page_fault_text(error, buffer);
		break;
	case 10: /* #TS */
	case 11: /* #NP */
	case 12: /* #SS */
	case TRAP_GP:
		if (error)
			selector_text(error, buffer);
		break;
	}
	return buffer;
}

const char *address_text(vaddr_t va)
{
	size_t range = layout_find(va);

	if (va < PAGE_SIZE)
		return "a null pointer";
	return range < LAYOUT_COUNT ? layout_ranges[range].name : "outside the memory map";
}

const char *kernel_context_text(vaddr_t va)
{
	return va - HHDM_BASE < HHDM_SIZE || va - MMIO_BASE < MMIO_SIZE ? address_text(va) : NULL;
}

const char *value_text(uint64_t value)
{
	const uint64_t each_byte = 0x0101010101010101;

	if (value == HEAP_FREED_BYTE * each_byte)
		return "freed memory of the heap";
	if (value == HEAP_FRESH_BYTE * each_byte)
		return "memory of the heap that nobody has written";
	if (value == HEAP_ZONE_BYTE * each_byte)
		return "beyond the end of a block of the heap";
	return NULL;
}
