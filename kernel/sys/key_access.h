/*
 * Finds the keys that a task can reach, and decides what it may do with them (keyrings(7), "Possession" and "Access
 * rights").
 *
 * Each user has two keyrings. A task has a keyring of its own, one of its process, and one of its session, which its
 * children get from it. All are made when they are first used. Guard of all: tasks only, which the kernel does not
 * preempt.
 */
#pragma once

#include "kernel/sys/keyring.h"

struct task;

/* Ids that stand for a keyring of the current task. */
enum key_special {
	KEY_SPEC_THREAD_KEYRING = -1,
	KEY_SPEC_PROCESS_KEYRING = -2,
	KEY_SPEC_SESSION_KEYRING = -3,
	KEY_SPEC_USER_KEYRING = -4,
	KEY_SPEC_USER_SESSION_KEYRING = -5,
};

enum key_lookup_flags {
	KEY_LOOKUP_MAKE = 1, /* make the keyring that an id of enum key_special stands for, if there is none */
	KEY_LOOKUP_ANY = 2,  /* find a key even if it cannot be used */
};

/*
 * Find a key by its id, or by a number of enum key_special, if the current task has the `rights` (enum key_right; 0:
 * none are asked for). *ret: a reference; *ret_possessed: whether the task possesses the key. Returns 0, -EINVAL (no
 * such number), -ENOKEY, -EACCES, key_check's errors, -EDQUOT, -ENOMEM.
 */
int key_lookup(int32_t id, unsigned flags, unsigned rights, struct key **ret, bool *ret_possessed);

/* Return whether the current task has all of `rights` to a key. possessed: whether the task possesses the key. */
bool key_permits(const struct key *key, bool possessed, unsigned rights);

/* Search the keyrings of the task, of its process and its session for a key. Returns as keyring_search. */
struct key *key_search_own(const struct key_type *type, const char *description, int *ret_error);

/* Search a keyring; possessed: whether the task possesses it. Returns as keyring_search. */
struct key *key_search_ring(struct key *ring, bool possessed, const struct key_type *type, const char *description,
			    int *ret_error);

/*
 * Give the current task another keyring for its session: a new one if `name` is NULL, otherwise the one of that name,
 * which is made if there is none that the task may search. Returns its id, -EDQUOT or -ENOMEM.
 */
int64_t key_join_session(const char *name);

/* Return a reference to the keyring where request_key(2) puts a key, if it may. Returns 0, -EACCES, or key_lookup's. */
int key_default_ring(struct key **ret);

/* Give a new task the keyrings that it inherits from the task `from`. */
void key_task_begin(struct task *task, const struct task *from);

/*
 * key_task_leave(): drop the task's own keyring, and its process's if no other task has that, when the task executes
 * another program or ends. key_task_end(): drop the keyring of the session when the task ends, and the process's when
 * it is the last one of the process.
 */
void key_task_leave(struct task *task);
void key_task_end(struct task *task);

/* Mark a local variable that is a reference to a key, or NULL: it is dropped when the scope ends. */
#define HELD_KEY __attribute__((cleanup(key_leave_scope)))

static inline void key_leave_scope(struct key **key)
{
	key_put(*key);
}
