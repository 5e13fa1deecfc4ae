/*
 * keyctl(2): reads, changes, links, searches and ends keys and keyrings. And the limits of keys in
 * /proc/sys/kernel/keys.
 */
#include "kernel/fs/text.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/string.h"
#include "kernel/lib/time.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/key_access.h"
#include "kernel/sys/key_args.h"
#include "kernel/sys/number_file.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/refused_feature.h"

enum keyctl_command {
	KEYCTL_GET_KEYRING_ID,
	KEYCTL_JOIN_SESSION_KEYRING,
	KEYCTL_UPDATE,
	KEYCTL_REVOKE,
	KEYCTL_CHOWN,
	KEYCTL_SETPERM,
	KEYCTL_DESCRIBE,
	KEYCTL_CLEAR,
	KEYCTL_LINK,
	KEYCTL_UNLINK,
	KEYCTL_SEARCH,
	KEYCTL_READ,
	KEYCTL_SET_REQKEY_KEYRING = 14,
	KEYCTL_SET_TIMEOUT,
	KEYCTL_INVALIDATE = 21,
	KEYCTL_COMMANDS = 33, /* number of commands that Linux 6.1 has */
};

#define DEFAULT_RINGS 6 /* values of KEYCTL_SET_REQKEY_KEYRING: 0, and a keyring of enum key_special, negated */

static int64_t get_keyring_id(int32_t id, uint64_t make)
{
	HELD_KEY struct key *key = NULL;
	bool possessed;
	int error = key_lookup(id, make ? KEY_LOOKUP_MAKE : 0, KEY_SEARCH, &key, &possessed);

	return error ? error : key->id;
}

static int64_t join_session(uint64_t from)
{
	int64_t result;
	char *name;

	if (!from)
		return key_join_session(NULL);
	result = key_args_text(from, KEY_DESCRIPTION_MOST, &name);
	if (result)
		return result;
	result = *name == '.' ? -EPERM : key_join_session(*name ? name : NULL);
	kfree(name);
	return result;
}

static int64_t update(int32_t id, uint64_t from, uint64_t size)
{
	HELD_KEY struct key *key = NULL;
	bool possessed;
	void *payload;
	int error;

	if (size > PAGE_SIZE)
		return -EINVAL;
	error = key_args_payload(from, size, &payload);
	if (error)
		return error;
	error = key_lookup(id, 0, KEY_WRITE, &key, &possessed);
	if (!error)
		error = key_update(key, payload, size);
	if (error)
		key_payload_free(payload, size);
	return error;
}

/* Revoke a key, for which one of the rights KEY_WRITE and KEY_SETATTR is enough. */
static int64_t revoke(int32_t id)
{
	HELD_KEY struct key *key = NULL;
	bool possessed;
	int error = key_lookup(id, 0, KEY_WRITE, &key, &possessed);

	if (error == -EACCES)
		error = key_lookup(id, 0, KEY_SETATTR, &key, &possessed);
	if (!error)
		key_end(key, KEY_REVOKED);
	return error;
}

static int64_t invalidate(int32_t id)
{
	HELD_KEY struct key *key = NULL;
	bool possessed;
	int error = key_lookup(id, 0, KEY_SEARCH, &key, &possessed);

	if (!error)
		key_end(key, KEY_INVALID);
	return error;
}

/* Change a key's owner or group; -1: leave that as it is. */
static int64_t change_owner(int32_t id, uint32_t uid, uint32_t gid)
{
	HELD_KEY struct key *key = NULL;
	bool possessed, may = rights_can(CAP_SYS_ADMIN);
	int error = key_lookup(id, KEY_LOOKUP_MAKE | KEY_LOOKUP_ANY, KEY_SETATTR, &key, &possessed);

	if (error)
		return error;
	if (uid != UINT32_MAX && uid != key->uid && !may)
		return -EACCES;
	if (gid != UINT32_MAX && gid != key->gid && !may && !credentials_in_group(rights_current(), gid))
		return -EACCES;
	error = uid == UINT32_MAX ? 0 : key_give(key, uid);
	if (!error && gid != UINT32_MAX)
		key->gid = gid;
	return error;
}

static int64_t set_rights(int32_t id, uint32_t rights)
{
	HELD_KEY struct key *key = NULL;
	bool possessed;
	int error;

	if (rights & ~KEY_RIGHTS_KNOWN)
		return -EINVAL;
	error = key_lookup(id, KEY_LOOKUP_MAKE | KEY_LOOKUP_ANY, KEY_SETATTR, &key, &possessed);
	if (error)
		return error;
	if (key->uid != rights_current()->uid.fs && !rights_can(CAP_SYS_ADMIN))
		return -EACCES;
	key->rights = rights;
	return 0;
}

static int64_t set_timeout(int32_t id, uint32_t seconds)
{
	HELD_KEY struct key *key = NULL;
	bool possessed;
	int error = key_lookup(id, KEY_LOOKUP_MAKE | KEY_LOOKUP_ANY, KEY_SETATTR, &key, &possessed);

	if (!error)
		key->expires = seconds ? time_add(clock_monotonic_ns(), seconds * NS_PER_S) : TIME_NEVER;
	return error;
}

/* Copy a result to a buffer, if all of it fits. Returns the result's size, or -EFAULT. */
static int64_t give(uint64_t to, uint64_t room, const void *bytes, size_t size)
{
	int error = to && room >= size ? args_put(to, bytes, size) : 0;

	return error ? error : (int64_t)size;
}

static int64_t describe(int32_t id, uint64_t to, uint64_t room)
{
	HELD_KEY struct key *key = NULL;
	struct text text = { 0 };
	bool possessed;
	int64_t result = key_lookup(id, KEY_LOOKUP_ANY, KEY_VIEW, &key, &possessed);

	if (result)
		return result;
	text_add(&text, "%s;%d;%d;%08x;", key->type->name, (int)key->uid, (int)key->gid, key->rights);
	text_add_bytes(&text, key->description, strlen(key->description) + 1);
	result = text.lost ? -ENOMEM : give(to, room, text.bytes, text.size);
	text_free(&text);
	return result;
}

/* Read a keyring: copy the ids of the keys in it, if all fit. Returns their size in bytes, -EINVAL or -EFAULT. */
static int64_t read_ring(struct key *ring, uint64_t to, uint64_t room)
{
	int error = 0;

	if (room % sizeof(int32_t))
		return -EINVAL;
	keyring_tidy(ring);
	if (room < ring->link_count * sizeof(int32_t))
		to = 0;
	for (uint32_t i = 0; to && !error && i < ring->link_count; i++)
		error = args_put(to + i * sizeof(int32_t), &ring->links[i]->id, sizeof(int32_t));
	return error ? error : (int64_t)(ring->link_count * sizeof(int32_t));
}

static int64_t read(int32_t id, uint64_t to, uint64_t room)
{
	HELD_KEY struct key *key = NULL;
	bool possessed;
	int error = key_lookup(id, KEY_LOOKUP_ANY, 0, &key, &possessed);

	if (error)
		return -ENOKEY;
	if (key->state == KEY_NEGATIVE)
		return -ENOKEY;
	/* A task that possesses a key may read it without KEY_READ. */
	if (!key_permits(key, possessed, KEY_READ) && !possessed)
		return -EACCES;
	error = key_check(key);
	if (error)
		return error;
	if (key->type->is_private)
		return -EOPNOTSUPP;
	return key_is_ring(key) ? read_ring(key, to, room) : give(to, room, key->payload, key->size);
}

static int64_t clear(int32_t id)
{
	HELD_KEY struct key *ring = NULL;
	bool possessed;
	int error = key_lookup(id, KEY_LOOKUP_MAKE, KEY_WRITE, &ring, &possessed);

	if (!error && !key_is_ring(ring))
		error = -ENOTDIR;
	if (!error)
		key_end(ring, KEY_USABLE);
	return error;
}

static int64_t change_link(int32_t id, int32_t ring_id, bool links)
{
	HELD_KEY struct key *ring = NULL, *key = NULL;
	const unsigned flags = links ? KEY_LOOKUP_MAKE : 0;
	bool possessed;
	int error = key_lookup(ring_id, flags, KEY_WRITE, &ring, &possessed);

	/* Removing a link needs no right to the key. */
	if (!error)
		error = links ? key_lookup(id, KEY_LOOKUP_MAKE, KEY_LINK, &key, &possessed)
			      : key_lookup(id, KEY_LOOKUP_ANY, 0, &key, &possessed);
	if (error)
		return error;
	return links ? keyring_link(ring, key) : keyring_unlink(ring, key);
}

struct place_to_search {
	struct key *ring;
	bool possessed;
};

/* Search `ring`, and link what is found to `to`, which may be NULL. Returns the key's id or an error. */
static int64_t search_in(const struct place_to_search *where, const char *type_name, const char *description,
			 struct key *to)
{
	const struct key_type *type = key_type_find(type_name);
	struct key *found;
	int error;

	if (!type)
		return -ENOKEY;
	if (!key_is_ring(where->ring))
		return -ENOTDIR;
	found = key_search_ring(where->ring, where->possessed, type, description, &error);
	if (!found)
		return error == -EAGAIN ? -ENOKEY : error;
	if (to && !key_permits(found, where->possessed, KEY_LINK))
		return -EACCES;
	error = to ? keyring_link(to, found) : 0;
	return error ? error : found->id;
}

static int64_t search(int32_t id, uint64_t type_from, uint64_t description_from, int32_t to_id)
{
	HELD_KEY struct key *to = NULL;
	struct place_to_search where = { 0 };
	char *type = NULL, *description = NULL;
	bool possessed;
	int64_t result = key_args_type(type_from, &type);

	if (result)
		return result;
	result = key_args_text(description_from, KEY_DESCRIPTION_MOST, &description);
	if (!result)
		result = key_lookup(id, 0, KEY_SEARCH, &where.ring, &where.possessed);
	if (!result && to_id)
		result = key_lookup(to_id, KEY_LOOKUP_MAKE, KEY_WRITE, &to, &possessed);
	if (!result)
		result = search_in(&where, type, description, to);
	key_put(where.ring);
	kfree(description);
	kfree(type);
	return result;
}

/* Set where request_key(2) puts keys, and make that keyring; -1: change nothing. Returns the setting before. */
static int64_t set_default_ring(int32_t chosen)
{
	struct task_keys *keys = &task_current()->keys;
	HELD_KEY struct key *ring = NULL;
	const int before = keys->default_ring;
	bool possessed;
	int error = 0;

	if (chosen < -1 || chosen >= DEFAULT_RINGS)
		return -EINVAL;
	if (chosen == -1)
		return before;
	if (chosen == -KEY_SPEC_THREAD_KEYRING || chosen == -KEY_SPEC_PROCESS_KEYRING)
		error = key_lookup(-chosen, KEY_LOOKUP_MAKE, 0, &ring, &possessed);
	if (!error)
		keys->default_ring = chosen;
	return error ? error : before;
}

SYSCALL_5(keyctl, command, a, b, c, d)
{
	const int32_t id = (int32_t)a;

	switch ((uint32_t)command) {
	case KEYCTL_GET_KEYRING_ID:
		return get_keyring_id(id, (uint32_t)b);
	case KEYCTL_JOIN_SESSION_KEYRING:
		return join_session(a);
	case KEYCTL_UPDATE:
		return update(id, b, c);
	case KEYCTL_REVOKE:
		return revoke(id);
	case KEYCTL_CHOWN:
		return change_owner(id, (uint32_t)b, (uint32_t)c);
	case KEYCTL_SETPERM:
		return set_rights(id, (uint32_t)b);
	case KEYCTL_DESCRIBE:
		return describe(id, b, c);
	case KEYCTL_CLEAR:
		return clear(id);
	case KEYCTL_LINK:
		return change_link(id, (int32_t)b, true);
	case KEYCTL_UNLINK:
		return change_link(id, (int32_t)b, false);
	case KEYCTL_SEARCH:
		return search(id, b, c, (int32_t)d);
	case KEYCTL_READ:
		return read(id, b, c);
	case KEYCTL_SET_REQKEY_KEYRING:
		return set_default_ring(id);
	case KEYCTL_SET_TIMEOUT:
		return set_timeout(id, (uint32_t)b);
	case KEYCTL_INVALIDATE:
		return invalidate(id);
	}
	return (uint32_t)command < KEYCTL_COMMANDS ? refuse_feature(-EOPNOTSUPP, "keyctl: a command", command)
						   : -EOPNOTSUPP;
}

NUMBER_FILE(keys, key_limits.keys, UINT32_MAX)
NUMBER_FILE(bytes, key_limits.bytes, UINT32_MAX)
NUMBER_FILE(root_keys, key_limits.root_keys, UINT32_MAX)
NUMBER_FILE(root_bytes, key_limits.root_bytes, UINT32_MAX)

#define LIMIT(name, which)                                                                                           \
	{                                                                                                            \
		.path = "sys/kernel/keys/" name, .mode = S_IFREG | 0644, .make = make_##which, .take = take_##which, \
	}

void key_limits_init(struct text_fs_type *type)
{
	static struct text_entry entries[] = {
		LIMIT("maxkeys", keys),
		LIMIT("maxbytes", bytes),
		LIMIT("root_maxkeys", root_keys),
		LIMIT("root_maxbytes", root_bytes),
	};

	text_fs_add(type, entries, sizeof(entries) / sizeof(entries[0]));
}
