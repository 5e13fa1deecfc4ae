/*
 * Adjusts the wall clock in small steps, 50 in a second, as long as there is something to adjust. For a frequency that
 * is wrong by 500 ppm, the most that programs can correct without changing the tick, a step is 10 us. A clock that is
 * too fast goes back by such a step.
 */
#include "kernel/sys/time_adjust.h"

#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/time.h"
#include "kernel/sync/lock.h"

#define STEP_NS     (20 * NS_PER_MS)
#define SINGLE_RATE 500 /* us by which adjtime(3) moves the clock in a second */
#define LONGEST_US  1000000
#define TICKS       100   /* ticks in a second */
#define UNITS       65536 /* units of `rest` and of offsets in 1 ns: what is less than 1 ns is moved later */
#define DAY_NS      (86400 * NS_PER_S)

static void step(struct timer *timer);

static struct lock lock = LOCK_INITIAL(LOCK_TIMERFD);

/* Guard of the variables that follow: `lock`. */
static struct time_adjustment current = {
	.tick_us = ADJUST_TICK_US,
	.constant = 2,
	.most_error_us = ADJUST_ERROR_US,
	.error_us = ADJUST_ERROR_US,
	.status = STA_UNSYNC,
};
static struct timer timer = { .fire = step };
static uint64_t last_ns; /* when the clock was adjusted last, by the monotonic clock */
static int64_t rest;     /* what the clock is still to be moved, since it was less than 1 ns; in 2^-16 ns */
static uint64_t day;     /* the day since 1970 that the wall clock showed at the last step */

static bool is_needed(void)
{
	return current.tick_us != ADJUST_TICK_US || current.frequency || current.offset || current.single_us ||
	       (current.status & (STA_INS | STA_DEL) && !current.leapt);
}

/* Return by how much tick and frequency move the clock in the time since the last step, in 2^-16 ns. */
static int64_t move_by_rate(int64_t elapsed_us)
{
	const int64_t tick = (current.tick_us - ADJUST_TICK_US) * TICKS * 1000 * UNITS;

	return (tick + current.frequency * 1000) / 1000 * elapsed_us / 1000;
}

/*
 * Take the part of the offset that is due for the time since the last step, and return it, in 2^-16 ns. What remains at
 * last is too small to be divided, and is taken at once.
 */
static int64_t move_by_offset(int64_t elapsed_us)
{
	int64_t moved = current.offset / 1000 * elapsed_us / (1000LL << (2 + current.constant));

	if (!moved)
		moved = current.offset;
	current.offset -= moved;
	return moved;
}

static int64_t move_single(int64_t elapsed_us)
{
	const int64_t most = (SINGLE_RATE * elapsed_us + LONGEST_US - 1) / LONGEST_US;
	int64_t moved = current.single_us;

	if (moved > most)
		moved = most;
	if (moved < -most)
		moved = -most;
	current.single_us -= moved;
	return moved * 1000 * UNITS;
}

/* Move the clock for the time since the last step. The caller holds `lock`. */
static void catch_up(void)
{
	const uint64_t now = clock_monotonic_ns();
	int64_t elapsed_us = (int64_t)((now - last_ns) / 1000), moved;

	last_ns += (uint64_t)elapsed_us * 1000;
	if (elapsed_us > LONGEST_US)
		elapsed_us = LONGEST_US;
	if (elapsed_us && is_needed()) {
		rest += move_by_rate(elapsed_us) + move_by_offset(elapsed_us) + move_single(elapsed_us);
		moved = rest / UNITS;
		rest -= moved * UNITS;
		if (moved)
			timer_move_wall_clock(moved);
	}
}

/* At the end of the day repeat its last second, or leave it out, if a leap second is asked for. */
static void leap(void)
{
	const uint64_t now = clock_realtime_ns(), today = now / DAY_NS;
	const bool inserts = current.status & STA_INS && today == day + 1;
	const bool deletes = current.status & STA_DEL && now % DAY_NS >= DAY_NS - NS_PER_S;

	if (!(current.status & (STA_INS | STA_DEL)))
		current.leapt = false;
	if ((inserts || deletes) && !current.leapt) {
		current.leapt = true;
		timer_move_wall_clock(inserts ? -(int64_t)NS_PER_S : (int64_t)NS_PER_S);
	}
	day = clock_realtime_ns() / DAY_NS;
}

static void step(struct timer *fired)
{
	lock_take_off(&lock);
	catch_up();
	leap();
	if (is_needed())
		timer_start(fired, time_add(clock_monotonic_ns(), STEP_NS));
	lock_release_off(&lock);
}

struct time_adjustment time_adjust_get(void)
{
	uint64_t flags = lock_take(&lock), seconds;
	struct time_adjustment copy;

	catch_up();
	seconds = time_intervals(current.error_set_ns, NS_PER_S, last_ns);
	current.error_set_ns += seconds * NS_PER_S;
	/* As on Linux, a program may set an error above ADJUST_ERROR_US, which stays until a second has passed. */
	if (seconds && seconds < ADJUST_ERROR_US / SINGLE_RATE && current.most_error_us < ADJUST_ERROR_US)
		current.most_error_us += (int64_t)seconds * SINGLE_RATE;
	else if (seconds)
		current.most_error_us = ADJUST_ERROR_US;
	if (seconds && current.most_error_us >= ADJUST_ERROR_US) {
		current.most_error_us = ADJUST_ERROR_US;
		current.status |= STA_UNSYNC;
	}
	copy = current;
	lock_release(&lock, flags);
	return copy;
}

void time_adjust_set(const struct time_adjustment *adjustment)
{
	uint64_t flags = lock_take(&lock);

	/* The last step may be days ago. A leap second that is asked for now belongs to the end of the present day. */
	if (!(current.status & STA_INS))
		day = clock_realtime_ns() / DAY_NS;
	current = *adjustment;
	leap();
	if (is_needed())
		timer_start(&timer, time_add(clock_monotonic_ns(), STEP_NS));
	lock_release(&lock, flags);
}
