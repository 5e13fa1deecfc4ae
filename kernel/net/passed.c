/*
 * Keeps the files that messages between sockets pass, and counts those in flight; see passed.h.
 */
#include "kernel/net/passed.h"

#include "kernel/mm/heap/heap.h"
#include "kernel/net/unix_internal.h"

#define DROPS 32 /* files that one step of passed_drop() closes: few, since each may free much */

static uint64_t in_flight; /* number of files in flight. Guard: tasks only, which the kernel does not preempt */

int passed_create(unsigned most, struct passed_files **ret)
{
	struct passed_files *passed = kmalloc(sizeof(*passed) + most * sizeof(passed->files[0]));

	if (!passed)
		return -ENOMEM;
	passed->count = 0;
	*ret = passed;
	return 0;
}

static bool drop_some(struct late_work *work)
{
	struct passed_files *passed = (struct passed_files *)work;

	for (unsigned dropped = 0; passed->count && dropped < DROPS; dropped++)
		file_put(passed->files[--passed->count]);
	if (passed->count)
		return false;
	kfree(passed);
	return true;
}

void passed_drop(struct passed_files *passed)
{
	if (!passed)
		return;
	passed->end.step = drop_some;
	late_work_add(&passed->end);
}

int passed_fly(struct passed_files *passed)
{
	if (in_flight + passed->count > PASSED_IN_FLIGHT)
		return -ETOOMANYREFS;
	in_flight += passed->count;
	for (unsigned i = 0; i < passed->count; i++)
		unix_fly(unix_of(passed->files[i]));
	return 0;
}

void passed_land(struct passed_files *passed)
{
	in_flight -= passed->count;
	for (unsigned i = 0; i < passed->count; i++)
		unix_land(unix_of(passed->files[i]));
}

void passed_touch(const struct passed_files *passed)
{
	for (unsigned i = 0; i < passed->count; i++)
		unix_touch(unix_of(passed->files[i]));
}
