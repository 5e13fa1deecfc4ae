/*
 * Passes the machine's own memory map, spaces and processes to the printers of this directory, which do the formatting.
 */
#include "kernel/report/report.h"

#include <stdarg.h>

#include "kernel/arch/cpu.h"
#include "kernel/arch/features.h"
#include "kernel/dev/screen.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/space/firmware_context.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/report/audit.h"
#include "kernel/report/map.h"
#include "kernel/report/map_draw.h"
#include "kernel/report/walk_report.h"
#include "kernel/sync/open_section.h"
#include "kernel/task/find.h"

/* Defined in kernel/arch/kernel.ld. */
extern const char boot_stack_top[], df_stack_top[], nmi_stack_top[], mc_stack_top[];

/* The loader's hand-off, and names for the segments of the image. Fixed after boot. */
static const struct boot_info *boot;
static struct map_label labels[BOOT_SEGMENTS];

/*
 * Return the name of a segment of the kernel's image: a stack is a segment of its own, recognized by its end; code,
 * data and read-only data are recognized by their rights.
 */
static const char *segment_name(const struct boot_segment *g)
{
	const struct {
		const char *top;
		const char *name;
	} stacks[] = {
		{ boot_stack_top, "boot stack" },
		{ df_stack_top, "#DF stack" },
		{ nmi_stack_top, "NMI stack" },
		{ mc_stack_top, "#MC stack" },
	};

	for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
		if (g->va + g->pages * PAGE_SIZE == (uintptr_t)stacks[i].top)
			return stacks[i].name;
	if (g->prot & PROT_X)
		return "kernel text";
	return g->prot & PROT_W ? "kernel data" : "kernel rodata";
}

void report_init(const struct boot_info *info)
{
	boot = info;
	for (size_t i = 0; i < info->segment_count; i++) {
		const struct boot_segment *g = &info->segments[i];

		labels[i] = (struct map_label){ g->va, g->va + g->pages * PAGE_SIZE, segment_name(g) };
	}
}

void report_cpu(print_fn *print)
{
	const struct cpu_features *f = cpu_features();
	char text[256];

	format_s(text, sizeof(text), "%s, %s family %u model %u stepping %u, %u physical and %u linear bits",
		 f->brand[0] ? f->brand : "without a name", f->vendor, f->family, f->model, f->stepping,
		 f->physical_bits, f->linear_bits);
	print_wrapped(print, "CPU:", text);
	cpu_features_format(f, text, sizeof(text));
	print_wrapped(print, "CPU features:", text);
}

void report_control_registers(print_fn *print)
{
	print("CR0 %#llx, CR3 %#llx, CR4 %#llx, EFER %#llx, PAT 0x%016llx\n", (unsigned long long)cpu_read_cr0(),
	      (unsigned long long)cpu_read_cr3(), (unsigned long long)cpu_read_cr4(),
	      (unsigned long long)cpu_read_msr(MSR_EFER), (unsigned long long)cpu_read_msr(MSR_PAT));
}

void report_memory(print_fn *print)
{
	map_print_memory(print, machine_memmap);
}

void report_memory_totals(print_fn *print)
{
	map_print_totals(print, machine_memmap);
}

void report_space(print_fn *print)
{
	map_print_space(print, &kernel_space, labels, boot->segment_count);
}

void report_picture(print_fn *print, unsigned columns)
{
	map_draw_memory(print, machine_memmap, columns);
	map_draw_space(print, &kernel_space, columns);
	print("\n");
}

static void print_on_screen(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	format_quoted_v(text, sizeof(text), format, args);
	va_end(args);
	screen_sink.write(text, strlen(text));
}

void report_picture_on_screen(void)
{
	unsigned rows, columns;

	screen_size(&rows, &columns);
	if (rows)
		report_picture(print_on_screen, columns);
}

void report_user_space(print_fn *print)
{
	map_print_space(print, &process_current()->space->context.space, labels, boot->segment_count);
}

static bool audit_context(print_fn *print, const char *name, const struct space *s, enum audit_kind kind)
{
	const struct audit_facts facts = {
		.kernel = &kernel_space,
		.memmap = machine_memmap,
		.segments = boot->segments,
		.segment_count = boot->segment_count,
		.physical_bits = cpu_features()->physical_bits,
	};
	struct audit audit;

	audit_space(s, kind, &facts, &audit);
	audit_print(print, name, &audit);
	return audit_total(&audit) == 0;
}

/* The argument of audit_process(), for process_visit(). */
struct process_audits {
	print_fn *print;
	bool good;
};

static bool audit_process(void *ctx, struct process *process)
{
	struct process_audits *audits = ctx;
	char name[48];

	if (!process->space)
		return true;
	format_s(name, sizeof(name), "context of process %d", process->pid);
	audits->good &= audit_context(audits->print, name, &process->space->context.space, AUDIT_AS_USER);
	return true;
}

bool report_audit(print_fn *print)
{
	struct process_audits audits = { print, true };

	const struct space *firmware = firmware_space();
	bool good = audit_context(print, "kernel context", &kernel_space, AUDIT_AS_KERNEL);

	if (firmware)
		good &= audit_context(print, "firmware context", firmware, AUDIT_AS_FIRMWARE);
	open_sections_close();
	process_visit(audit_process, &audits);
	open_sections_allow();
	return good && audits.good;
}
