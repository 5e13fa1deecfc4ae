/*
 * Many descriptors, piece by piece; see fd_work.h.
 */
#include "kernel/task/fd_work.h"

#include "kernel/task/give_way.h"
#include "kernel/task/late.h"

void fd_work_close(struct fd_table *table, unsigned first, unsigned last, enum fd_which which)
{
	while (fd_close_some(table, &first, last, which)) {
		/* What an epoll file watched is quicker closed when the watches have gone. */
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
