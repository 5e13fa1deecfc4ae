/*
 * Finds and makes the keyrings of the current task, searches them for keys, and decides what the task may do with a
 * key. Guard of all: tasks only, which the kernel does not preempt.
 */
#include "kernel/sys/key_access.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/format.h"
#include "kernel/task/rights.h"

#define TASK_RIGHTS    (KEY_POSSESSOR(KEY_ALL) | KEY_USER(KEY_VIEW))
#define SESSION_RIGHTS (KEY_POSSESSOR(KEY_ALL) | KEY_USER(KEY_VIEW | KEY_READ))
#define JOINED_RIGHTS  (SESSION_RIGHTS | KEY_USER(KEY_LINK))
#define USER_RIGHTS    (KEY_POSSESSOR(KEY_ALL & ~KEY_SETATTR) | KEY_USER(KEY_ALL))
#define NO_GROUP       UINT32_MAX
#define NAME_ROOM      32

bool key_permits(const struct key *key, bool possessed, unsigned rights)
{
	const struct credentials *who = rights_current();
	uint32_t given = key->rights;

	if (key->uid == who->uid.fs)
		given >>= 16;
	else if (key->gid != NO_GROUP && given & 0xff00 && credentials_in_group(who, key->gid))
		given >>= 8;
	if (possessed)
		given |= key->rights >> 24;
	return (given & rights & KEY_ALL) == rights;
}

static bool permits_possessor(struct key *key)
{
	return key_permits(key, true, KEY_SEARCH);
}

static bool permits_anybody(struct key *key)
{
	return key_permits(key, false, KEY_SEARCH);
}

/* ---- keyrings ---- */

static int make_ring(const char *name, uint32_t gid, uint32_t rights, struct key **ret)
{
	return key_create(&key_type_keyring, name, rights_current()->uid.fs, gid, rights, NULL, 0, ret);
}

/* Make one of the two keyrings that a user has. */
static int make_of_user(const struct key_user *user, const char *prefix, struct key **ret)
{
	char name[NAME_ROOM];
	int error;

	format_s(name, sizeof(name), "%s.%u", prefix, user->uid);
	error = key_create(&key_type_keyring, name, user->uid, NO_GROUP, USER_RIGHTS, NULL, 0, ret);
	if (!error)
		(*ret)->is_of_user = true;
	return error;
}

/* Forget a keyring of a user that was made invalid: a new one takes its place. */
static void forget_invalid(struct key **ring)
{
	if (*ring && (*ring)->state == KEY_INVALID) {
		key_put(*ring);
		*ring = NULL;
	}
}

/* Find the record of the task's real user, and make the user's two keyrings if need be. Returns 0 or an error. */
static int own_user(struct key_user **ret)
{
	struct key_user *user = key_user_get(rights_current()->uid.real);
	struct key *session = NULL;
	int error = 0;

	if (!user)
		return -ENOMEM;
	forget_invalid(&user->keyring);
	forget_invalid(&user->session);
	if (!user->keyring)
		error = make_of_user(user, "_uid", &user->keyring);
	if (!error && !user->session) {
		error = make_of_user(user, "_uid_ses", &session);
		if (!error)
			error = keyring_link(session, user->keyring);
		if (error)
			key_put(session);
		else
			user->session = session;
	}
	*ret = user;
	return error;
}

/*
 * Return in *ret a reference to the keyring at *at; with KEY_LOOKUP_MAKE make it if there is none. Returns 0 or an
 * error.
 */
static int kept_ring(struct key **at, const char *name, unsigned flags, struct key **ret)
{
	int error = 0;

	if (!*at)
		error = flags & KEY_LOOKUP_MAKE ? make_ring(name, rights_current()->gid.fs, TASK_RIGHTS, at) : -ENOKEY;
	if (!error)
		*ret = key_get(*at);
	return error;
}

static int session_ring(unsigned flags, struct key **ret)
{
	struct task_keys *keys = &task_current()->keys;
	struct key_user *user;
	int error = own_user(&user);

	if (error)
		return error;
	/*
	 * A keyring that is to be changed must be the task's own: the user's is shared by all tasks without one of
	 * their own.
	 */
	if (flags & KEY_LOOKUP_MAKE && (!keys->session || keys->session->is_of_user)) {
		const int64_t id = key_join_session(NULL);

		if (id < 0)
			return (int)id;
	}
	if (!keys->session)
		keys->session = key_get(user->session);
	*ret = key_get(keys->session);
	return 0;
}

static int special_ring(int32_t id, unsigned flags, struct key **ret)
{
	struct key_user *user;
	int error;

	switch (id) {
	case KEY_SPEC_THREAD_KEYRING:
		return kept_ring(&task_current()->keys.thread, "_tid", flags, ret);
	case KEY_SPEC_PROCESS_KEYRING:
		return kept_ring(&process_current()->keyring, "_pid", flags, ret);
	case KEY_SPEC_SESSION_KEYRING:
		return session_ring(flags, ret);
	case KEY_SPEC_USER_KEYRING:
	case KEY_SPEC_USER_SESSION_KEYRING:
		error = own_user(&user);
		if (!error)
			*ret = key_get(id == KEY_SPEC_USER_KEYRING ? user->keyring : user->session);
		return error;
	}
	return -EINVAL;
}

int64_t key_join_session(const char *name)
{
	struct task_keys *keys = &task_current()->keys;
	struct key *ring = name ? key_find_ring(name, permits_anybody) : NULL;
	int error = 0;

	if (!ring)
		error = make_ring(name ? name : "_ses", rights_current()->gid.fs, name ? JOINED_RIGHTS : SESSION_RIGHTS,
				  &ring);
	if (error)
		return error;
	key_put(keys->session);
	keys->session = ring;
	return ring->id;
}

int key_default_ring(struct key **ret)
{
	const int chosen = task_current()->keys.default_ring;
	int32_t id = chosen ? -chosen : KEY_SPEC_THREAD_KEYRING;
	struct key *ring;
	int error = special_ring(id, 0, &ring);

	/* As on Linux, if the task has no such keyring its process's is taken, and then its session's. */
	while (error == -ENOKEY && id > KEY_SPEC_SESSION_KEYRING)
		error = special_ring(--id, 0, &ring);
	if (error)
		return error;
	if (!key_permits(ring, true, KEY_WRITE)) {
		key_put(ring);
		return -EACCES;
	}
	*ret = ring;
	return 0;
}

/* ---- searches ---- */

/*
 * Search all keyrings that the task possesses. Returns a key, or NULL with *ret_error set. As on Linux, a keyring
 * without such a key, or with a negative one, decides the error before a keyring whose key cannot be used.
 */
static struct key *search_own(const struct key_search *search, int *ret_error)
{
	struct key *rings[3] = { task_current()->keys.thread, process_current()->keyring,
				 task_current()->keys.session };
	int none = 0, other = -EAGAIN;
	struct key_user *user;

	if (!rings[2] && own_user(&user) == 0)
		rings[2] = user->session;
	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		int error = -EAGAIN;
		struct key *found = rings[i] ? keyring_search(rings[i], search, &error) : NULL;

		if (found)
			return found;
		if (error == -ENOKEY || (error == -EAGAIN && rings[i] && !none))
			none = error;
		else if (error != -EAGAIN)
			other = error;
	}
	*ret_error = none ? none : other;
	return NULL;
}

struct key *key_search_own(const struct key_type *type, const char *description, int *ret_error)
{
	return search_own(&(struct key_search){ NULL, type, description, permits_possessor }, ret_error);
}

struct key *key_search_ring(struct key *ring, bool possessed, const struct key_type *type, const char *description,
			    int *ret_error)
{
	const struct key_search search = { NULL, type, description, possessed ? permits_possessor : permits_anybody };

	return keyring_search(ring, &search, ret_error);
}

static bool is_possessed(struct key *key)
{
	int error;

	return search_own(&(struct key_search){ .key = key, .permits = permits_possessor }, &error) != NULL;
}

int key_lookup(int32_t id, unsigned flags, unsigned rights, struct key **ret, bool *ret_possessed)
{
	struct key *key;
	int error = 0;

	if (id < 0) {
		error = special_ring(id, flags, &key);
		*ret_possessed = true;
	} else {
		key = key_find(id);
		if (!key)
			error = id ? -ENOKEY : -EINVAL;
		else
			*ret_possessed = is_possessed(key);
	}
	if (error)
		return error;
	if (!(flags & KEY_LOOKUP_ANY))
		error = key_check(key);
	if (!error && !key_permits(key, *ret_possessed, rights))
		error = -EACCES;
	if (error)
		key_put(key);
	else
		*ret = key;
	return error;
}

/* ---- tasks ---- */

void key_task_begin(struct task *task, const struct task *from)
{
	task->keys.default_ring = from->keys.default_ring;
	if (from->keys.session)
		task->keys.session = key_get(from->keys.session);
}

void key_task_leave(struct task *task)
{
	key_put(task->keys.thread);
	task->keys.thread = NULL;
	if (task->process->task_count > 1)
		return;
	key_put(task->process->keyring);
	task->process->keyring = NULL;
}

void key_task_end(struct task *task)
{
	struct process *process = task->process;

	key_put(task->keys.session);
	task->keys.session = NULL;
	if (process->ending < process->task_count)
		return;
	key_put(process->keyring);
	process->keyring = NULL;
}
