/*
 * The system calls of extended attributes (xattr(7)): by path, by path without following a link, and by descriptor.
 */
#include "kernel/fs/attributes.h"
#include "kernel/fs/mount.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/user_args.h"

/* Get the node of a path; flags: PATH_…. */
static int node_at(uint64_t path, unsigned flags, struct node **ret)
{
	return user_path_lookup((uint64_t)AT_FDCWD, path, flags, ret);
}

/* Get the node of a path that is to be changed; flags: PATH_…. */
static int change_at(uint64_t path, unsigned flags, struct node **ret)
{
	return user_path_change((uint64_t)AT_FDCWD, path, flags, ret);
}

/* Get a reference to the node of a descriptor. Returns 0 or -EBADF. */
static int node_of(uint64_t fd, struct node **ret)
{
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file || file->flags & O_PATH)
		return -EBADF;
	*ret = node_get(file->node);
	return 0;
}

/* Get a reference to the node of a descriptor, which is to be changed. Returns 0, -EBADF or -EROFS. */
static int change_of(uint64_t fd, struct node **ret)
{
	HELD_FILE struct file *file = args_file_get(fd);

	return file && mount_is_read_only(file->mount) && !(file->flags & O_PATH) ? -EROFS : node_of(fd, ret);
}

/* Copy an attribute's name. Returns 0, -ERANGE (empty, or too long), -EFAULT. */
static int get_name(uint64_t from, char name[ATTRIBUTE_NAME_MOST + 1])
{
	size_t length = 0;
	enum status status = strncpy_from_user(name, user_pointer(from), ATTRIBUTE_NAME_MOST + 1, &length);

	if (status == ERR_RANGE || (status == OK && !length))
		return -ERANGE;
	return copy_errno(status);
}

/* Copy a value to a heap block; *ret is NULL for an empty one. Returns 0, -E2BIG, -ENOMEM, -EFAULT. */
static int get_value(uint64_t from, uint64_t size, void **ret)
{
	void *value;
	int error;

	*ret = NULL;
	if (size > ATTRIBUTE_VALUE_MOST)
		return -E2BIG;
	if (!size)
		return 0;
	value = kmalloc(size);
	if (!value)
		return -ENOMEM;
	error = args_get(value, from, size);
	if (error)
		kfree(value);
	else
		*ret = value;
	return error;
}

/* Set an attribute of `node`, and drop the reference to `node`. */
static int64_t set(struct node *node, uint64_t name_from, uint64_t from, uint64_t size, uint64_t flags)
{
	char name[ATTRIBUTE_NAME_MOST + 1];
	void *value = NULL;
	int error = fs_is_read_only(node->fs) ? -EROFS : 0;

	if (!error && (uint32_t)flags & ~(uint32_t)(XATTR_CREATE | XATTR_REPLACE))
		error = -EINVAL;
	if (!error)
		error = get_name(name_from, name);
	if (!error)
		error = get_value(from, size, &value);
	if (!error)
		error = attribute_set(node, rights_current(), name, value, size, (unsigned)flags);
	kfree(value);
	node_put(node);
	return error;
}

/* Copy an attribute's value to the user, or with size 0 only return its size; and drop the reference to `node`. */
static int64_t get(struct node *node, uint64_t name_from, uint64_t to, uint64_t size)
{
	char name[ATTRIBUTE_NAME_MOST + 1];
	const struct attribute *attribute = NULL;
	int64_t result = get_name(name_from, name);

	if (!result)
		result = attribute_get(node, rights_current(), name, &attribute);
	if (!result && size && size < attribute->value_size)
		result = -ERANGE;
	if (!result && size)
		result = args_put(to, attribute_value(attribute), attribute->value_size);
	if (!result)
		result = attribute->value_size;
	node_put(node);
	return result;
}

static int64_t put_names(struct node *node, uint64_t to, uint64_t size)
{
	char *names = kmalloc(size);
	int error;

	if (!names)
		return -ENOMEM;
	attribute_names(node, rights_current(), names);
	error = args_put(to, names, size);
	kfree(names);
	return error;
}

/* Copy the names to the user, or with size 0 only return how long they are; and drop the reference to `node`. */
static int64_t list(struct node *node, uint64_t to, uint64_t size)
{
	const uint64_t names = attribute_names_size(node, rights_current());
	int64_t result = 0;

	if (size && names > size)
		result = -ERANGE;
	else if (size && names)
		result = put_names(node, to, names);
	node_put(node);
	return result ? result : (int64_t)names;
}

static int64_t remove(struct node *node, uint64_t name_from)
{
	char name[ATTRIBUTE_NAME_MOST + 1];
	int error = fs_is_read_only(node->fs) ? -EROFS : get_name(name_from, name);

	if (!error)
		error = attribute_remove(node, rights_current(), name);
	node_put(node);
	return error;
}

SYSCALL_5(setxattr, path, name, value, size, flags)
{
	struct node *node;
	int error = change_at(path, PATH_FOLLOW, &node);

	return error ? error : set(node, name, value, size, flags);
}

SYSCALL_5(lsetxattr, path, name, value, size, flags)
{
	struct node *node;
	int error = change_at(path, PATH_NO_FOLLOW, &node);

	return error ? error : set(node, name, value, size, flags);
}

SYSCALL_5(fsetxattr, fd, name, value, size, flags)
{
	struct node *node;
	int error = change_of(fd, &node);

	return error ? error : set(node, name, value, size, flags);
}

SYSCALL_4(getxattr, path, name, to, size)
{
	struct node *node;
	int error = node_at(path, PATH_FOLLOW, &node);

	return error ? error : get(node, name, to, size);
}

SYSCALL_4(lgetxattr, path, name, to, size)
{
	struct node *node;
	int error = node_at(path, PATH_NO_FOLLOW, &node);

	return error ? error : get(node, name, to, size);
}

SYSCALL_4(fgetxattr, fd, name, to, size)
{
	struct node *node;
	int error = node_of(fd, &node);

	return error ? error : get(node, name, to, size);
}

SYSCALL_3(listxattr, path, to, size)
{
	struct node *node;
	int error = node_at(path, PATH_FOLLOW, &node);

	return error ? error : list(node, to, size);
}

SYSCALL_3(llistxattr, path, to, size)
{
	struct node *node;
	int error = node_at(path, PATH_NO_FOLLOW, &node);

	return error ? error : list(node, to, size);
}

SYSCALL_3(flistxattr, fd, to, size)
{
	struct node *node;
	int error = node_of(fd, &node);

	return error ? error : list(node, to, size);
}

SYSCALL_2(removexattr, path, name)
{
	struct node *node;
	int error = change_at(path, PATH_FOLLOW, &node);

	return error ? error : remove(node, name);
}

SYSCALL_2(lremovexattr, path, name)
{
	struct node *node;
	int error = change_at(path, PATH_NO_FOLLOW, &node);

	return error ? error : remove(node, name);
}

SYSCALL_2(fremovexattr, fd, name)
{
	struct node *node;
	int error = change_of(fd, &node);

	return error ? error : remove(node, name);
}
