/*
 * Sends signals to process groups.
 */
#include "kernel/fs/errno.h"
#include "kernel/task/find.h"
#include "kernel/task/give_way.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal.h"

struct group_send {
	int signal, error;
	const struct signal_info *info;
};

static bool send_to_member(void *ctx, struct process *process)
{
	struct group_send *sending = ctx;
	int error = sending->signal ? signal_send_process(process, sending->signal, sending->info) : 0;

	if (sending->error)
		sending->error = error;
	return true;
}

int signal_send_group(int group, int signal, const struct signal_info *info)
{
	struct group_send sending = { signal, -ESRCH, info };

	process_visit_group(group, send_to_member, &sending);
	return sending.error;
}

/* Do send_to_member() if the current task may signal `process`. */
static bool send_if_permitted(void *ctx, struct process *process)
{
	struct group_send *sending = ctx;

	if (rights_may_signal_process(process, sending->signal))
		return send_to_member(ctx, process);
	if (sending->error)
		sending->error = -EPERM;
	return true;
}

int signal_send_group_in_steps(int group, int signal, const struct signal_info *info)
{
	struct group_send sending = { signal, -ESRCH, info };
	struct process_visit visit = { 0 };

	while (process_visit_some(group, &visit, send_if_permitted, &sending) && !task_give_way())
		;
	process_visit_end(&visit);
	return sending.error;
}
