/*
 * Keys and keyrings (keyrings(7)): secrets that the kernel keeps for programs, and lists of them.
 *
 * A key lives as long as somebody has a reference: a keyring that it is linked to, a task or process whose keyring it
 * is, a user record, or a call. Nothing here blocks. Guard of all: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "paging/types.h"

#define KEY_DESCRIPTION_MOST 4096      /* bytes of a description, with its NUL */
#define KEY_PAYLOAD_MOST     0xfffffUL /* most bytes of a payload */

/* Rights, as a key's `rights` has them four times: of possessors (the highest byte), user, group, others. */
enum key_right {
	KEY_VIEW = 0x01,
	KEY_READ = 0x02,
	KEY_WRITE = 0x04,
	KEY_SEARCH = 0x08,
	KEY_LINK = 0x10,
	KEY_SETATTR = 0x20,
	KEY_ALL = 0x3f,
};

#define KEY_POSSESSOR(rights) ((uint32_t)(rights) << 24)
#define KEY_USER(rights)      ((uint32_t)(rights) << 16)
#define KEY_RIGHTS_KNOWN      0x3f3f3f3fU

/* A kind of keys. Fixed after boot. */
struct key_type {
	const char *name;
	size_t most;     /* most bytes of a payload; 0: keys of the type have none */
	bool is_private; /* no program can read the payload; a description has a ':' behind the name of a service */
};

extern const struct key_type key_type_keyring;

/* Return the type of keys with that name; NULL: there is none. */
const struct key_type *key_type_find(const char *name);

enum key_state {
	KEY_USABLE,
	KEY_NEGATIVE, /* stands for a key that nobody could provide: whoever looks for it gets ENOKEY */
	KEY_REVOKED,
	KEY_INVALID, /* nobody finds the key any more; the keyrings that have links to it drop them by and by */
};

struct key_user;

/* A key. Guard: as said at the top of this file. */
struct key {
	int32_t id;
	const struct key_type *type;
	char *description; /* a heap block */
	struct key_user *user;
	uint32_t uid, gid;
	uint32_t rights; /* bits of enum key_right, for possessors, user, group and others */
	enum key_state state;
	bool is_of_user;    /* one of the two keyrings that each user has, which nobody can join by its name */
	uint64_t refs;      /* number of references to the key */
	uint64_t expires;   /* by the monotonic clock, ns; TIME_NEVER: never */
	void *payload;      /* a heap block, or NULL */
	size_t size;        /* bytes of the payload */
	struct key **links; /* of a keyring: references to the keys in it, the oldest first; on the heap, or NULL */
	uint32_t link_count, link_room;
	uint64_t counted;          /* bytes that count in the user's quota */
	uint64_t search;           /* the number of the last search that has reached this keyring (keyring.c) */
	unsigned depth;            /* how many links that search has followed from its start to here */
	struct key *next_searched; /* the keyring that the search looks at after this one */
	struct key *next_dead;     /* the next in the list of keys that are to be freed (key.c) */
};

/* What belongs to a user who has keys. Guard: as said at the top of this file. */
struct key_user {
	uint32_t uid;
	uint64_t keys, bytes;          /* how many keys, and bytes, count in the user's quota */
	struct key *keyring, *session; /* the user's two keyrings; NULL: not used yet */
};

/* How many keys and bytes may count in a user's quota, and in root's (/proc/sys/kernel/keys). Guard: as at the top. */
struct key_limits {
	uint64_t keys, bytes, root_keys, root_bytes;
};

extern struct key_limits key_limits;

/* Return the user's record, made if need be; it is never freed. NULL: no memory. */
struct key_user *key_user_get(uint32_t uid);

/*
 * Make a key that belongs to user `uid`; *ret is the only reference. payload: a heap block with `size` bytes, or NULL;
 * the key takes it over. Returns 0; or, with the payload still the caller's, -EINVAL (the size, or the description, is
 * wrong for the type), -EDQUOT, -ENOMEM.
 */
int key_create(const struct key_type *type, const char *description, uint32_t uid, uint32_t gid, uint32_t rights,
	       void *payload, size_t size, struct key **ret);

/*
 * Replace the key's payload, and make the key usable. Returns as key_create, or -EOPNOTSUPP: keyrings have no payload.
 */
int key_update(struct key *key, void *payload, size_t size);

/*
 * Make user `uid` the key's owner, in whose quota it counts. Returns 0; or, with nothing changed, -EDQUOT or -ENOMEM.
 */
int key_give(struct key *key, uint32_t uid);

static inline struct key *key_get(struct key *key)
{
	key->refs++;
	return key;
}

/* Drop a reference; the last one frees the key. NULL is allowed. */
void key_put(struct key *key);

/*
 * Free a key's payload and its links, and put the key into `state`: KEY_REVOKED, KEY_INVALID, or KEY_USABLE for a
 * keyring that is only emptied.
 */
void key_end(struct key *key, enum key_state state);

/* Return a reference to the key with that id; NULL: there is none, or it is invalid. */
struct key *key_find(int32_t id);

/*
 * Return a reference to a usable keyring with that name for which `fits` returns true, other than the two that each
 * user has; NULL: there is none. Lets other tasks run.
 */
struct key *key_find_ring(const char *name, bool (*fits)(struct key *key));

/* Return 0 for a key that can be used, or -ENOKEY, -EKEYREVOKED, -EKEYEXPIRED. */
int key_check(const struct key *key);

/* Wipe and free a payload that no key has taken over. NULL is allowed. */
void key_payload_free(void *payload, size_t size);

static inline bool key_is_ring(const struct key *key)
{
	return key->type == &key_type_keyring;
}
