/*
 * Counts the tasks of each user: a radix tree finds the count of a user ID, if the user has any task.
 */
#include "kernel/task/user_tasks.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/radix.h"
#include "kernel/mm/heap/heap.h"

/* A user's tasks. Guard: tasks only, which the kernel does not preempt. */
struct user_count {
	uint64_t tasks;
};

static struct radix users = { .alloc = kzalloc, .free = kfree };

int user_tasks_add(uint32_t uid)
{
	struct user_count *count = uid ? radix_find(&users, uid) : NULL;

	if (!uid)
		return 0;
	if (!count) {
		count = kzalloc(sizeof(*count));
		if (!count)
			return -ENOMEM;
		if (radix_insert(&users, uid, count) != OK) {
			kfree(count);
			return -ENOMEM;
		}
	}
	count->tasks++;
	return 0;
}

void user_tasks_remove(uint32_t uid)
{
	struct user_count *count = uid ? radix_find(&users, uid) : NULL;

	if (!uid)
		return;
	ASSERT(count && count->tasks);
	if (!--count->tasks)
		kfree(radix_remove(&users, uid));
}

uint64_t user_tasks_of(uint32_t uid)
{
	const struct user_count *count = uid ? radix_find(&users, uid) : NULL;

	return count ? count->tasks : 0;
}
