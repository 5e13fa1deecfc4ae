/*
 * Passes late work (what is left to do when an object has ended: see late_work.h) on to the function that a layer above
 * has set with late_work_set_taker().
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
		late_work_finish(work);
}
