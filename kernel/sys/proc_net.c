/*
 * Makes /proc/PID/net: the sockets of AF_UNIX, the only family there is. All processes see the same sockets.
 */
#include "kernel/lib/string.h"
#include "kernel/net/unix.h"
#include "kernel/sys/proc_node.h"

static int more_unix(struct node *node, uint64_t *place, size_t enough, struct text *ret)
{
	(void)node;
	unix_list_some(place, enough, ret);
	return 0;
}

static const struct proc_file unix_file = { .number = PROC_FILE_NET_UNIX,
					    .name = { "unix", 4 },
					    .mode = S_IFREG | 0444,
					    .ops = &proc_text_ops,
					    .more = more_unix };

static int lookup_net(struct node *dir, struct name name, struct node **ret)
{
	struct proc_node wanted = *proc_node(dir);
	HELD_PROCESS struct process *process = proc_find_process(dir);

	if (!process || name.size != unix_file.name.size || memcmp(name.text, unix_file.name.text, name.size) != 0)
		return -ENOENT;
	wanted.file = &unix_file;
	return proc_node_get(dir, &wanted, unix_file.ops, unix_file.mode, ret);
}

static int next_net(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	const struct proc_node *about = proc_node(dir);
	HELD_PROCESS struct process *process = proc_find_process(dir);

	if (!process)
		return -ENOENT;
	if (*position > 2)
		return 0;
	*ret = (struct dir_entry){ unix_file.name, proc_number(about->pid, about->tid, &unix_file, -1),
				   unix_file.mode };
	*position = 3;
	return 1;
}

const struct node_ops proc_net_ops = { .lookup = lookup_net,
				       .next = next_net,
				       .create = proc_refuse_create,
				       .place = proc_place,
				       .fixed = proc_fixed,
				       .free = proc_node_free };
