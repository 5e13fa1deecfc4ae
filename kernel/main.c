/*
 * Starts all parts of the kernel, in order, from the loader's jump to the first program and the monitor (the kernel's
 * own prompt).
 */
#include "kernel/arch/cpu.h"
#include "kernel/arch/features.h"
#include "kernel/arch/percpu.h"
#include "kernel/arch/protection.h"
#include "kernel/arch/smap.h"
#include "kernel/arch/stop_watch.h"
#include "kernel/arch/trap.h"
#include "kernel/boot/boot_info.h"
#include "kernel/dev/boot_progress.h"
#include "kernel/dev/boot_screen.h"
#include "kernel/dev/hvc.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/power.h"
#include "kernel/dev/screen.h"
#include "kernel/dev/serial.h"
#include "kernel/dev/serial_choice.h"
#include "kernel/gdb/gdb_stub.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/log_host.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/lib/time.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/heap/kernel_heap.h"
#include "kernel/mm/space/firmware_context.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/space/mmio.h"
#include "kernel/mm/space/reclaim.h"
#include "kernel/monitor/commands.h"
#include "kernel/monitor/monitor.h"
#include "kernel/monitor/watchdog.h"
#include "kernel/panic/panic_page.h"
#include "kernel/report/cpu_where.h"
#include "kernel/report/hwreport.h"
#include "kernel/report/left_out.h"
#include "kernel/report/lines.h"
#include "kernel/report/report.h"
#include "kernel/report/sys_reports.h"
#include "kernel/selftest/selftests.h"
#include "kernel/sys/devices.h"
#include "kernel/sys/sys.h"
#include "kernel/sys/userland.h"
#include "kernel/task/cpus_start.h"
#include "kernel/task/out_of_memory.h"
#include "kernel/task/task.h"

#define VERSION "0.1"

__attribute__((noreturn)) void kmain(struct boot_info *info, uint64_t tsc);

/*
 * What the loader has handed over, in loader memory that is never reclaimed. Tests read it from outside, by this name.
 */
const struct boot_info *boot_info;

/* Time-stamp counter when the kernel had nothing left to set up. Tests read it by this name. Fixed after boot. */
uint64_t monitor_tsc;

/* Check the handoff, then keep it in boot_info; panic with the name of the first field that is wrong. */
static void check_handoff(struct boot_info *info)
{
	const char *what;
	uint64_t value;

	if ((uintptr_t)info - HHDM_BASE >= HHDM_SIZE)
		panic("handoff: boot_info at %p is not in the direct map", (void *)info);
	if (boot_info_check(info, &what, &value) != OK)
		panic("handoff: boot_info.%s is wrong: %#llx", what, (unsigned long long)value);
	boot_info = info;
}

/*
 * Set the stack canary. The caller, kmain(), is marked NO_CANARY: otherwise it would have stored the old canary in its
 * frame, and would panic on return. The canary's lowest byte is 0, which stops overruns by functions that copy strings.
 */
static void set_canary(const struct boot_info *info, uint64_t tsc)
{
	uint64_t value = tsc;

	for (size_t i = 0; i < info->seed_size && i < sizeof(info->seed); i++)
		value = value * 31 + info->seed[i];
	percpu_set_canary(value << 8);
}

/*
 * Start what frame_fail=N on the command line asks for, which a test sets: the N-th allocation of a frame during the
 * boot fails, and the boot must continue without that frame or log what failed.
 */
static void start_failing(const char *cmdline)
{
	long n = cmdline_number(cmdline, "frame_fail", 0);

	if (n > 0)
		frame_fail_nth(frame_cache_here(), (uint64_t)n);
}

static void stop_failing(const char *cmdline)
{
	long n = cmdline_number(cmdline, "frame_fail", 0);
	uint64_t left = frame_fail_nth(frame_cache_here(), 0);

	if (left)
		log_warn("frame_fail: the boot asked for %llu frames only\n", (unsigned long long)n - left);
	else if (n > 0)
		log_warn("frame_fail: frame %ld was refused\n", n);
}

/*
 * Print how much time each phase of the boot took, from the loader's first instruction on, and how much of that time
 * was spent inside the firmware.
 */
static void print_phases(uint64_t tsc_frequency)
{
	static const char *const names[STAMP_COUNT] = {
		[STAMP_INPUT] = "input",   [STAMP_MEMORY] = "memory map", [STAMP_TABLES] = "page tables",
		[STAMP_EXIT] = "firmware", [STAMP_KERNEL] = "jump",
	};
	uint64_t unit = tsc_frequency >= 1000000 ? tsc_frequency / 1000000 : 1;

	log_info("boot, in %s (of it in the firmware):", unit > 1 ? "us" : "ticks");
	for (int i = STAMP_INPUT; i < STAMP_COUNT; i++)
		log_info(i + 1 < STAMP_COUNT ? " %s %llu (%llu)," : " %s %llu (%llu)\n", names[i],
			 (unsigned long long)((boot_info->tsc[i] - boot_info->tsc[i - 1]) / unit),
			 (unsigned long long)(boot_info->firmware_tsc[i] / unit));
}

static void reclaim_memory(void)
{
	struct reclaimed got = reclaim_boot_memory(boot_info);
	char loader[16], services[16], free[16];

	log_info("reclaimed %s of the loader and %s of boot services; %s free\n",
		 format_size(loader, got.loader * PAGE_SIZE), format_size(services, got.boot_services * PAGE_SIZE),
		 format_size(free, frame_free_count(&machine_frames) * PAGE_SIZE));
}

static void print_reports(uint64_t tsc_frequency)
{
	report_cpu(print_log);
	log_info("memory map:\n");
	report_memory(print_log);
	left_out_print(print_log, hhdm_ptr(boot_info->efi_map), boot_info->efi_map_size, boot_info->efi_descriptor_size,
		       cpu_features()->physical_bits);
	log_info("kernel context:\n");
	report_space(print_log);
	line_print_sizes(print_log);
	print_phases(tsc_frequency);
	if (!report_audit(print_log))
		log_err("audit: this kernel does not keep its memory map\n");
}

/* Run the self-tests: all with `selftest`, one suite with selftest=NAME. */
static void run_selftests(const struct boot_info *info, const char *cmdline)
{
	char only[16];
	bool chosen = cmdline_get(cmdline, "selftest", only, sizeof(only));

	/* Draw each line at once: the tests take seconds, and whoever looks on wants to see how far they are. */
	if (cmdline_has(cmdline, "selftest"))
		screen_show_later(NULL);
	if (cmdline_has(cmdline, "selftest") && !selftests_run(info, chosen ? only : NULL))
		log_err("self-tests: this kernel does not do what it must\n");
}

/*
 * Apply Linux's loglevel=, quiet and printk.time= of the command line. By default all messages but debug ones are
 * shown, without times.
 */
static void set_log(const char *cmdline)
{
	long level = cmdline_number(cmdline, "loglevel", cmdline_has(cmdline, "quiet") ? LOG_WARN : LOG_DEBUG);

	log_set_console_level((int)level);
	if (cmdline_number(cmdline, "printk.time", 0))
		log_show_times();
}

/* Log which sources of the command line the loader has ignored, and why; and what a TPM has been told. */
static void log_sources(uint64_t flags)
{
	static const struct {
		uint64_t flag;
		const char *what;
	} reasons[] = {
		{ BOOT_SECURE, "the firmware's LoadOptions are left aside: Secure Boot is on" },
		{ BOOT_OPTIONS_BINARY, "the firmware's LoadOptions are left aside: they are not text" },
		{ BOOT_OPTIONS_FOREIGN, "the firmware's LoadOptions are left aside: root= names a disk, so they are "
					"some other system's" },
		{ BOOT_CMDLINE_BINARY, ".cmdline is left aside: it holds control characters" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (flags & reasons[i].flag)
			log_warn("command line: %s\n", reasons[i].what);
	if (flags & BOOT_MEASURED)
		log_info("measured boot: the TPM's PCR 11 has the boot file%s%s\n",
			 flags & BOOT_OPTIONS ? ", PCR 12 the command line" : "",
			 flags & (BOOT_INITRD_OFFERED | BOOT_INITRD_FILES) ? ", PCR 9 the archives from outside" : "");
}

/* Return false with Linux's efi=noruntime, for machines whose runtime services are broken. */
static bool wants_firmware(const char *cmdline)
{
	char value[16];

	return !cmdline_get(cmdline, "efi", value, sizeof(value)) || strcmp(value, "noruntime") != 0;
}

/* End the machine after its first program: turn it off, or with panic=N restart it after N seconds. */
static void end_machine(const char *cmdline)
{
	long seconds = cmdline_number(cmdline, "panic", 0);
	uint64_t until = time_add(clock_monotonic_ns(), seconds > 0 ? (uint64_t)seconds * NS_PER_S : 0);

	if (seconds) {
		while (clock_monotonic_ns() < until)
			cpu_pause();
		power_restart();
	}
	power_off();
	log_err("this machine cannot be turned off by software\n");
}

/*
 * Run the programs. With frame_fail_user=N every N-th allocation of a frame fails meanwhile, and with heap_fail_user=N
 * every N-th one of a heap block: programs may fail because of that, but the kernel must not.
 */
static bool run_failing(const char *cmdline, int *ret_status)
{
	long frames = cmdline_number(cmdline, "frame_fail_user", 0),
	     blocks = cmdline_number(cmdline, "heap_fail_user", 0);
	bool ran;

	if (frames > 0)
		frame_fail_every(frame_cache_here(), (uint64_t)frames);
	if (blocks > 0)
		heap_fail_every((uint64_t)blocks);
	ran = userland_run(cmdline, ret_status);
	(void)heap_fail_nth(0);
	(void)frame_fail_nth(frame_cache_here(), 0);
	return ran;
}

/* Run the first program, if there is one, to its end; then end the machine, unless the monitor is to run. */
static void run_programs(const struct boot_info *info, const char *cmdline)
{
	uint64_t free;
	bool has_root;
	int status;

	task_init();
	has_root = userland_init(info);
	cpus_start(cmdline);
	cpu_where_init();
	syscall_cpus_started();
	if (!has_root || !userland_mount(info))
		return;
	free = memory_trim();
	boot_screen_timer_off();
	if (!run_failing(cmdline, &status))
		return;
	if (status & 0x7f)
		log_info("init was ended by signal %d\n", status & 0x7f);
	else
		log_info("init has ended with status %d\n", status >> 8);
	log_info("frames free before the first program and after the last: %llu, %llu\n", (unsigned long long)free,
		 (unsigned long long)memory_trim());
	if (!cmdline_has(cmdline, "monitor"))
		end_machine(cmdline);
}

/*
 * Let other tasks run, such as the one that serves devices, while the monitor waits for input. The monitor calls this
 * as one of its inputs, from which no byte ever comes.
 */
static int let_tasks_run(void)
{
	task_yield();
	return -1;
}

/*
 * Start the watchdog only if watchdog=N, in seconds, is on the command line, since its interrupts keep an idle CPU from
 * sleeping. Start the debug build's log of long stops (stretches in which interrupts are off or one task keeps the CPU)
 * only with the word `stops`, since a slow emulator causes hundreds of them.
 */
static void start_watches(const char *cmdline)
{
	long seconds = cmdline_number(cmdline, "watchdog", 0);

	if (cmdline_has(cmdline, "stops"))
		stop_watch_start(clock_tsc_frequency() / 1000);

	if (seconds > 0)
		watchdog_start(seconds);
}

/*
 * Start the kernel; kernel_entry calls this. `info` comes from the loader, `tsc` is the time-stamp counter at the
 * kernel's first instruction.
 */
NO_CANARY void kmain(struct boot_info *info, uint64_t tsc)
{
	/* Fixed after boot. */
	static struct monitor_input serial_input = { .read = serial_read_console };
	static struct monitor_input hvc_input = { .read = hvc_read };           /* fixed after boot */
	static struct monitor_input keyboard_input = { .read = keyboard_read }; /* fixed after boot */
	static struct monitor_input tasks_input = { .read = let_tasks_run };    /* fixed after boot */
	const char *cmdline;
	uint64_t tsc_frequency;

	stages_reach(STAGE_KERNEL);
	trap_init();
	log_host_init();
	serial_find_first();
	log_add_sink(&serial_sink, LOG_REPLAY);
	panic_page_init();
	stages_reach(STAGE_SERIAL);
	check_handoff(info);
	set_canary(info, tsc);
	stages_reach(STAGE_HANDOFF);
	info->tsc[STAMP_KERNEL] = tsc;
	cmdline = hhdm_ptr(info->cmdline);
	serial_choose(cmdline);
	set_log(cmdline);
	log_info("AnkeOS " VERSION "\n");
	log_sources(info->flags);
	gdb_stub_init(cmdline);

	protection_init();
	machine_frames_init(info);
	kernel_space_init(info);
	stages_reach(STAGE_TABLES);
	start_failing(cmdline);
	context_init();
	kernel_heap_init();
	mmio_init();
	smap_init();
	stages_reach(STAGE_MEMORY);
	stages_draw_on(&info->framebuffer);
	if (!wants_firmware(cmdline) || firmware_init(info) != OK)
		log_warn("no firmware context: power-off and restart by other means\n");
	stages_reach(STAGE_FIRMWARE);
	boot_screen_start(&info->framebuffer, cmdline_has(cmdline, "quiet"));
	stages_reach(STAGE_SCREEN);

	irq_init(info);
	serial_find_more(cmdline);
	hvc_find(cmdline);
	stages_reach(STAGE_CLOCKS);
	stages_draw_end();
	boot_screen_timer_on();
	gdb_stub_interrupts_on();
	tsc_frequency = clock_tsc_frequency();
	panic_page_set_restart(cmdline_number(cmdline, "panic", 0), tsc_frequency);
	report_init(info);
	print_reports(tsc_frequency);
	hwreport_at_boot(info, cmdline);
	reclaim_memory();
	stop_failing(cmdline);
	run_selftests(info, cmdline);

	keyboard_init();
	commands_init();
	sys_reports_init();
	monitor_add_input(&serial_input);
	monitor_add_input(&hvc_input);
	monitor_add_input(&keyboard_input);
	start_watches(cmdline);
	if (!cmdline_has(cmdline, "quiet"))
		report_picture_on_screen();
	stages_reach(STAGE_READY);
	monitor_tsc = cpu_rdtsc();
	run_programs(info, cmdline);
	boot_screen_timer_off();
	screen_show_later(NULL);
	screen_show();
	monitor_add_input(&tasks_input);
	devices_start();
	monitor_run();
}
