/*
 * Links keys to keyrings, and searches keyrings. Guard of all: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/sys/key.h"

/*
 * Link a key to a keyring, which gets a reference. A link to a key of the same type and description is replaced.
 * Returns 0, -ENOTDIR (`ring` is no keyring), -EDEADLK (`ring` can be reached from `key`), -ENFILE (the keyring has
 * 16,384 links), -ENOMEM.
 */
int keyring_link(struct key *ring, struct key *key);

/* Remove the keyring's link to a key. Returns 0, -ENOTDIR (`ring` is no keyring), -ENOENT (there is no such link). */
int keyring_unlink(struct key *ring, struct key *key);

/* Remove the links to keys that are invalid, or expired more than five minutes ago. */
void keyring_tidy(struct key *ring);

/* Return the key of that type and description among the keyring's own links, without a reference; or NULL. */
struct key *keyring_find(const struct key *ring, const struct key_type *type, const char *description);

/* What a search looks for: `key`, or if that is NULL a key of a type and description. */
struct key_search {
	const struct key *key;
	const struct key_type *type;
	const char *description;
	/* Return whether the caller may search a keyring, or find a key, that the search has reached. */
	bool (*permits)(struct key *key);
};

/*
 * Search a keyring, and the keyrings in it to a depth of six, those next to the start first. Returns a key, without a
 * reference; or NULL with *ret_error set: -EAGAIN (there is none), -EACCES (`ring` may not be searched, or a key not
 * found), or key_check's error for a key that cannot be used.
 */
struct key *keyring_search(struct key *ring, const struct key_search *search, int *ret_error);
