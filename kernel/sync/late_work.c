/*
 * The seam between what ends large things and the tasks that do the work; see late_work.h.
 */
#include "kernel/sync/late_work.h"

static void (*taker)(struct late_work *work); /* NULL: nobody takes work. Fixed after boot */

void late_work_set_taker(void (*take)(struct late_work *work))
{
	taker = take;
}

void late_work_add(struct late_work *work)
{
	work->next = NULL;
	if (taker)
		taker(work);
	else
		while (!work->step(work))
			;
}
