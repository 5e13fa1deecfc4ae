/*
 * Names of kernel functions, found in the table that is linked into the kernel.
 */
#include "kernel/report/symbols.h"

#include "kernel/lib/format.h"

/*
 * Made by scripts/mksymbols. The kernel is linked twice: first with an empty table, then with the table that the script
 * has made from the first result.
 */
extern const uint8_t kernel_symbols[], kernel_symbols_end[];
/* Defined in kernel/arch/kernel.ld. */
extern const char image_text[], image_text_end[];

size_t symbol_bytes(void)
{
	return (uintptr_t)kernel_symbols_end - (uintptr_t)kernel_symbols;
}

enum status symbol_find(vaddr_t va, char *name, size_t size, uint64_t *ret_offset)
{
	const struct symbol_table table = { kernel_symbols, symbol_bytes() };

	if (va < (uintptr_t)image_text || va >= (uintptr_t)image_text_end)
		return ERR_NOT_FOUND;
	return symbol_table_find(&table, va - (uintptr_t)image_text, name, size, ret_offset);
}

/* Write the name of the function at `at`, with the offset of `va` in it. */
static char *format_place(vaddr_t va, vaddr_t at, char buffer[SYMBOL_TEXT])
{
	char name[SYMBOL_NAME];
	uint64_t offset;

	if (symbol_find(at, name, sizeof(name), &offset) == OK)
		format_s(buffer, SYMBOL_TEXT, "%s+%#llx", name, (unsigned long long)(offset + (va - at)));
	else
		format_s(buffer, SYMBOL_TEXT, "?");
	return buffer;
}

char *symbol_format(vaddr_t va, char buffer[SYMBOL_TEXT])
{
	return format_place(va, va, buffer);
}

char *symbol_format_return(vaddr_t va, char buffer[SYMBOL_TEXT])
{
	return format_place(va, va - 1, buffer);
}
