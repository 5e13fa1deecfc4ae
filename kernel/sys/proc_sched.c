/*
 * Makes the files /proc/sys/kernel/sched_…: the limit on the CPU time of real-time tasks (kernel/task/rt_share.h),
 * and the length of SCHED_RR's time slices.
 */
#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/digit.h"
#include "kernel/sys/proc.h"
#include "kernel/task/sched.h"

#define NO_LIMIT (-1) /* the value of sched_rt_runtime_us when there is no limit */

/*
 * Parse an integer with blanks around it, as on Linux. Returns 0; -EINVAL: it is no integer, or does not fit in an
 * int.
 */
static int parse_int(const char *text, int *ret)
{
	int64_t value = 0;
	bool negative;
	const char *start;

	while (*text == ' ' || *text == '\t')
		text++;
	negative = *text == '-';
	text += negative;
	for (start = text; digit_value(*text) < 10; text++) {
		value = value * 10 + (int64_t)digit_value(*text);
		if (value > INT32_MAX)
			return -EINVAL;
	}
	if (text == start || (*text && *text != ' ' && *text != '\t' && *text != '\n'))
		return -EINVAL;
	*ret = (int)(negative ? -value : value);
	return 0;
}

/* Set the period, and the CPU time that real-time tasks may use in it, with effect from now on. */
static void set_allowance(struct rt_allowance allowance)
{
	uint64_t flags = lock_take(&task_lock);

	rt_settings.allowance = allowance;
	lock_release(&task_lock, flags);
	sched_look();
}

static int make_period(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%llu\n", (unsigned long long)(rt_settings.allowance.period_ns / NS_PER_US));
	return 0;
}

static int take_period(struct node *node, const char *bytes, size_t size)
{
	struct rt_allowance allowance = rt_settings.allowance;
	int us, error = parse_int(bytes, &us);

	(void)node;
	(void)size;
	if (error)
		return error;
	allowance.period_ns = (uint64_t)us * NS_PER_US;
	if (us <= 0 || (allowance.runtime_ns != TIME_NEVER && allowance.runtime_ns > allowance.period_ns))
		return -EINVAL;
	set_allowance(allowance);
	return 0;
}

static int make_runtime(struct node *node, struct text *ret)
{
	uint64_t ns = rt_settings.allowance.runtime_ns;

	(void)node;
	text_add(ret, "%d\n", ns == TIME_NEVER ? NO_LIMIT : (int)(ns / NS_PER_US));
	return 0;
}

static int take_runtime(struct node *node, const char *bytes, size_t size)
{
	struct rt_allowance allowance = rt_settings.allowance;
	int us, error = parse_int(bytes, &us);

	(void)node;
	(void)size;
	if (error)
		return error;
	if (us < NO_LIMIT || (us >= 0 && (uint64_t)us * NS_PER_US > allowance.period_ns))
		return -EINVAL;
	allowance.runtime_ns = us == NO_LIMIT ? TIME_NEVER : (uint64_t)us * NS_PER_US;
	set_allowance(allowance);
	return 0;
}

static int make_turn(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%llu\n", (unsigned long long)(rt_settings.turn_ns / NS_PER_MS));
	return 0;
}

/* Set the length of time slices in ms; as on Linux, a number of 0 or less sets the default length. */
static int take_turn(struct node *node, const char *bytes, size_t size)
{
	int ms, error = parse_int(bytes, &ms);
	uint64_t flags;

	(void)node;
	(void)size;
	if (error)
		return error;
	flags = lock_take(&task_lock);
	rt_settings.turn_ns = ms > 0 ? (uint64_t)ms * NS_PER_MS : RT_TURN_NS;
	lock_release(&task_lock, flags);
	return 0;
}

#define FILE_644(text, name)                                                                                 \
	{                                                                                                    \
		.path = "sys/kernel/" text, .mode = S_IFREG | 0644, .make = make_##name, .take = take_##name \
	}

void proc_sched_init(struct text_fs_type *type)
{
	static struct text_entry entries[] = {
		FILE_644("sched_rt_period_us", period),
		FILE_644("sched_rt_runtime_us", runtime),
		FILE_644("sched_rr_timeslice_ms", turn),
	};

	text_fs_add(type, entries, sizeof(entries) / sizeof(entries[0]));
}
