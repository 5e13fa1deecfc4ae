/*
 * /proc/net: the sockets of AF_UNIX, the one family that there is.
 */
#include "kernel/net/unix.h"
#include "kernel/sys/proc.h"

static int more_unix(struct node *node, uint64_t *place, size_t enough, struct text *ret)
{
	(void)node;
	unix_list_some(place, enough, ret);
	return 0;
}

void proc_net_init(struct text_fs_type *type)
{
	static struct text_entry entries[] = {
		{ .path = "net/unix", .mode = S_IFREG | 0444, .more = more_unix },
	};

	text_fs_add(type, entries, sizeof(entries) / sizeof(entries[0]));
}
