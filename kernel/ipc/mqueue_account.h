/*
 * Counts POSIX message queues: how many bytes those of each real user ID count towards RLIMIT_MSGQUEUE, and how many
 * queues there are. As on Linux a queue counts what its messages take at most, whether it has any or not. Guard: tasks
 * only, which the kernel does not preempt.
 */
#pragma once

struct mqueue;

/*
 * Count a new queue for the current user: sets `uid` and `accounted` of it. Returns 0; -ENOSPC (too many queues),
 * -EMFILE (RLIMIT_MSGQUEUE), -ENOMEM; nothing is counted then.
 */
int mqueue_account(struct mqueue *queue);

/* Undo mqueue_account(). */
void mqueue_unaccount(const struct mqueue *queue);
