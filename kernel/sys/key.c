/*
 * Makes, finds and frees keys, and counts what each user has of them; key_access.c decides who may use them.
 * Guard of all: tasks only, which the kernel does not preempt.
 */
#include "kernel/sys/key.h"

#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/radix.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/lib/time.h"
#include "kernel/lib/wipe.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/give_way.h"

#define LEAST_ID  3    /* the least id that a key gets, as on Linux */
#define FIND_STEP 1024 /* most keys looked at before other tasks can run */

const struct key_type key_type_keyring = { .name = "keyring" };

static const struct key_type types[] = {
	{ .name = "user", .most = 32767 },
	{ .name = "logon", .most = 32767, .is_private = true },
};

struct key_limits key_limits = { .keys = 200, .bytes = 20000, .root_keys = 1000000, .root_bytes = 25000000 };

static struct radix keys = { .alloc = kzalloc, .free = kfree };  /* all keys, by id */
static struct radix users = { .alloc = kzalloc, .free = kfree }; /* the users' records, by user ID */

const struct key_type *key_type_find(const char *name)
{
	if (strcmp(name, key_type_keyring.name) == 0)
		return &key_type_keyring;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(name, types[i].name) == 0)
			return &types[i];
	return NULL;
}

struct key_user *key_user_get(uint32_t uid)
{
	struct key_user *user = radix_find(&users, uid);

	if (user)
		return user;
	user = kzalloc(sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	if (radix_insert(&users, uid, user) == OK)
		return user;
	kfree(user);
	return NULL;
}

/* Return whether the limits let the user have `more` more keys, and `bytes` more bytes in keys. */
static bool has_room(const struct key_user *user, uint64_t more, uint64_t bytes)
{
	const uint64_t most = user->uid ? key_limits.keys : key_limits.root_keys;
	const uint64_t most_bytes = user->uid ? key_limits.bytes : key_limits.root_bytes;

	return user->keys + more <= most && user->bytes + bytes <= most_bytes;
}

static bool fits(const struct key_type *type, const char *description, const void *payload, size_t size)
{
	const char *colon = strchr(description, ':');

	if (type == &key_type_keyring)
		return !size;
	return payload && size && size <= type->most && (!type->is_private || (colon && colon != description));
}

/* Give the key an id that no other has. Returns 0 or -ENOMEM. */
static int enter(struct key *key)
{
	do {
		random_bytes(&key->id, sizeof(key->id));
		key->id &= INT32_MAX;
	} while (key->id < LEAST_ID || radix_find(&keys, (uint32_t)key->id));
	return radix_insert(&keys, (uint32_t)key->id, key) == OK ? 0 : -ENOMEM;
}

int key_create(const struct key_type *type, const char *description, uint32_t uid, uint32_t gid, uint32_t rights,
	       void *payload, size_t size, struct key **ret)
{
	const uint64_t counted = strlen(description) + 1 + size;
	struct key_user *user = key_user_get(uid);
	struct key *key;

	if (!fits(type, description, payload, size))
		return -EINVAL;
	if (!user)
		return -ENOMEM;
	if (!has_room(user, 1, counted))
		return -EDQUOT;
	key = kmalloc(sizeof(*key));
	if (!key)
		return -ENOMEM;
	*key = (struct key){ .type = type, .user = user, .uid = uid, .gid = gid, .rights = rights, .refs = 1 };
	key->expires = TIME_NEVER;
	key->description = kmalloc(strlen(description) + 1);
	if (!key->description || enter(key) != 0) {
		kfree(key->description);
		kfree(key);
		return -ENOMEM;
	}
	memcpy(key->description, description, strlen(description) + 1);
	key->payload = payload;
	key->size = size;
	key->counted = counted;
	user->keys++;
	user->bytes += counted;
	*ret = key;
	return 0;
}

int key_update(struct key *key, void *payload, size_t size)
{
	if (key_is_ring(key))
		return -EOPNOTSUPP;
	if (!fits(key->type, key->description, payload, size))
		return -EINVAL;
	if (size > key->size && !has_room(key->user, 0, size - key->size))
		return -EDQUOT;
	key->user->bytes += size - key->size;
	key->counted += size - key->size;
	key_payload_free(key->payload, key->size);
	key->payload = payload;
	key->size = size;
	key->state = KEY_USABLE;
	key->expires = TIME_NEVER;
	return 0;
}

int key_give(struct key *key, uint32_t uid)
{
	struct key_user *user = key_user_get(uid);

	if (!user)
		return -ENOMEM;
	if (user != key->user && !has_room(user, 1, key->counted))
		return -EDQUOT;
	key->user->keys--;
	key->user->bytes -= key->counted;
	user->keys++;
	user->bytes += key->counted;
	key->user = user;
	key->uid = uid;
	return 0;
}

/* ---- the end ---- */

static struct key *dead; /* keys without references, which free_dead() frees one after the other */

/*
 * Drop a reference. A key without references goes into `dead`; freeing it here would recurse through keyrings in
 * keyrings, and overflow the stack.
 */
static void drop(struct key *key)
{
	ASSERT(key->refs);
	if (--key->refs)
		return;
	(void)radix_remove(&keys, (uint32_t)key->id);
	key->next_dead = dead;
	dead = key;
}

/* Free a key's payload, and drop its links. */
static void empty(struct key *key)
{
	key_payload_free(key->payload, key->size);
	key->user->bytes -= key->size;
	key->counted -= key->size;
	key->payload = NULL;
	key->size = 0;
	for (uint32_t i = 0; i < key->link_count; i++)
		drop(key->links[i]);
	kfree(key->links);
	key->links = NULL;
	key->link_count = key->link_room = 0;
}

static void free_dead(void)
{
	while (dead) {
		struct key *key = dead;

		dead = key->next_dead;
		empty(key);
		key->user->keys--;
		key->user->bytes -= key->counted;
		kfree(key->description);
		kfree(key);
	}
}

void key_end(struct key *key, enum key_state state)
{
	key->state = state;
	empty(key);
	free_dead();
}

void key_put(struct key *key)
{
	if (!key)
		return;
	drop(key);
	free_dead();
}

void key_payload_free(void *payload, size_t size)
{
	if (payload)
		wipe(payload, size);
	kfree(payload);
}

/* ---- finding ---- */

struct key *key_find(int32_t id)
{
	struct key *key = id < LEAST_ID ? NULL : radix_find(&keys, (uint32_t)id);

	return key && key->state != KEY_INVALID ? key_get(key) : NULL;
}

struct key *key_find_ring(const char *name, bool (*is_fit)(struct key *key))
{
	unsigned steps = 0;
	struct key *key;

	for (uint32_t id = 0; (key = radix_next(&keys, &id)); id++) {
		if (key_is_ring(key) && !key->is_of_user && key_check(key) == 0 && is_fit(key) &&
		    strcmp(key->description, name) == 0)
			return key_get(key);
		if (++steps % FIND_STEP == 0 && task_give_way())
			return NULL;
	}
	return NULL;
}

int key_check(const struct key *key)
{
	if (key->state == KEY_REVOKED)
		return -EKEYREVOKED;
	if (key->state == KEY_INVALID)
		return -ENOKEY;
	if (key->expires <= clock_monotonic_ns())
		return -EKEYEXPIRED;
	return key->state == KEY_NEGATIVE ? -ENOKEY : 0;
}
