/*
 * Closes or copies many descriptors in pieces; see fd_work.h.
 */
#include "kernel/task/fd_work.h"

#include "kernel/task/give_way.h"
#include "kernel/task/late.h"

void fd_work_close(struct fd_table *table, unsigned first, unsigned last, enum fd_which which)
{
	while (fd_close_some(table, &first, last, which)) {
		/*
		 * If an epoll file was closed, the freeing of its watches is left to late work
		 * (kernel/sync/late_work.h). Do it now: files without watches are closed more quickly.
		 */
		late_do_all();
		(void)task_give_way();
	}
}

int fd_work_copy(struct fd_table *from, struct fd_table **ret)
{
	unsigned fd = 0;
	int error = fd_copy_begin(from, ret);

	while (!error && fd_copy_some(from, *ret, &fd))
		(void)task_give_way();
	return error;
}
