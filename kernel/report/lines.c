/*
 * Source lines of kernel code: finds the kernel's line table in the image, and prints its places as text.
 */
#include "kernel/report/lines.h"

#include "kernel/lib/format.h"
#include "kernel/report/symbols.h"

/*
 * Made by scripts/mklines. The kernel is linked twice: first with an empty table, then with the table that the script
 * has made from the first result.
 */
extern const uint8_t kernel_lines[], kernel_lines_end[];
/* Defined in kernel/arch/kernel.ld. */
extern const char image_text[], image_text_end[];

static struct line_table table(void)
{
	return (struct line_table){ kernel_lines, (uintptr_t)kernel_lines_end - (uintptr_t)kernel_lines };
}

size_t line_find(vaddr_t va, struct line_place places[LINE_DEPTH])
{
	const struct line_table lines = table();

	if (va < (uintptr_t)image_text || va >= (uintptr_t)image_text_end)
		return 0;
	return line_table_find(&lines, va - (uintptr_t)image_text, places);
}

char *line_format(const struct line_place *places, size_t count, char buffer[LINE_TEXT])
{
	const struct line_table lines = table();
	char path[LINE_NAME];

	buffer[0] = '\0';
	if (count)
		format_s(buffer, LINE_TEXT, " (%s:%u)", line_table_file(&lines, places->file, path), places->line);
	return buffer;
}

size_t line_print_place(print_fn *print, const char *label, vaddr_t va, vaddr_t at, size_t most)
{
	const struct line_table lines = table();
	struct line_place places[LINE_DEPTH];
	char name[SYMBOL_TEXT], line[LINE_TEXT];
	size_t count = line_find(at, places), inlined = count ? count - 1 : 0;

	if (inlined + 1 > most)
		return 0;
	for (size_t i = 0; i < inlined; i++)
		print("     %s%s, inlined in\n", line_table_name(&lines, places[i].function, name),
		      line_format(&places[i], 1, line));
	print("%s0x%016llx %s%s\n", label, (unsigned long long)va,
	      va == at ? symbol_format(va, name) : symbol_format_return(va, name),
	      line_format(&places[inlined], count, line));
	return inlined + 1;
}

void line_print_sizes(print_fn *print)
{
	print("symbols: %zu bytes of names, %zu of lines\n", symbol_bytes(), table().size);
}
