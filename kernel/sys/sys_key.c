/*
 * add_key(2) and request_key(2).
 *
 * There is no program that request_key(2) could run to get a key: as on a Linux without /sbin/request-key, a key that
 * nobody has becomes a negative one for a minute.
 */
#include "kernel/irq/clock.h"
#include "kernel/lib/string.h"
#include "kernel/lib/time.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/key_access.h"
#include "kernel/sys/key_args.h"
#include "kernel/sys/user_args.h"

#define TYPE_ROOM       32 /* bytes of a type's name, with its NUL */
#define NEGATIVE_NS     (60 * NS_PER_S)
#define NEGATIVE_RIGHTS (KEY_POSSESSOR(KEY_VIEW | KEY_SEARCH | KEY_LINK | KEY_SETATTR | KEY_WRITE) | KEY_USER(KEY_VIEW))

int key_args_text(uint64_t from, size_t room, char **ret)
{
	char *text = kmalloc(room);
	size_t length = 0;
	enum status status;

	if (!text)
		return -ENOMEM;
	status = strncpy_from_user(text, user_pointer(from), room, &length);
	if (status == OK) {
		*ret = text;
		return 0;
	}
	kfree(text);
	return status == ERR_RANGE ? -EINVAL : copy_errno(status);
}

int key_args_type(uint64_t from, char **ret)
{
	int error = key_args_text(from, TYPE_ROOM, ret);

	if (!error && (!**ret || **ret == '.')) {
		error = **ret ? -EPERM : -EINVAL;
		kfree(*ret);
	}
	return error;
}

int key_args_payload(uint64_t from, size_t size, void **ret)
{
	void *payload;
	int error;

	*ret = NULL;
	if (!size)
		return 0;
	payload = kmalloc(size);
	if (!payload)
		return -ENOMEM;
	error = args_get(payload, from, size);
	if (error)
		key_payload_free(payload, size);
	else
		*ret = payload;
	return error;
}

/* The texts by which a call names a key; on the heap. */
struct names {
	char *type, *description; /* description: "" for none */
};

static void free_names(struct names *names)
{
	kfree(names->type);
	kfree(names->description);
}

#define HELD_NAMES __attribute__((cleanup(free_names)))

/*
 * Get the names of a call from user memory. Returns 0, -EFAULT, -EINVAL (too long), -EPERM (a type that is the kernel's
 * own), -ENOMEM.
 */
static int get_names(uint64_t type, uint64_t description, struct names *ret)
{
	int error = key_args_type(type, &ret->type);

	if (error) {
		ret->type = NULL;
		return error;
	}
	if (description)
		return key_args_text(description, KEY_DESCRIPTION_MOST, &ret->description);
	ret->description = kzalloc(1);
	return ret->description ? 0 : -ENOMEM;
}

/* Return the rights of a new key of a type. */
static uint32_t first_rights(const struct key_type *type)
{
	unsigned possessor = KEY_VIEW | KEY_SEARCH | KEY_LINK | KEY_SETATTR | KEY_WRITE;

	if (!type->is_private)
		possessor |= KEY_READ;
	return KEY_POSSESSOR(possessor) | KEY_USER(KEY_VIEW);
}

/* Give the payload to the key with these names in the keyring, or make such a key. Returns the key's id or an error. */
static int64_t add(struct key *ring, bool possessed, const struct names *names, void *payload, size_t size)
{
	const struct key_type *type = key_type_find(names->type);
	HELD_KEY struct key *made = NULL;
	struct key *old;
	int error;

	if (!type)
		return -ENODEV;
	if (!key_is_ring(ring))
		return -ENOTDIR;
	if (!*names->description)
		return -EINVAL;
	keyring_tidy(ring);
	old = keyring_find(ring, type, names->description);
	if (old && !key_is_ring(old) && old->state != KEY_REVOKED) {
		if (!key_permits(old, possessed, KEY_WRITE))
			return -EACCES;
		error = key_update(old, payload, size);
		return error ? error : old->id;
	}
	error = key_create(type, names->description, rights_current()->uid.fs, rights_current()->gid.fs,
			   first_rights(type), payload, size, &made);
	if (error)
		return error;
	error = keyring_link(ring, made);
	/* The caller frees the payload after an error: take it from the key again. */
	if (error) {
		made->payload = NULL;
		return error;
	}
	return made->id;
}

SYSCALL_5(add_key, type, description, from, size, ring_id)
{
	HELD_NAMES struct names names = { 0 };
	HELD_KEY struct key *ring = NULL;
	bool possessed;
	void *payload;
	int64_t result;

	if (size > KEY_PAYLOAD_MOST)
		return -EINVAL;
	result = get_names(type, description, &names);
	if (!result && strcmp(names.type, "keyring") == 0 && *names.description == '.')
		result = -EPERM;
	if (!result)
		result = key_args_payload(from, size, &payload);
	if (result)
		return result;
	result = key_lookup((int32_t)ring_id, KEY_LOOKUP_MAKE, KEY_WRITE, &ring, &possessed);
	if (!result)
		result = add(ring, possessed, &names, payload, size);
	if (result < 0)
		key_payload_free(payload, size);
	return result;
}

/* Make a key that stands for one that nobody can provide, in the keyring. Returns -ENOENT or another error. */
static int64_t add_negative(struct key *ring, const struct key_type *type, const char *description)
{
	HELD_KEY struct key *made = NULL;
	const struct credentials *who = rights_current();
	int error;

	keyring_tidy(ring);
	error = key_create(&key_type_keyring, description, who->uid.fs, who->gid.fs, NEGATIVE_RIGHTS, NULL, 0, &made);
	if (error)
		return error;
	made->type = type;
	made->state = KEY_NEGATIVE;
	made->expires = time_add(clock_monotonic_ns(), NEGATIVE_NS);
	error = keyring_link(ring, made);
	return error ? error : -ENOENT;
}

/* Find a key. Returns its id; or an error, as -ENOENT for a key that nobody has. */
static int64_t request(const struct names *names, bool may_make, struct key *ring)
{
	const struct key_type *type = key_type_find(names->type);
	HELD_KEY struct key *chosen = NULL;
	struct key *found;
	int error;

	if (!type)
		return -ENOKEY;
	if (!*names->description)
		return -EINVAL;
	found = key_search_own(type, names->description, &error);
	if (found) {
		if (ring && !key_permits(found, true, KEY_LINK))
			return -EACCES;
		error = ring ? keyring_link(ring, found) : 0;
		return error ? error : found->id;
	}
	if (error != -EAGAIN)
		return error;
	if (!may_make)
		return -ENOKEY;
	/* As on Linux, a keyring cannot be requested from anybody. */
	if (type == &key_type_keyring)
		return -EPERM;
	error = ring ? 0 : key_default_ring(&chosen);
	return error ? error : add_negative(ring ? ring : chosen, type, names->description);
}

SYSCALL_4(request_key, type, description, callout, ring_id)
{
	HELD_NAMES struct names names = { 0 };
	HELD_KEY struct key *ring = NULL;
	char *text = NULL;
	bool possessed;
	int error = get_names(type, description, &names);

	if (!error && callout)
		error = key_args_text(callout, PAGE_SIZE, &text);
	kfree(text);
	if (!error && (int32_t)ring_id)
		error = key_lookup((int32_t)ring_id, KEY_LOOKUP_MAKE, KEY_WRITE, &ring, &possessed);
	return error ? error : request(&names, callout != 0, ring);
}
