/*
 * Extended attributes: stores them, and checks who may read and write which namespace; see attributes.h.
 */
#include "kernel/fs/attributes.h"

#include "kernel/fs/node_attributes.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/string.h"
#include "kernel/lib/tree_change.h"
#include "kernel/mm/heap/heap.h"

#define FREE_STEP 128 /* most attributes of a deleted node that one step of late work frees */

/* ---- storage ---- */

static struct attribute *attribute_in(struct tree_node *node)
{
	return node ? tree_item(node, struct attribute, in_names) : NULL;
}

/*
 * Find an attribute by its name. If there is none, return NULL, and in *ret_parent and *ret_side its place in the tree.
 */
static struct attribute *find(struct attributes *attributes, const char *name, struct tree_node **ret_parent,
			      enum tree_side *ret_side)
{
	struct attribute *attribute = attributes ? attribute_in(attributes->by_name) : NULL;

	*ret_parent = NULL;
	*ret_side = TREE_LOW;
	while (attribute) {
		int order = strcmp(name, attribute->text);

		if (!order)
			return attribute;
		*ret_parent = &attribute->in_names;
		*ret_side = order > 0;
		attribute = attribute_in(attribute->in_names.child[*ret_side]);
	}
	return NULL;
}

static struct attribute *find_of(struct node *node, const char *name)
{
	struct attributes **attributes = tmpfs_attributes(node);
	struct tree_node *parent;
	enum tree_side side;

	return attributes ? find(*attributes, name, &parent, &side) : NULL;
}

static bool is_in(const char *name, const char *space)
{
	return strncmp(name, space, strlen(space)) == 0;
}

static bool is_capability(const char *name)
{
	return strcmp(name, ATTRIBUTE_CAPABILITY) == 0;
}

static uint64_t size_in_heap(const struct attribute *attribute)
{
	return sizeof(*attribute) + attribute->name_size + 1 + attribute->value_size;
}

/*
 * Adjust the totals of the node and its file system for an attribute that was added (sign 1) or is being removed (-1).
 */
static void count(struct node *node, struct attributes *attributes, const struct attribute *attribute, int sign)
{
	const uint64_t one = (uint64_t)(int64_t)sign, name = one * (attribute->name_size + 1);

	attributes->names += name;
	if (is_in(attribute->text, "trusted."))
		attributes->trusted_names += name;
	attributes->bytes += one * size_in_heap(attribute);
	node->fs->attribute_bytes += one * size_in_heap(attribute);
	if (!is_capability(attribute->text))
		return;
	node->mode &= ~MODE_HAS_CAPABILITY;
	if (sign > 0)
		node->mode |= MODE_HAS_CAPABILITY;
}

static struct attribute *make(const char *name, const void *value, size_t size)
{
	const size_t name_size = strlen(name);
	struct attribute *made = kmalloc(sizeof(*made) + name_size + 1 + size);

	if (!made)
		return NULL;
	made->name_size = (uint32_t)name_size;
	made->value_size = (uint32_t)size;
	memcpy(made->text, name, name_size + 1);
	memcpy(made->text + name_size + 1, value, size);
	return made;
}

static void drop(struct node *node, struct attributes *attributes, struct attribute *attribute)
{
	count(node, attributes, attribute, -1);
	tree_remove(&attributes->by_name, &attribute->in_names, NULL);
	list_remove(&attribute->in_list);
	kfree(attribute);
}

/* Make *at, the node's attributes, an empty set if it is NULL: the node has none yet. Returns 0 or -ENOMEM. */
static int begin(struct attributes **at)
{
	if (*at)
		return 0;
	*at = kzalloc(sizeof(**at));
	if (!*at)
		return -ENOMEM;
	list_init(&(*at)->list);
	return 0;
}

/*
 * Return whether a value of `size` bytes would exceed the limit of the file system; or, if it does not replace `old`,
 * its name would make the list of names longer than listxattr(2) can return.
 */
static bool is_full(const struct fs *fs, const struct attributes *attributes, const struct attribute *old,
		    const char *name, uint64_t size)
{
	if (!old && attributes->names + strlen(name) + 1 > ATTRIBUTE_VALUE_MOST)
		return true;
	return fs->pages_max && fs->pages + (fs->attribute_bytes + size) / PAGE_SIZE >= fs->pages_max;
}

/* Add or replace an attribute of a tmpfs. An attribute that is replaced keeps its place in the list. */
static int store(struct node *node, const char *name, const void *value, size_t size, unsigned flags)
{
	struct attributes **at = tmpfs_attributes(node);
	struct attribute *old, *made;
	struct tree_node *parent;
	enum tree_side side;
	int error = begin(at);

	if (error)
		return error;
	old = find(*at, name, &parent, &side);
	if (old ? flags & XATTR_CREATE : flags & XATTR_REPLACE)
		return old ? -EEXIST : -ENODATA;
	if (is_full(node->fs, *at, old, name, size))
		return -ENOSPC;
	made = make(name, value, size);
	if (!made)
		return -ENOMEM;
	if (old) {
		list_add_behind(&old->in_list, &made->in_list);
		drop(node, *at, old);
		(void)find(*at, name, &parent, &side);
	} else {
		list_add_first(&(*at)->list, &made->in_list);
	}
	tree_add(&(*at)->by_name, parent, side, &made->in_names, NULL);
	count(node, *at, made, 1);
	return 0;
}

static bool free_some(struct late_work *work)
{
	struct attributes *attributes = (struct attributes *)work;

	for (unsigned left = FREE_STEP; !list_is_empty(&attributes->list); left--) {
		struct attribute *attribute = list_item(attributes->list.next, struct attribute, in_list);

		if (!left)
			return false;
		list_remove(&attribute->in_list);
		kfree(attribute);
	}
	kfree(attributes);
	return true;
}

_Static_assert(offsetof(struct attributes, end) == 0, "free_some");

void attributes_free(struct attributes *attributes, struct fs *fs)
{
	if (!attributes)
		return;
	fs->attribute_bytes -= attributes->bytes;
	attributes->end.step = free_some;
	if (!free_some(&attributes->end))
		late_work_add(&attributes->end);
}

/* ---- who may do what ---- */

/*
 * Return 0 if `who` may do `access` (ACCESS_READ or ACCESS_WRITE) in the name's namespace, by the rules of xattr(7); or
 * the error.
 */
static int permit(const struct node *node, const struct credentials *who, const char *name, unsigned access)
{
	const bool writes = access == ACCESS_WRITE;

	if (is_in(name, "security.")) {
		/*
		 * As on Linux without security modules, anybody may read these attributes. Setting file capabilities
		 * takes CAP_SETFCAP, setting others CAP_SYS_ADMIN.
		 */
		if (!writes || credentials_can(who, is_capability(name) ? CAP_SETFCAP : CAP_SYS_ADMIN))
			return 0;
		return -EPERM;
	}
	if (is_in(name, "system."))
		return 0;
	if (is_in(name, "trusted."))
		return credentials_can(who, CAP_SYS_ADMIN) ? 0 : writes ? -EPERM : -ENODATA;
	if (is_in(name, "user.")) {
		if (!node_is(node, S_IFREG) && !node_is(node, S_IFDIR))
			return writes ? -EPERM : -ENODATA;
		if (writes && node_is(node, S_IFDIR) && node->mode & S_ISVTX && !node_permit_owner(node, who))
			return -EPERM;
	}
	return node_permit(node, who, access);
}

/*
 * Return 0 if the node's file system keeps attributes in the name's namespace, and the name has a part behind that;
 * otherwise the error.
 */
static int check_space(struct node *node, const char *name)
{
	static const char *const spaces[] = { "security.", "trusted." };

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (tmpfs_attributes(node) && is_in(name, spaces[i]))
			return name[strlen(spaces[i])] ? 0 : -EINVAL;
	return -EOPNOTSUPP;
}

static int check(struct node *node, const struct credentials *who, const char *name, unsigned access)
{
	int error = permit(node, who, name, access);

	return error ? error : check_space(node, name);
}

/* ---- file capabilities ---- */

/* Linux's struct vfs_ns_cap_data; revision 2 ends before `root`. */
struct capability_value {
	uint32_t magic;
	struct {
		uint32_t permitted, inheritable;
	} words[2];
	uint32_t root; /* the user ID of root in the namespace where the value counts */
};

#define CAPABILITY_2         0x02000000U /* value of `magic` without CAPABILITY_EFFECTIVE: revision 2 */
#define CAPABILITY_3         0x03000000U
#define CAPABILITY_EFFECTIVE 1U
#define CAPABILITY_2_SIZE    offsetof(struct capability_value, root)

/* Copy `value` to *ret. Returns whether it is a valid value of ATTRIBUTE_CAPABILITY. */
static bool read_capability(const void *value, size_t size, struct capability_value *ret)
{
	if (size != CAPABILITY_2_SIZE && size != sizeof(*ret))
		return false;
	ret->root = 0;
	memcpy(ret, value, size);
	return (ret->magic & ~CAPABILITY_EFFECTIVE) == (size == sizeof(*ret) ? CAPABILITY_3 : CAPABILITY_2);
}

bool attribute_capabilities(struct node *node, struct file_capabilities *ret)
{
	const struct attribute *attribute;
	struct capability_value value;

	if (likely(!(node->mode & MODE_HAS_CAPABILITY)))
		return false;
	attribute = find_of(node, ATTRIBUTE_CAPABILITY);
	if (!attribute || !read_capability(attribute_value(attribute), attribute->value_size, &value) || value.root)
		return false;
	ret->permitted = (value.words[0].permitted | (uint64_t)value.words[1].permitted << 32) & CAPABILITIES_ALL;
	ret->inheritable = (value.words[0].inheritable | (uint64_t)value.words[1].inheritable << 32) & CAPABILITIES_ALL;
	ret->effective = value.magic & CAPABILITY_EFFECTIVE;
	return true;
}

void attribute_drop_capabilities(struct node *node)
{
	struct attribute *attribute;

	if (likely(!(node->mode & MODE_HAS_CAPABILITY)))
		return;
	attribute = find_of(node, ATTRIBUTE_CAPABILITY);
	if (attribute)
		drop(node, *tmpfs_attributes(node), attribute);
}

/* ---- the calls ---- */

static void changed(struct node *node)
{
	node->ctime = node_now();
	notify_node(node, IN_ATTRIB);
}

int attribute_set(struct node *node, const struct credentials *who, const char *name, const void *value, size_t size,
		  unsigned flags)
{
	struct capability_value capability;
	int error = 0;

	if (size && is_capability(name)) {
		if (!read_capability(value, size, &capability))
			return -EINVAL;
		/*
		 * A value of revision 3 for this system's own root (root is 0) is stored, and read back, as one of
		 * revision 2, which means the same.
		 */
		if (size == sizeof(capability) && !capability.root) {
			capability.magic ^= CAPABILITY_3 ^ CAPABILITY_2;
			value = &capability;
			size = CAPABILITY_2_SIZE;
		}
	}
	error = check(node, who, name, ACCESS_WRITE);
	if (!error)
		error = store(node, name, value, size, flags);
	if (!error)
		changed(node);
	return error;
}

/* Find an attribute to which `who` has `access`. Returns 0, -ENODATA, or as check(). */
static int find_permitted(struct node *node, const struct credentials *who, const char *name, unsigned access,
			  struct attribute **ret)
{
	int error = check(node, who, name, access);

	if (error)
		return error;
	*ret = find_of(node, name);
	return *ret ? 0 : -ENODATA;
}

int attribute_get(struct node *node, const struct credentials *who, const char *name, const struct attribute **ret)
{
	struct attribute *attribute;
	int error = find_permitted(node, who, name, ACCESS_READ, &attribute);

	if (!error)
		*ret = attribute;
	return error;
}

int attribute_remove(struct node *node, const struct credentials *who, const char *name)
{
	struct attribute *attribute;
	int error = find_permitted(node, who, name, ACCESS_WRITE, &attribute);

	if (error)
		return error;
	drop(node, *tmpfs_attributes(node), attribute);
	changed(node);
	return 0;
}

static const struct attributes *all_of(struct node *node)
{
	struct attributes **at = tmpfs_attributes(node);

	return at ? *at : NULL;
}

uint64_t attribute_names_size(struct node *node, const struct credentials *who)
{
	const struct attributes *attributes = all_of(node);

	if (!attributes)
		return 0;
	return attributes->names - (credentials_can(who, CAP_SYS_ADMIN) ? 0 : attributes->trusted_names);
}

void attribute_names(struct node *node, const struct credentials *who, char *to)
{
	const struct attributes *attributes = all_of(node);

	if (!attributes)
		return;
	for (struct link *link = attributes->list.next; link != &attributes->list; link = link->next) {
		const struct attribute *attribute = list_item(link, struct attribute, in_list);

		if (is_in(attribute->text, "trusted.") && !credentials_can(who, CAP_SYS_ADMIN))
			continue;
		memcpy(to, attribute->text, attribute->name_size + 1);
		to += attribute->name_size + 1;
	}
}
