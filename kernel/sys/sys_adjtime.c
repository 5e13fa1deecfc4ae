/*
 * adjtimex(2) and clock_adjtime(2): check what a program asks for, translate it, and tell the present state.
 * time_adjust.h does the adjustment.
 */
#include "kernel/irq/timer.h"
#include "kernel/sys/clock_id.h"
#include "kernel/sys/time_adjust.h"
#include "kernel/sys/timerfd.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/refused_feature.h"

enum adjust_mode {
	ADJ_OFFSET = 0x1,
	ADJ_FREQUENCY = 0x2,
	ADJ_MAXERROR = 0x4,
	ADJ_ESTERROR = 0x8,
	ADJ_STATUS = 0x10,
	ADJ_TIMECONST = 0x20,
	ADJ_TAI = 0x80,
	ADJ_SETOFFSET = 0x100,
	ADJ_MICRO = 0x1000,
	ADJ_NANO = 0x2000,
	ADJ_TICK = 0x4000,
	ADJ_ADJTIME = 0x8000, /* for adjtime(3), which also sets ADJ_OFFSET, and ADJ_NANO to only read */
};

/* The state of the wall clock, which both calls return. */
enum time_state { TIME_OK, TIME_INS, TIME_DEL, TIME_WAIT = 4, TIME_ERROR };

/* Linux's struct timex. */
struct linux_timex {
	uint32_t modes, pad;
	int64_t offset, frequency, most_error_us, error_us;
	int32_t status, pad2;
	int64_t constant, precision, tolerance;
	struct linux_timeval time;
	int64_t tick_us;
	int64_t pulses[8]; /* about a clock that gives a pulse each second; always 0, as there is none */
	int32_t tai, unused[11];
};

_Static_assert(sizeof(struct linux_timex) == 208, "Linux's struct timex");

/* Return how many ns a unit of the program's times has. */
static int64_t unit(unsigned status)
{
	return status & STA_NANO ? 1 : 1000;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* Check what a program asks for. Returns 0, -EPERM, -EINVAL. */
static int check(const struct linux_timex *in)
{
	const bool may = rights_can(CAP_SYS_TIME);

	if (in->modes & ADJ_ADJTIME) {
		if (!(in->modes & ADJ_OFFSET))
			return -EINVAL;
		return in->modes & ADJ_NANO || may ? 0 : -EPERM;
	}
	if (in->modes && !may)
		return -EPERM;
	if (in->modes & ADJ_TICK && (in->tick_us < ADJUST_TICK_US * 9 / 10 || in->tick_us > ADJUST_TICK_US * 11 / 10))
		return -EINVAL;
	if (in->modes & ADJ_SETOFFSET &&
	    (in->time.microseconds < 0 || in->time.microseconds >= (in->modes & ADJ_NANO ? 1000000000 : 1000000)))
		return -EINVAL;
	/* CLOCK_TAI is always the same as CLOCK_REALTIME here. */
	if (in->modes & ADJ_TAI && in->constant)
		return refuse_feature(-EINVAL, "adjtimex: a difference of CLOCK_TAI, ADJ_TAI", 0);
	return 0;
}

/*
 * Add to the wall clock at once. Returns 0; or -EINVAL: the new time would be before the machine's start, or too late.
 */
static int jump(const struct linux_timex *in)
{
	const int64_t most = INT64_MAX / (int64_t)NS_PER_S / 4;
	const int64_t part = in->time.microseconds * (in->modes & ADJ_NANO ? 1 : 1000);
	int64_t to;

	if (in->time.seconds < -most || in->time.seconds > most)
		return -EINVAL;
	if (__builtin_add_overflow((int64_t)clock_realtime_ns(), in->time.seconds * (int64_t)NS_PER_S + part, &to) ||
	    to < (int64_t)clock_monotonic_ns() || (uint64_t)to > WALL_CLOCK_MOST_NS)
		return -EINVAL;
	timer_set_wall_clock((uint64_t)to);
	timerfd_clock_set();
	return 0;
}

/* Change what `modes` names, in the order in which Linux does. */
static void change(struct time_adjustment *to, const struct linux_timex *in)
{
	if (in->modes & ADJ_STATUS)
		to->status = (to->status & STA_FIXED) | ((unsigned)in->status & ~(unsigned)STA_FIXED);
	if (in->modes & ADJ_NANO)
		to->status |= STA_NANO;
	if (in->modes & ADJ_MICRO)
		to->status &= ~(unsigned)STA_NANO;
	if (in->modes & ADJ_FREQUENCY)
		to->frequency = clamp(in->frequency, -ADJUST_FREQUENCY, ADJUST_FREQUENCY);
	if (in->modes & ADJ_MAXERROR) {
		to->most_error_us = in->most_error_us;
		to->error_set_ns = clock_monotonic_ns();
	}
	if (in->modes & ADJ_ESTERROR)
		to->error_us = in->error_us;
	/* As on Linux, a program that counts in us passes a constant that is 4 less than the one it means. */
	if (in->modes & ADJ_TIMECONST)
		to->constant = clamp(clamp(in->constant, 0, ADJUST_CONSTANT) + (to->status & STA_NANO ? 0 : 4), 0,
				     ADJUST_CONSTANT);
	if (in->modes & ADJ_OFFSET && to->status & STA_PLL)
		to->offset = clamp(clamp(in->offset, -ADJUST_OFFSET_NS, ADJUST_OFFSET_NS) * unit(to->status),
				   -ADJUST_OFFSET_NS, ADJUST_OFFSET_NS) *
			     65536;
	if (in->modes & ADJ_TICK)
		to->tick_us = in->tick_us;
}

/*
 * Do adjtime(3): set timex->offset to the us that an earlier call still has to add; without ADJ_NANO replace them by
 * the program's offset.
 */
static void change_single(struct time_adjustment *to, struct linux_timex *timex)
{
	const int64_t before = to->single_us;

	if (!(timex->modes & ADJ_NANO))
		to->single_us = timex->offset;
	timex->offset = before;
}

/* Fill in how the clock is adjusted. Returns the state (enum time_state). */
static int tell(struct linux_timex *out, const struct time_adjustment *from)
{
	const uint64_t now = clock_realtime_ns();

	if (!(out->modes & ADJ_ADJTIME))
		out->offset = from->offset / 65536 / unit(from->status);
	out->frequency = from->frequency;
	out->most_error_us = from->most_error_us;
	out->error_us = from->error_us;
	out->status = (int32_t)from->status;
	out->constant = from->constant;
	out->precision = 1;
	out->tolerance = ADJUST_FREQUENCY;
	out->time.seconds = (int64_t)(now / NS_PER_S);
	out->time.microseconds = (int64_t)(now % NS_PER_S) / unit(from->status);
	out->tick_us = from->tick_us;
	for (size_t i = 0; i < sizeof(out->pulses) / sizeof(out->pulses[0]); i++)
		out->pulses[i] = 0;
	out->tai = 0;
	if (from->status & STA_UNSYNC)
		return TIME_ERROR;
	if (!(from->status & (STA_INS | STA_DEL)))
		return TIME_OK;
	return from->leapt ? TIME_WAIT : from->status & STA_INS ? TIME_INS : TIME_DEL;
}

static int64_t adjust(struct linux_timex *timex)
{
	/*
	 * A call that only reads must not even set the adjustment that it has read: the clock has moved on meanwhile.
	 */
	const bool sets = timex->modes && !(timex->modes & ADJ_ADJTIME && timex->modes & ADJ_NANO);
	struct time_adjustment adjustment;
	int error = check(timex);

	if (!error && timex->modes & ADJ_SETOFFSET && !(timex->modes & ADJ_ADJTIME))
		error = jump(timex);
	if (error)
		return error;
	adjustment = time_adjust_get();
	if (timex->modes & ADJ_ADJTIME)
		change_single(&adjustment, timex);
	else
		change(&adjustment, timex);
	if (sets)
		time_adjust_set(&adjustment);
	return tell(timex, &adjustment);
}

/*
 * Adjust the wall clock, and copy the new state to the program. With an `error`, return that instead, after -EFAULT for
 * a structure that cannot be read.
 */
static int64_t adjust_for(uint64_t at, int error)
{
	struct linux_timex timex;
	int64_t result = args_get(&timex, at, sizeof(timex));

	if (!result)
		result = error ? error : adjust(&timex);
	if (result < 0)
		return result;
	error = args_put_late(at, &timex, sizeof(timex));
	return error ? error : result;
}

SYSCALL_1(adjtimex, at)
{
	return adjust_for(at, 0);
}

SYSCALL_2(clock_adjtime, id, at)
{
	uint64_t ns;

	if ((uint32_t)id == CLOCK_REALTIME)
		return adjust_for(at, 0);
	return adjust_for(at, clock_read(id, &ns) == 0 ? -EOPNOTSUPP : -EINVAL);
}
