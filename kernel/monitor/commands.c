/*
 * The monitor's commands about the machine. Each function here only parses arguments and calls the function in
 * kernel/report, or elsewhere, that does the work.
 */
#include "kernel/monitor/commands.h"

#include "kernel/dev/power.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/monitor/monitor.h"
#include "kernel/monitor/provoke.h"
#include "kernel/report/context_report.h"
#include "kernel/report/cpus_report.h"
#include "kernel/report/hwreport.h"
#include "kernel/report/irq_report.h"
#include "kernel/report/map_draw.h"
#include "kernel/report/memory_report.h"
#include "kernel/report/report.h"
#include "kernel/report/task_report.h"
#include "kernel/report/walk_report.h"
#include "kernel/sys/sys.h"
#include "kernel/task/find.h"

static void run_map(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	report_memory(say);
	report_space(say);
	report_picture(say, MAP_DRAW_USUAL);
}

static void run_audit(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	report_audit(say);
}

static void run_walk(int argc, char **argv)
{
	uint64_t va;

	if (argc != 2 || !monitor_number(argv[1], &va)) {
		monitor_usage(argv[0]);
		return;
	}
	walk_print(say, &kernel_space, va);
	walk_print_leaf(say, &kernel_space, va);
}

static void run_mem(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	report_memory_totals(say);
	report_frames(say);
}

static void run_heap(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	report_heap(say);
}

static void run_irqs(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	report_irqs(say);
}

static void run_stats(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	report_contexts(say);
}

static void run_cpu(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	report_cpu(say);
	report_control_registers(say);
}

static void run_cpus(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	report_cpus(say);
}

static void run_hwreport(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	hwreport(say);
}

static void run_tasks(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	report_tasks(say);
}

static void run_where(int argc, char **argv)
{
	const struct task *task;
	uint64_t tid;

	if (argc != 2 || !monitor_number(argv[1], &tid)) {
		monitor_usage(argv[0]);
		return;
	}
	task = tid <= INT32_MAX ? task_peek((int)tid) : NULL;
	if (task)
		report_where(say, task, NULL);
	else
		say("no task %s\n", argv[1]);
}

static void run_syscalls(int argc, char **argv)
{
	if (argc == 1)
		report_syscalls(say);
	else if (argc == 2 && !strcmp(argv[1], "on"))
		syscall_clock_start();
	else if (argc == 2 && !strcmp(argv[1], "off"))
		syscall_clock_stop();
	else
		monitor_usage(argv[0]);
}

static void run_panic(int argc, char **argv)
{
	if (argc > 2 || !provoke(argc == 2 ? argv[1] : "panic"))
		monitor_usage(argv[0]);
}

static void run_reboot(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	power_restart();
}

static void run_poweroff(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	power_off();
	say("This machine cannot turn itself off.\n");
}

void commands_init(void)
{
	/* Fixed after boot. */
	static struct monitor_command commands[] = {
		{ .name = "map",
		  .arguments = "",
		  .help = "the memory map and what the kernel context maps, listed and drawn",
		  .run = run_map },
		{ .name = "audit", .arguments = "", .help = "check the live page tables", .run = run_audit },
		{ .name = "walk", .arguments = "ADDR", .help = "each level's entry for an address", .run = run_walk },
		{ .name = "mem",
		  .arguments = "",
		  .help = "how much memory of which type, and how many frames are free",
		  .run = run_mem },
		{ .name = "heap", .arguments = "", .help = "what the kernel heap holds", .run = run_heap },
		{ .name = "cpu",
		  .arguments = "",
		  .help = "the CPU, its features and control registers",
		  .run = run_cpu },
		{ .name = "cpus",
		  .arguments = "",
		  .help = "what each CPU runs, its context, and counters",
		  .run = run_cpus },
		{ .name = "hwreport",
		  .arguments = "",
		  .help = "all of the machine's facts, for docs/hardware.md's way to report it",
		  .run = run_hwreport },
		{ .name = "stats",
		  .arguments = "",
		  .help = "switches of contexts, invalidations, frames in tables",
		  .run = run_stats },
		{ .name = "irqs",
		  .arguments = "",
		  .help = "the clocks, and the interrupts of each vector",
		  .run = run_irqs },
		{ .name = "tasks",
		  .arguments = "",
		  .help = "all tasks: state, context, pages, CPU time",
		  .run = run_tasks },
		{ .name = "where",
		  .arguments = "TID",
		  .help = "a task that waits: in which system call, and who called whom",
		  .run = run_where },
		{ .name = "syscalls",
		  .arguments = "[on|off]",
		  .help = "what system calls have cost; count ticks too from now on, or no longer",
		  .run = run_syscalls },
		{ .name = "panic",
		  .arguments = "[HOW]",
		  .help = "end it all, for real: " PROVOKE_HOW,
		  .run = run_panic },
		{ .name = "reboot", .arguments = "", .help = "restart the machine", .run = run_reboot },
		{ .name = "poweroff", .arguments = "", .help = "turn the machine off", .run = run_poweroff },
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		monitor_add(&commands[i]);
}
