/*
 * The keyrings of a task (kernel/sys/key_access.h). Guard of all: tasks only, which the kernel does not preempt.
 */
#pragma once

struct key;

/* Guard: tasks only, which the kernel does not preempt. */
struct task_keys {
	struct key *thread;  /* a reference; NULL: not used yet */
	struct key *session; /* a reference; NULL: the session keyring of the task's user */
	int default_ring;    /* KEYCTL_SET_REQKEY_KEYRING: where request_key(2) puts keys; 0: the first that there is */
};
