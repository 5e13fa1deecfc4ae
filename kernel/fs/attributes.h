/*
 * Extended attributes of files (xattr(7)): small values with names, in a tmpfs only. As in Linux 6.1's tmpfs there are
 * the namespaces "trusted." and "security."; others return -EOPNOTSUPP. Names and values lie in the heap, and count
 * towards the file system's limit.
 *
 * In all functions `who` are the credentials that the caller acts with. Guard: tasks only, which the kernel does not
 * preempt: nothing here blocks.
 */
#pragma once

#include "kernel/fs/credentials.h"
#include "kernel/fs/node.h"
#include "kernel/lib/list.h"
#include "kernel/lib/tree.h"
#include "kernel/sync/late_work.h"

#define ATTRIBUTE_NAME_MOST  255   /* bytes of a name, without its NUL */
#define ATTRIBUTE_VALUE_MOST 65536 /* bytes of a value, and of a list of names */

enum attribute_flags { XATTR_CREATE = 1, XATTR_REPLACE = 2 };

/* The name that holds a program's capabilities (capabilities(7)), and the bit of node->mode while a node has it. */
#define ATTRIBUTE_CAPABILITY "security.capability"
#define MODE_HAS_CAPABILITY  (1U << 16)

/* One attribute. Guard: fixed when it is made, but for its places in tree and list. */
struct attribute {
	struct tree_node in_names; /* place in attributes->by_name */
	struct link in_list;       /* place in attributes->list */
	uint32_t name_size, value_size;
	char text[]; /* the name, a NUL, and the value */
};

/* The attributes of a node. Guard: tasks only, which the kernel does not preempt. */
struct attributes {
	struct late_work end;      /* late work that frees the attributes of a deleted node; must be the first member */
	struct tree_node *by_name; /* sorted by name */
	struct link list;          /* the newest first, by in_list */
	uint64_t names;            /* bytes of all names with their NULs */
	uint64_t trusted_names;    /* how many of these are of the namespace "trusted." */
	uint64_t bytes;            /* bytes that all attributes take in the heap */
};

/*
 * Set an attribute. flags: of enum attribute_flags. Returns 0, -EEXIST (XATTR_CREATE), -ENODATA (XATTR_REPLACE),
 * -EPERM, -EACCES, -EOPNOTSUPP, -EINVAL (no name behind the namespace, or no valid value of ATTRIBUTE_CAPABILITY),
 * -ENOSPC (the file system's limit, or more names than a list can have), -ENOMEM. After an error the attributes are as
 * before.
 */
int attribute_set(struct node *node, const struct credentials *who, const char *name, const void *value, size_t size,
		  unsigned flags);

/* Find an attribute; *ret is valid until the node's attributes change. Returns as attribute_set(). */
int attribute_get(struct node *node, const struct credentials *who, const char *name, const struct attribute **ret);

/* Remove an attribute. Returns as attribute_set(); -ENODATA: there is none. */
int attribute_remove(struct node *node, const struct credentials *who, const char *name);

/* Return how many bytes the names that `who` sees take with their NULs. */
uint64_t attribute_names_size(struct node *node, const struct credentials *who);

/* Write the names that `who` sees to `to`, which has room for them. */
void attribute_names(struct node *node, const struct credentials *who, char *to);

static inline const void *attribute_value(const struct attribute *attribute)
{
	return attribute->text + attribute->name_size + 1;
}

/* The capabilities that a process gets when it executes the file. */
struct file_capabilities {
	uint64_t permitted, inheritable;
	bool effective; /* whether the capabilities that the process gets are effective at once */
};

/*
 * Read the node's ATTRIBUTE_CAPABILITY into *ret. Returns whether the node has it; a value for another user namespace's
 * root does not count.
 */
bool attribute_capabilities(struct node *node, struct file_capabilities *ret);

/* Remove ATTRIBUTE_CAPABILITY, if the node has it, since its content or owner changes. */
void attribute_drop_capabilities(struct node *node);

/*
 * Free all attributes of a node of `fs` that is being freed. If there are many, the current task frees the rest of them
 * later, on its way back to user mode. NULL is allowed.
 */
void attributes_free(struct attributes *attributes, struct fs *fs);
