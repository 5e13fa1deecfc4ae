/*
 * Addresses of AF_UNIX: the path of a node in the tree of files, or an *abstract name*, which begins with a NUL, goes
 * on with any bytes, and is in no file system. Sockets of different types may have the same abstract name, as on
 * Linux.
 */
#include "kernel/fs/permission.h"
#include "kernel/lib/format.h"
#include "kernel/lib/hash.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/net/unix_internal.h"

#define ROWS      1024       /* number of rows of the table of abstract names */
#define ANY_NAMES (1U << 20) /* how many names of five hexadecimal digits there are */
#define ANY_TRIES 1024       /* how many of these names unix_bind_any() tries; trying more would take too long */

/*
 * The hash table of the sockets that have abstract names; a row is a list by `next`. Guard: tasks only, which the
 * kernel does not preempt.
 */
static struct unix_socket *rows[ROWS];

struct unix_name *unix_name_get(struct unix_name *name)
{
	if (name)
		name->refs++;
	return name;
}

void unix_name_put(struct unix_name *name)
{
	if (name && !--name->refs)
		kfree(name);
}

static struct unix_name *make_name(const struct socket_name *name)
{
	struct unix_name *made = kmalloc(sizeof(*made));

	if (made)
		*made = (struct unix_name){ .refs = 1, .name = *name };
	return made;
}

/* ---- abstract names ---- */

static struct unix_socket **row_of(const struct socket_name *name, unsigned type)
{
	return &rows[(hash_bytes(name->bytes, name->size) + type) % ROWS];
}

static struct unix_socket *find_abstract(const struct socket_name *name, unsigned type)
{
	for (struct unix_socket *socket = *row_of(name, type); socket; socket = socket->next) {
		const struct socket_name *other = &socket->name->name;

		if (socket->socket.type == type && other->size == name->size &&
		    memcmp(other->bytes, name->bytes, name->size) == 0)
			return socket;
	}
	return NULL;
}

static int bind_abstract(struct unix_socket *socket, const struct socket_name *name)
{
	struct unix_socket **row = row_of(name, socket->socket.type);

	if (find_abstract(name, socket->socket.type))
		return -EADDRINUSE;
	socket->name = make_name(name);
	if (!socket->name)
		return -ENOMEM;
	socket->next = *row;
	*row = socket;
	return 0;
}

int unix_bind_any(struct unix_socket *socket)
{
	struct socket_name name = { .size = NAME_HEAD + 1 + 5, .family = AF_UNIX };
	uint32_t number;

	if (socket->name)
		return 0;
	/* Begin at a random name: so no program can occupy beforehand all the names that will be tried for another. */
	random_bytes(&number, sizeof(number));
	for (uint32_t tries = 0; tries < ANY_TRIES; tries++) {
		char digits[8];

		(void)format_s(digits, sizeof(digits), "%05x", number++ % ANY_NAMES);
		memcpy(name.bytes + NAME_HEAD + 1, digits, 5);
		if (!find_abstract(&name, socket->socket.type))
			return bind_abstract(socket, &name);
	}
	return -ENOSPC;
}

/* ---- nodes in the tree ---- */

/* Copy the path of an address, which may lack its NUL. */
static void get_path(const struct socket_name *name, char path[UNIX_PATH_MOST + 1])
{
	memcpy(path, name->bytes + NAME_HEAD, name->size - NAME_HEAD);
	path[name->size - NAME_HEAD] = '\0';
}

static int bind_path(struct unix_socket *socket, const struct socket_name *name, const struct path_base *base,
		     uint32_t umask)
{
	char path[UNIX_PATH_MOST + 1];
	struct unix_name *made;
	struct path_end end;
	int error;

	get_path(name, path);
	error = path_lookup_end(base, path, &end);
	if (error)
		return error;
	made = make_name(name);
	error = made ? 0 : -ENOMEM;
	/* Another thread may have bound the socket meanwhile, since the lookup of the path lets other tasks run. */
	if (!error && socket->name)
		error = -EINVAL;
	if (!error && end.slash)
		error = -ENOENT;
	if (!error)
		error = path_end_create(base, &end, S_IFSOCK | (0777 & ~umask), 0, &socket->node);
	path_end_put(&end);
	if (error) {
		kfree(made);
		return error == -EEXIST ? -EADDRINUSE : error;
	}
	/* As on Linux the name that getsockname(2) tells ends with one NUL. */
	made->name.size = NAME_HEAD + (uint32_t)strlen(path) + 1;
	made->name.bytes[made->name.size - 1] = '\0';
	socket->name = made;
	socket->node->socket = &socket->socket;
	return 0;
}

static int find_path(const struct socket_name *name, const struct path_base *base, struct socket **ret)
{
	char path[UNIX_PATH_MOST + 1];
	struct node *node;
	int error;

	get_path(name, path);
	error = path_lookup(base, path, PATH_FOLLOW, &node);
	if (error)
		return error;
	error = node_permit(node, base->who, ACCESS_WRITE);
	if (!error && node_is(node, S_IFSOCK) && node->socket)
		*ret = socket_get(node->socket);
	else if (!error)
		error = -ECONNREFUSED;
	node_put(node);
	return error;
}

/* ---- operations ---- */

/* Return 0 if the address has the form of one of this family, or -EINVAL. */
static int check(const struct socket_name *name)
{
	return name->family == AF_UNIX && name->size > NAME_HEAD && name->size <= NAME_HEAD + UNIX_PATH_MOST ? 0
													     : -EINVAL;
}

int unix_bind(struct socket *socket, const struct socket_name *name, const struct path_base *base, uint32_t umask)
{
	struct unix_socket *own = unix_cast(socket);

	if (name->size == NAME_HEAD && name->family == AF_UNIX)
		return unix_bind_any(own);
	if (check(name) || own->name)
		return -EINVAL;
	return name->bytes[NAME_HEAD] ? bind_path(own, name, base, umask) : bind_abstract(own, name);
}

int unix_find(struct socket *socket, const struct socket_name *name, const struct path_base *base, bool sends,
	      struct socket **ret)
{
	struct unix_socket *found;
	int error;

	*ret = NULL;
	if (sends && socket->type == SOCK_STREAM)
		return unix_cast(socket)->was_connected ? -EISCONN : -EOPNOTSUPP;
	if (sends ? socket->type == SOCK_SEQPACKET : name->family == AF_UNSPEC && socket->type == SOCK_DGRAM)
		return 0;
	if (check(name))
		return -EINVAL;
	if (!name->bytes[NAME_HEAD]) {
		found = find_abstract(name, socket->type);
		if (!found)
			return -ECONNREFUSED;
		*ret = socket_get(&found->socket);
		return 0;
	}
	error = find_path(name, base, ret);
	if (!error && (*ret)->type != socket->type) {
		socket_put(*ret);
		*ret = NULL;
		error = -EPROTOTYPE;
	}
	return error;
}

void unix_unbind(struct unix_socket *socket)
{
	if (socket->node) {
		socket->node->socket = NULL;
		node_put(socket->node);
		socket->node = NULL;
	} else if (socket->name && !socket->name->name.bytes[NAME_HEAD]) {
		struct unix_socket **at = row_of(&socket->name->name, socket->socket.type);

		/* A socket that accept(2) returned shares the listening socket's name, but is not in the table. */
		while (*at && *at != socket)
			at = &(*at)->next;
		if (*at)
			*at = socket->next;
	}
}
