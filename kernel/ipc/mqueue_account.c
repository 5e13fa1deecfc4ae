/* Counts users' POSIX message queues; see mqueue_account.h. */
#include "kernel/ipc/mqueue_account.h"

#include "kernel/fs/errno.h"
#include "kernel/ipc/mqueue.h"
#include "kernel/lib/radix.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/rights.h"

#define MESSAGE_COST  48 /* bytes of Linux's struct msg_msg */
#define PRIORITY_COST 48 /* bytes of Linux's struct posix_msg_tree_node */

/* The bytes that a user's queues count. Guard: tasks only, which the kernel does not preempt. */
struct account {
	uint64_t bytes;
};

/* The accounts by user ID. Guard: tasks only, which the kernel does not preempt. */
static struct radix accounts = { .alloc = kzalloc, .free = kfree };
static int queues; /* number of queues of all users */

/* Return a user's account, which is made if it is missing; NULL: no memory. */
static struct account *account_of(uint32_t uid)
{
	struct account *account = radix_find(&accounts, uid);

	if (account)
		return account;
	account = kzalloc(sizeof(*account));
	if (account && radix_insert(&accounts, uid, account) != OK) {
		kfree(account);
		account = NULL;
	}
	return account;
}

static void forget_if_empty(uint32_t uid, struct account *account)
{
	if (!account->bytes)
		kfree(radix_remove(&accounts, uid));
}

int mqueue_account(struct mqueue *queue)
{
	const uint64_t most = (uint64_t)queue->size.most, limit = process_current()->limits[LIMIT_MSGQUEUE].soft;
	const uint32_t uid = rights_current()->uid.real;
	const uint64_t bytes = most * MESSAGE_COST +
			       (most < MQUEUE_PRIORITIES ? most : MQUEUE_PRIORITIES) * PRIORITY_COST +
			       most * (uint64_t)queue->size.most_size;
	struct account *account;

	if (queues >= mqueue_limits.queues && !rights_can(CAP_SYS_RESOURCE))
		return -ENOSPC;
	account = account_of(uid);
	if (!account)
		return -ENOMEM;
	if (bytes > limit || account->bytes > limit - bytes) {
		forget_if_empty(uid, account);
		return -EMFILE;
	}
	account->bytes += bytes;
	queue->uid = uid;
	queue->accounted = bytes;
	queues++;
	return 0;
}

void mqueue_unaccount(const struct mqueue *queue)
{
	struct account *account = radix_find(&accounts, queue->uid);

	account->bytes -= queue->accounted;
	forget_if_empty(queue->uid, account);
	queues--;
}
