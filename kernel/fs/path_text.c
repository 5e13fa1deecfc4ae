/*
 * Makes the text of a place's path, from its end to its start, name by name.
 */
#include "kernel/fs/path.h"

#include "kernel/fs/place.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

static int place_of(struct node *node, struct node_place *ret)
{
	return node->ops->place ? node->ops->place(node, ret) : -ENOENT;
}

/*
 * Write the path of `dir` from `root` in front of the text that fills the buffer from buffer[at] to its end, then move
 * the whole to the buffer's start. Returns as path_of_directory.
 */
static int put_path(const struct place *root, struct place dir, char *buffer, size_t size, size_t at, size_t *ret_size)
{
	size_t end = at;

	while (!place_is(&dir, root)) {
		struct node_place place;

		if (dir.mount && dir.node == dir.mount->root) {
			if (!dir.mount->parent)
				return -ENOENT;
			dir = (struct place){ dir.mount->parent, dir.mount->at };
			continue;
		}
		if (place_of(dir.node, &place) != 0 || place.gone)
			return -ENOENT;
		if (place.name.size + 1 > at)
			return -ERANGE;
		at -= place.name.size + 1;
		buffer[at] = '/';
		memcpy(buffer + at + 1, place.name.text, place.name.size);
		dir.node = place.dir;
	}
	if (at == end && !buffer[at]) {
		if (!at)
			return -ERANGE;
		buffer[--at] = '/';
	}
	memmove(buffer, buffer + at, size - at);
	*ret_size = size - at;
	return 0;
}

int path_of_directory(const struct place *root, struct place dir, char *buffer, size_t size, size_t *ret_size)
{
	if (!size)
		return -ERANGE;
	buffer[size - 1] = '\0';
	return put_path(root, dir, buffer, size, size - 1, ret_size);
}

/* Write "/#NUMBER" in place of a path, for a node that has no name any more or whose names are not known. */
static int nameless(const struct node *node, char *buffer, size_t size, size_t *ret_size)
{
	size_t length = format_s(buffer, size, "/#%llu%s", (unsigned long long)node->number,
				 node->links && !node_is(node, S_IFDIR) ? "" : " (deleted)");

	*ret_size = length + 1;
	return length < size ? 0 : -ERANGE;
}

/* Write the path of place->dir in `mount`, a slash, place->name, and " (deleted)" if the node has lost that name. */
static int put_path_of(const struct place *root, struct mount *mount, const struct node_place *place, char *buffer,
		       size_t size, size_t *ret_size)
{
	const char *end = place->gone ? " (deleted)" : "";
	size_t at, more = strlen(end) + 1;

	if (place->name.size + 1 + more > size)
		return -ERANGE;
	at = size - more - place->name.size - 1;
	buffer[at] = '/';
	memcpy(buffer + at + 1, place->name.text, place->name.size);
	memcpy(buffer + size - more, end, more);
	return put_path(root, (struct place){ mount, place->dir }, buffer, size, at, ret_size);
}

int path_of_place(const struct place *root, struct place of, char *buffer, size_t size, size_t *ret_size)
{
	struct node *node = of.node;
	struct node_place place;
	size_t length;
	int error;

	if (node->ops->describe) {
		length = node->ops->describe(node, buffer, size);
		*ret_size = length + 1;
		return length < size ? 0 : -ERANGE;
	}
	if (node_is(node, S_IFDIR) || (of.mount && of.mount->root == node)) {
		error = path_of_directory(root, of, buffer, size, ret_size);
		return error == -ENOENT ? nameless(node, buffer, size, ret_size) : error;
	}
	if (place_of(node, &place) != 0)
		return nameless(node, buffer, size, ret_size);
	error = put_path_of(root, of.mount, &place, buffer, size, ret_size);
	return error == -ENOENT && place.gone ? nameless(node, buffer, size, ret_size) : error;
}

int path_of_node(const struct place *root, struct node *node, char *buffer, size_t size, size_t *ret_size)
{
	return path_of_place(root, place_of_node(node), buffer, size, ret_size);
}
