/*
 * Decides who draws on the screen; see screen_mode.h. When a program gives the screen back to the terminal, what the
 * program has drawn last must not come over the text: the task that draws shows that first, and then has the terminal
 * drawn.
 */
#include "kernel/sys/screen_mode.h"

#include "kernel/dev/screen.h"
#include "kernel/sys/fb_device.h"
#include "kernel/sys/terminals.h"
#include "kernel/task/process.h"
#include "kernel/task/rights.h"

/*
 * The terminal is to get the screen back: the next screen_draw() ends the graphics mode. Guard: tasks only, which the
 * kernel does not preempt.
 */
static bool ending;

/*
 * Give the screen to a program if `graphics` is set, otherwise back to the terminal. As on Linux, the caller needs
 * CAP_SYS_TTY_CONFIG if the terminal is not its own.
 */
int screen_mode_set(struct tty *tty, bool graphics)
{
	if (process_current()->tty != tty && !rights_can(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	ending = screen_is_held() && !graphics;
	if (graphics)
		screen_hold();
	else
		fb_device_hurry();
	terminals_draw_soon();
	return 0;
}

bool screen_mode_is_graphics(struct tty *tty)
{
	(void)tty;
	return screen_is_held() && !ending;
}

void screen_draw(void)
{
	/*
	 * fb_device_show() lets other tasks run. If one of them ends the graphics mode by KDSETMODE, what is due then
	 * is only shown by the next call of this function; so let that call end the mode.
	 */
	const bool ends = ending;

	fb_device_show();
	if (ends && ending) {
		ending = false;
		screen_release();
	}
	terminals_draw();
}

bool screen_wants_drawing(void)
{
	return ending || fb_device_wants_showing() || terminals_want_drawing();
}
