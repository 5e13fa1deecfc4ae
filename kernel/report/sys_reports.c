/*
 * The reports of the monitor (the kernel's own prompt) as files; see sys_reports.h. Each file runs the function that
 * prints the report when the file is read.
 */
#include "kernel/report/sys_reports.h"

#include "kernel/fs/sysfs.h"
#include "kernel/mm/space/context.h"
#include "kernel/report/context_report.h"
#include "kernel/report/cpus_report.h"
#include "kernel/report/hwreport.h"
#include "kernel/report/irq_report.h"
#include "kernel/report/map_draw.h"
#include "kernel/report/memory_report.h"
#include "kernel/report/report.h"
#include "kernel/report/task_report.h"

/*
 * bytes reserved for the heap's report before it is made: a text that grew by allocation would change the heap that it
 * describes
 */
#define HEAP_ROOM 65536

/*
 * The text that print_text() adds to, a variable because a print_fn has no argument for it. Only one report is made at
 * a time, since no report blocks. Guard: tasks only, which the kernel does not preempt.
 */
static struct text *target;

static void print_text(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_add_v(target, format, args);
	va_end(args);
}

/* Run `report` in the kernel context, which alone maps the page tables and the allocators' records. Returns 0. */
static int run(struct text *ret, void (*report)(print_fn *print))
{
	context_token_t token = kernel_context_enter();

	target = ret;
	report(print_text);
	target = NULL;
	kernel_context_leave(token);
	return 0;
}

static void print_map(print_fn *print)
{
	report_memory(print);
	report_space(print);
}

static void print_picture(print_fn *print)
{
	report_picture(print, MAP_DRAW_USUAL);
}

static void print_audit(print_fn *print)
{
	(void)report_audit(print);
}

static void print_mem(print_fn *print)
{
	report_memory_totals(print);
	report_frames(print);
}

static void print_cpu(print_fn *print)
{
	report_cpu(print);
	report_control_registers(print);
}

static void print_heap(print_fn *print)
{
	text_reserve(target, HEAP_ROOM);
	report_heap(print);
}

#define REPORT(name, report)                                        \
	static int make_##name(struct node *node, struct text *ret) \
	{                                                           \
		(void)node;                                         \
		return run(ret, report);                            \
	}

REPORT(map, print_map)
REPORT(picture, print_picture)
REPORT(context, report_user_space)
REPORT(audit, print_audit)
REPORT(counters, report_contexts)
REPORT(syscalls, report_syscalls)
REPORT(heap, print_heap)
REPORT(mem, print_mem)
REPORT(irqs, report_irqs)
REPORT(tasks, report_tasks)
REPORT(cpu, print_cpu)
REPORT(cpus, report_cpus)
REPORT(hwreport, hwreport)

#define REPORT_FILE(name)                                                                   \
	{                                                                                   \
		.path = "kernel/ankeos/" #name, .mode = S_IFREG | 0444, .make = make_##name \
	}

void sys_reports_init(void)
{
	/* Fixed after boot. */
	static struct text_entry entries[] = {
		REPORT_FILE(map),      REPORT_FILE(context), REPORT_FILE(audit),   REPORT_FILE(counters),
		REPORT_FILE(syscalls), REPORT_FILE(heap),    REPORT_FILE(mem),     REPORT_FILE(irqs),
		REPORT_FILE(tasks),    REPORT_FILE(cpu),     REPORT_FILE(picture), REPORT_FILE(hwreport),
		REPORT_FILE(cpus),
	};

	sysfs_add(entries, sizeof(entries) / sizeof(entries[0]));
}
