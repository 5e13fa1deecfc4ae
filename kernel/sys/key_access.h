/*
 * Which keys a task reaches, and what it may do with them (keyrings(7), "Possession" and "Access rights").
 *
 * Each user has two keyrings, and a task one of its own, one of its process, and one of its session, which its children
 * get from it. All are made when they are first used. Guard of all: tasks only, which the kernel does not preempt.
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
	KEY_LOOKUP_MAKE = 1, /* make a keyring of the task if there is none */
	KEY_LOOKUP_ANY = 2,  /* also a key that cannot be used */
};

/*
 * Return a reference to a key by its id, or one of enum key_special, if the current task has the `rights` (enum
 * key_right; 0: none are asked for). *ret_possessed: whether it possesses the key. Returns 0, -EINVAL (no such number),
 * -ENOKEY, -EACCES, key_check's errors, -EDQUOT, -ENOMEM.
 */
int key_lookup(int32_t id, unsigned flags, unsigned rights, struct key **ret, bool *ret_possessed);

/* Return whether the current task has all of the rights to a key, which it possesses or not. */
bool key_permits(const struct key *key, bool possessed, unsigned rights);

/* Search the keyrings of the task, of its process and its session for a key. Returns as keyring_search. */
struct key *key_search_own(const struct key_type *type, const char *description, int *ret_error);

/* Search a keyring, which the task possesses or not. Returns as keyring_search. */
struct key *key_search_ring(struct key *ring, bool possessed, const struct key_type *type, const char *description,
			    int *ret_error);

/*
 * Give the current task another keyring for its session: a new one if `name` is NULL, otherwise the one of that name,
 * which is made if there is none that the task may search. Returns its id, -EDQUOT or -ENOMEM.
 */
int64_t key_join_session(const char *name);

/* Return a reference to the keyring where request_key(2) puts a key, if it may. Returns 0, -EACCES, or key_lookup's. */
int key_default_ring(struct key **ret);

/* A new task gets the keyrings that it inherits. */
void key_task_begin(struct task *task, const struct task *from);

/* The task executes another program, as the last one of its process, or ends: drop the keyrings that go with it. */
void key_task_leave(struct task *task);
void key_task_end(struct task *task);

/* Mark a local variable that is a reference to a key, or NULL: it is dropped when the scope ends. */
#define HELD_KEY __attribute__((cleanup(key_leave_scope)))

static inline void key_leave_scope(struct key **key)
{
	key_put(*key);
}
