/*
 * F_NOTIFY: sends the owner of an open directory a signal when something happens to a file in it. The events come from
 * where inotify has them (kernel/fs/notify.h); the signal is sent as for files with O_ASYNC (file_owner.c).
 */
#include "kernel/task/dir_notify.h"

#include "kernel/task/file_owner_internal.h"
#include "kernel/task/process.h"

#define WATCHES_MOST 8192

/* Bits of F_NOTIFY's argument. */
#define DN_MULTISHOT (1U << 31)

/*
 * events_of[n]: the events that bit n of F_NOTIFY's argument stands for. Bits 0 to 5 are Linux's DN_ACCESS, DN_MODIFY,
 * DN_CREATE, DN_DELETE, DN_RENAME and DN_ATTRIB.
 */
static const uint32_t events_of[] = {
	IN_ACCESS, IN_MODIFY, IN_CREATE | IN_MOVED_TO, IN_DELETE | IN_MOVED_FROM, NOTIFY_RENAMED, IN_ATTRIB,
};

static uint64_t watches; /* how many directories are watched; guard: tasks only, which the kernel does not preempt */

void dir_notify_end(struct file_owner *owner)
{
	if (!owner->is_watching)
		return;
	owner->is_watching = false;
	watches--;
	notify_watch_remove(&owner->in_dir);
}

static void tell(struct notify_watch *watch, const struct notice *notice)
{
	struct file_owner *owner = list_item(watch, struct file_owner, in_dir);

	if (notice->events & watch->mask & ~(uint32_t)IN_ISDIR) {
		owner->noticed = true;
		file_owner_wake(owner);
	}
	if (notice->last || !owner->keeps_watching)
		dir_notify_end(owner);
}

static uint32_t mask_of(uint32_t what)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < sizeof(events_of) / sizeof(events_of[0]); i++)
		if (what & 1U << i)
			mask |= events_of[i];
	return mask;
}

int dir_notify_set(struct file *file, int fd, uint32_t what)
{
	struct file_owner *owner;
	int error = 0;

	if (!(what & ~DN_MULTISHOT)) {
		if (file->owner)
			dir_notify_end(file->owner);
		return 0;
	}
	if (!node_is(file->node, S_IFDIR))
		return -ENOTDIR;
	owner = file_owner_make(file);
	if (!owner || file_owner_start_sender() != 0)
		return -ENOMEM;
	if (!owner->who.id)
		error = file_owner_set(file, (struct file_owner_ex){ FILE_OWNER_PROCESS, process_current()->pid });
	if (error)
		return error;
	if (!owner->is_watching) {
		if (watches >= WATCHES_MOST)
			return -ENOMEM;
		owner->in_dir = (struct notify_watch){ .tell = tell };
		owner->keeps_watching = false;
		notify_watch_add(&owner->in_dir, file->node);
		owner->is_watching = true;
		watches++;
	}
	owner->in_dir.mask |= mask_of(what);
	owner->keeps_watching |= (what & DN_MULTISHOT) != 0;
	owner->fd = fd;
	return 0;
}
