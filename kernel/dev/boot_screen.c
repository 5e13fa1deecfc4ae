/*
 * Draws the screen while the kernel starts; see boot_screen.h.
 */
#include "kernel/dev/boot_screen.h"

#include "kernel/dev/screen.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/time.h"

#define WAIT_NS (100 * NS_PER_MS)
#define NEXT_NS NS_PER_MS
/*
 * How many rows one interrupt draws, or pieces of text the terminal takes in it: a whole screen would keep interrupts
 * off for milliseconds.
 */
#define STEPS 8

/* Guard of all four: while the kernel starts, its one task, which nothing preempts, and the timer's interrupt. */
static struct timer timer;
static bool timer_works; /* boot_screen_timer_on() was called */
static bool waiting;     /* the timer is started */
static unsigned steps;   /* how many of STEPS the running interrupt has done */

static bool is_enough(void)
{
	return ++steps == STEPS;
}

static void fire(struct timer *fired)
{
	steps = 0;
	waiting = screen_show_until(is_enough);
	if (waiting)
		timer_start(fired, time_add(clock_monotonic_ns(), NEXT_NS));
}

/* Start the timer. screen_show_few() calls this when text waits, or when many rows have changed. */
static void draw_later(void)
{
	if (!timer_works || waiting)
		return;
	waiting = true;
	timer_start(&timer, time_add(clock_monotonic_ns(), WAIT_NS));
}

void boot_screen_start(const struct boot_framebuffer *fb, bool quiet)
{
	enum status status;

	if (!fb->width)
		return;
	status = screen_start(fb);
	screen_show_later(draw_later);
	screen_defer();
	if (status == OK)
		log_add_sink(&screen_sink, quiet ? LOG_NO_REPLAY : LOG_REPLAY);
	else
		log_warn("screen: framebuffer of %ux%u at %#llx left alone: %s\n", fb->width, fb->height,
			 (unsigned long long)fb->pa.raw, status == ERR_NO_MEMORY ? "no memory" : "not as it should be");
}

void boot_screen_timer_on(void)
{
	timer.fire = fire;
	timer_works = true;
	if (screen_is_dirty())
		draw_later();
}

void boot_screen_timer_off(void)
{
	timer_works = false;
	if (waiting)
		(void)timer_cancel(&timer);
	waiting = false;
	screen_defer_end();
}
