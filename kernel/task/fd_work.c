/*
 * Closes, copies or makes room for many descriptors in pieces; see fd_work.h.
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
	struct fd_table *table;
	unsigned fd = 0;
	int more = fd_table_create(&table);

	if (more)
		return more;
	while ((more = fd_copy_some(from, table, &fd)) > 0)
		(void)task_give_way();
	if (more)
		fd_table_put(table);
	else
		*ret = table;
	return more;
}

void fd_work_grow(struct fd_table *table, unsigned lowest)
{
	const unsigned fd = fd_is_easy(table, lowest) ? 0 : fd_to_grow_for(table, lowest);

	while (fd && fd_grow_some(table, fd) > 0 && !task_give_way())
		;
}

void fd_work_unlock_locked(struct fd_table *table, int fd)
{
	while (fd_unlock_some(table, fd))
		(void)task_give_way();
}
