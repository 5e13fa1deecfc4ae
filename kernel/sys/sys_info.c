/* System calls about the system as a whole: uname, sysinfo, reboot and the like; and getrandom. */
#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/dev/power.h"
#include "kernel/irq/cpu_calls.h"
#include "kernel/lib/log.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/space/context.h"
#include "kernel/sys/system_names.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/load_average.h"
#include "kernel/task/personality.h"
#include "kernel/task/process_limits.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/user_return.h"

/* The names that uname(2) returns. Guard: tasks only, which the kernel does not preempt. */
struct linux_utsname system_names = {
	.system = "Linux",
	.node = "anke",
	.release = "6.1.0-anke",
	.version = "AnkeOS",
	.machine = "x86_64",
	.domain = "(none)",
};

#define RELEASE_26 "2.6.61-anke"

SYSCALL_1(uname, to)
{
	struct linux_utsname names = system_names;

	if ((task_current()->personality & PERSONALITY_MASK) == PERSONALITY_32)
		memcpy(names.machine, "i686", sizeof("i686"));
	/*
	 * As on Linux, programs that accept no release above 2.6 can be shown one: version 6.N is 2.6.(60 + N) to them.
	 */
	if (task_current()->personality & UNAME_26)
		memcpy(names.release, RELEASE_26, sizeof(RELEASE_26));
	return args_put(to, &names, sizeof(names));
}

static int64_t set_name(char to[SYSTEM_NAME_SIZE], uint64_t from, uint64_t size)
{
	char name[SYSTEM_NAME_SIZE] = "";
	int error;

	if (size >= SYSTEM_NAME_SIZE)
		return -EINVAL;
	error = args_get(name, from, size);
	if (!error)
		memcpy(to, name, SYSTEM_NAME_SIZE);
	return error;
}

SYSCALL_2(sethostname, from, size)
{
	return rights_can(CAP_SYS_ADMIN) ? set_name(system_names.node, from, size) : -EPERM;
}

SYSCALL_2(setdomainname, from, size)
{
	return rights_can(CAP_SYS_ADMIN) ? set_name(system_names.domain, from, size) : -EPERM;
}

/* Set the task's personality, unless `wanted` is 0xffffffff, and return the old one. */
SYSCALL_1(personality, wanted)
{
	const uint32_t old = task_current()->personality;

	if ((uint32_t)wanted == UINT32_MAX)
		return old;
	task_current()->personality = (uint32_t)wanted;
	return old;
}

#define INFO_LOAD_SHIFT 16

/* Linux's struct sysinfo. */
struct linux_sysinfo {
	int64_t uptime;    /* seconds since boot */
	uint64_t loads[3]; /* average number of runnable tasks in 1, 5 and 15 minutes, in 1 / 2^INFO_LOAD_SHIFT */
	uint64_t total_ram, free_ram, shared_ram, buffer_ram;
	uint64_t total_swap, free_swap;
	uint16_t processes;
	uint16_t pad;
	uint64_t total_high, free_high;
	uint32_t unit; /* bytes of a unit of memory */
};

_Static_assert(sizeof(struct linux_sysinfo) == 112, "Linux's struct sysinfo");

/*
 * Return how many frames are free. The allocator's records are mapped only in the kernel context, the kernel's own page
 * tables.
 */
static uint64_t free_frames(void)
{
	context_token_t token = kernel_context_enter();
	uint64_t frames = frame_free_count(&machine_frames);

	kernel_context_leave(token);
	return frames;
}

SYSCALL_1(sysinfo, to)
{
	struct linux_sysinfo info = { .unit = 1 };

	info.uptime = (int64_t)(clock_monotonic_ns() / NS_PER_S);
	info.processes = process_tasks() < UINT16_MAX ? (uint16_t)process_tasks() : UINT16_MAX;
	for (int i = 0; i < 3; i++)
		info.loads[i] = load_averages[i] >> (LOAD_SHIFT - INFO_LOAD_SHIFT);
	info.total_ram = machine_frames.total * PAGE_SIZE;
	info.free_ram = free_frames() * PAGE_SIZE;
	return args_put(to, &info, sizeof(info));
}

#define GRND_KNOWN 7 /* GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE */

/* Copy random bytes from `stream` to user memory. Returns how many, or a negative error number if none was copied. */
static int64_t put_random(struct random_stream *stream, uint64_t to, uint64_t size)
{
	uint8_t bytes[256];
	uint64_t done = 0;

	while (done < size) {
		size_t piece = size - done < sizeof(bytes) ? size - done : sizeof(bytes), copied;
		enum status status;

		random_stream_take(stream, bytes, piece);
		status = copy_to_user_some(user_pointer(to + done), bytes, piece, &copied);
		memset(bytes, 0, sizeof(bytes));
		done += copied;
		if (status != OK)
			return done ? (int64_t)done : copy_errno(status);
		if (task_give_way() || signal_pending(task_current()))
			break;
	}
	return (int64_t)done;
}

SYSCALL_3(getrandom, to, size, flags)
{
	struct random_stream stream;
	int64_t done;

	if (flags & ~(uint64_t)GRND_KNOWN)
		return -EINVAL;
	size = size < INT32_MAX ? size : INT32_MAX;
	random_stream_begin(&stream, size);
	done = put_random(&stream, to, size);
	random_stream_end(&stream);
	return done;
}

#define REBOOT_MAGIC   0xfee1deadU
#define REBOOT_MAGIC2  672274793U
#define REBOOT_MAGIC2A 85072278U
#define REBOOT_MAGIC2B 369367448U
#define REBOOT_MAGIC2C 537993216U

enum reboot_command {
	REBOOT_RESTART = 0x01234567,
	REBOOT_HALT = (int)0xcdef0123,
	REBOOT_POWER_OFF = 0x4321fedc,
	REBOOT_CAD_ON = (int)0x89abcdef,
	REBOOT_CAD_OFF = 0,
};

/* Halt the CPU for ever; the machine stays on. */
static void halt(void)
{
	log_info("System halted.\n");
	irq_close();
	cpu_calls_stop_others();
	for (;;)
		cpu_halt();
}

SYSCALL_3(reboot, magic, magic2, command)
{
	uint32_t second = (uint32_t)magic2;

	if (!rights_can(CAP_SYS_BOOT))
		return -EPERM;
	if ((uint32_t)magic != REBOOT_MAGIC || (second != REBOOT_MAGIC2 && second != REBOOT_MAGIC2A &&
						second != REBOOT_MAGIC2B && second != REBOOT_MAGIC2C))
		return -EINVAL;
	switch ((int)command) {
	case REBOOT_CAD_ON:
	case REBOOT_CAD_OFF:
		return 0;
	case REBOOT_RESTART:
		kernel_context_enter();
		power_restart();
	case REBOOT_POWER_OFF:
		kernel_context_enter();
		power_off();
		halt();
		break;
	case REBOOT_HALT:
		halt();
	}
	return -EINVAL;
}
