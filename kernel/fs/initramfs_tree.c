/*
 * Turns archive entries into nodes (inodes), by Linux's rules as far as a program can see them. All of it runs in the
 * kernel context, that is with the page tables that alone map the archive.
 */
#include "kernel/fs/initramfs_tree.h"

#include "kernel/fs/content.h"
#include "kernel/fs/credentials.h"
#include "kernel/fs/node_attributes.h"
#include "kernel/fs/place.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/lib/tree_change.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"

#define LINES_MOST 16 /* most lines in the log about entries that were passed over */

/* A file with several names whose first name has been unpacked. Guard: the unpacking. */
struct hard_link {
	struct tree_node in_links;
	uint64_t key[2];
	struct node *node; /* a counted reference */
};

static int stop(struct unpacking *u, const char *what, int error)
{
	u->report->what = what;
	u->report->offset = u->run_at + u->cpio.entry.offset;
	return error;
}

static const char *reason(int error)
{
	switch (-error) {
	case ENOENT:
		return "its path leads nowhere";
	case ENOTDIR:
		return "something on its path is no directory";
	case EISDIR:
	case ENOTEMPTY:
	case EBUSY:
		return "a directory that is not empty has its name";
	case EEXIST:
		return "its name cannot be given to a file";
	case ELOOP:
		return "symbolic links on its path lead in a circle";
	case ENAMETOOLONG:
		return "a name of more than 255 bytes";
	case EPERM:
		return "its first name is a directory's";
	default:
		return "it cannot be made";
	}
}

/* Say that the current entry is passed over, and why. */
static void pass_over(struct unpacking *u, const char *why)
{
	if (u->report->passed_over++ < LINES_MOST)
		log_warn("initramfs: %.120s, at offset %#llx: passed over: %s\n", u->path[0] ? u->path : "an entry",
			 (unsigned long long)(u->run_at + u->cpio.entry.offset), why);
}

/* Make the directories on the entry's path that are missing. */
static int make_directories(struct unpacking *u)
{
	int error = 0;

	for (char *at = u->path; at[0] && at[1] && (!error || error == -EEXIST); at++) {
		if (at == u->path || at[0] != '/' || at[-1] == '/')
			continue;
		*at = '\0';
		error = path_create(&u->base, u->path, S_IFDIR | 0755, 0);
		*at = '/';
	}
	return error == -EEXIST ? 0 : error;
}

/* Find the directory that the entry belongs in, and make it if it is missing. */
static int find_place(struct unpacking *u, struct path_end *ret)
{
	int error = path_lookup_end(&u->base, u->path, ret);

	if (error != -ENOENT || !u->path[0])
		return error;
	error = make_directories(u);
	return error ? error : path_lookup_end(&u->base, u->path, ret);
}

/*
 * Find the file of which the current entry, with this key, is a further name. If there is none, return NULL, and in
 * *ret_parent and *ret_side the place in u->links where the file would be inserted.
 */
static struct hard_link *find_link(struct unpacking *u, const uint64_t key[2], struct tree_node **ret_parent,
				   enum tree_side *ret_side)
{
	struct tree_node *at = u->links;

	*ret_parent = NULL;
	while (at) {
		struct hard_link *link = tree_item(at, struct hard_link, in_links);

		if (link->key[0] == key[0] && link->key[1] == key[1])
			return link;
		*ret_parent = at;
		*ret_side = key[0] > link->key[0] || (key[0] == link->key[0] && key[1] > link->key[1]);
		at = at->child[*ret_side];
	}
	return NULL;
}

static void forget_links(struct unpacking *u)
{
	struct tree_node *at = NULL, *node;

	while ((node = tree_take_leaf(&u->links, &at))) {
		struct hard_link *link = tree_item(node, struct hard_link, in_links);

		node_put(link->node);
		kfree(link);
	}
}

static int make_node(const struct cpio_entry *entry, struct path_end *end, struct node **ret)
{
	uint64_t device = DEVICE_NUMBER(entry->rdev_major, entry->rdev_minor);

	if (entry->target)
		return entry->size ? node_symlink(end->dir.node, end->name, &credentials_first,
						  (struct name){ entry->target, entry->size }, ret)
				   : -ENOENT;
	return node_create(end->dir.node, end->name, &credentials_first, entry->mode & (S_IFMT | MODE_PERMISSIONS),
			   device, ret);
}

/* Give the file `node` another name. *ret is a reference to it. */
static int make_link(struct path_end *end, struct node *node, struct node **ret)
{
	int error = node_link(end->dir.node, end->name, &credentials_first, node);

	if (!error)
		*ret = node_get(node);
	return error;
}

/* Remember that the file `node` may get further names. */
static int remember_link(struct unpacking *u, const uint64_t key[2], struct tree_node *parent, enum tree_side side,
			 struct node *node)
{
	struct hard_link *link = kmalloc(sizeof(*link));

	if (!link)
		return -ENOMEM;
	*link = (struct hard_link){ .key = { key[0], key[1] }, .node = node_get(node) };
	tree_add(&u->links, parent, side, &link->in_links, NULL);
	return 0;
}

/*
 * Look up the entry's name at `end`. *ret becomes the file that has it, if that can stay: it is `same`, the file that
 * the entry is a further name of, or, with `same` NULL, a file of the entry's type. Any other file is removed; *ret is
 * NULL then, and when no file has the name.
 */
static int keep_or_remove(struct unpacking *u, struct path_end *end, const struct node *same, struct node **ret)
{
	const struct cpio_entry *entry = &u->cpio.entry;
	struct place found;
	struct node *old;
	int error = place_lookup(&u->base.root, &end->dir, end->name, &found);

	*ret = NULL;
	if (error)
		return error == -ENOENT ? 0 : error;
	old = found.node;
	if (same ? old == same : !entry->target && !((old->mode ^ entry->mode) & S_IFMT)) {
		*ret = old;
		return 0;
	}
	error = node_is(old, S_IFDIR) ? node_rmdir(end->dir.node, end->name, &credentials_first)
				      : node_unlink(end->dir.node, end->name, &credentials_first);
	node_put(old);
	return error;
}

/*
 * Make the entry's file, or find it, at `end`. *ret is a reference to it. A file of the entry's type that is there
 * already is used as it is, and emptied if it is a regular one; so its other names see the entry's content, too.
 */
static int make_file(struct unpacking *u, struct path_end *end, struct node **ret)
{
	const struct cpio_entry *entry = &u->cpio.entry;
	bool linked = entry->links > 1 && (entry->mode & S_IFMT) != S_IFDIR && !entry->target;
	const uint64_t key[2] = { (uint64_t)entry->dev_major << 32 | entry->dev_minor,
				  (uint64_t)entry->ino << 32 | (entry->mode & S_IFMT) };
	enum tree_side side = TREE_LOW;
	struct tree_node *parent = NULL;
	struct hard_link *link = linked ? find_link(u, key, &parent, &side) : NULL;
	struct node *node;
	int error = keep_or_remove(u, end, link ? link->node : NULL, &node);

	if (!error && !node)
		error = link ? make_link(end, link->node, &node) : make_node(entry, end, &node);
	if (error)
		return error;
	if (linked && !link)
		error = remember_link(u, key, parent, side, node);
	/*
	 * Of the entries of a file with several names usually only one has content. If more have, the last one's
	 * replaces the others'.
	 */
	if (!error && node_is(node, S_IFREG) && node->size && (!link || entry->size))
		error = node_truncate(node, 0);
	if (error)
		node_put(node);
	else
		*ret = node;
	return error;
}

/* Return why the entry cannot be used at all, whatever files exist already; NULL: it can be used. */
static const char *refusal(const struct cpio_entry *entry)
{
	if (entry->wrong)
		return entry->wrong;
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
	case S_IFLNK:
		return NULL;
	case S_IFDIR:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return entry->size ? "it has content and is no regular file" : NULL;
	default:
		return "a file of no known type";
	}
}

/* Begin an entry: make its file. Returns 0, also when it was passed over, or -ENOMEM. */
static int begin(struct unpacking *u)
{
	const struct cpio_entry *entry = &u->cpio.entry;
	const char *why = refusal(entry);
	struct path_end end;
	size_t size;
	int error;

	u->filled = u->sum = 0;
	size = strlen(entry->name);
	while (size > 1 && entry->name[size - 1] == '/')
		size--;
	memcpy(u->path, entry->name, size);
	u->path[size] = '\0';
	if (why) {
		pass_over(u, why);
		return 0;
	}
	error = find_place(u, &end);
	if (!error) {
		error = make_file(u, &end, &u->file);
		path_end_put(&end);
	}
	if (error == -ENOMEM)
		return stop(u, "no memory for an entry", error);
	if (error)
		pass_over(u, reason(error));
	return 0;
}

/* Add up the bytes of a piece of content; 070702 archives have the sum of each file. */
static void add_sum(struct unpacking *u)
{
	for (uint64_t i = 0; i < u->cpio.piece_size; i++)
		u->sum += u->cpio.piece[i];
}

/* Take a piece of the entry's content. Returns 0 or -ENOMEM. */
static int fill(struct unpacking *u)
{
	const struct cpio *cpio = &u->cpio;
	struct user_io io;
	uint64_t offset = u->filled;
	int64_t done;

	if (!u->file)
		return 0;
	if (cpio->entry.summed)
		add_sum(u);
	u->filled += cpio->piece_size;
	if (u->kept_bytes) {
		/* A piece that is not all of the content is the last one of an archive that is cut off. */
		if (cpio->piece_size == cpio->entry.size)
			tmpfs_use_in_place(u->file, paddr_add(u->kept, (uint64_t)(cpio->piece - u->kept_bytes)),
					   cpio->piece_size);
		return 0;
	}
	user_io_init_kernel(&io, (void *)(uintptr_t)cpio->piece, cpio->piece_size);
	done = content_write(node_content(u->file), &io, &offset);
	return done == (int64_t)cpio->piece_size ? 0 : stop(u, "no memory for a file's content", -ENOMEM);
}

/* Keep the time of the directory u->file, to be set at the end (struct directory_time). Returns 0 or -ENOMEM. */
static int note_time(struct unpacking *u, uint32_t mtime)
{
	struct directory_time *time = kmalloc(sizeof(*time));

	if (!time)
		return stop(u, "no memory for a directory's time", -ENOMEM);
	*time = (struct directory_time){ NULL, node_get(u->file), mtime };
	*u->times_end = time;
	u->times_end = &time->next;
	return 0;
}

static void put_time(struct node *node, uint32_t mtime)
{
	struct linux_timespec time = { mtime, 0 };

	node_put_times(node, &time, &time);
}

/* End an entry: its file is complete. Returns 0, also when it was passed over, or -ENOMEM. */
static int end_entry(struct unpacking *u)
{
	const struct cpio_entry *entry = &u->cpio.entry;
	int error = 0;

	if (!u->file)
		return 0;
	if (entry->summed && node_is(u->file, S_IFREG) && entry->size && u->sum != entry->sum) {
		unpacking_give_up(u);
		pass_over(u, "the checksum of its content is wrong");
		return 0;
	}
	node_set_owner(u->file, entry->uid, entry->gid);
	if (!node_is(u->file, S_IFLNK))
		node_set_mode(u->file, entry->mode);
	put_time(u->file, entry->mtime);
	if (node_is(u->file, S_IFDIR))
		error = note_time(u, entry->mtime);
	u->report->nodes++;
	u->report->bytes += u->filled;
	node_put(u->file);
	u->file = NULL;
	return error;
}

void unpacking_give_up(struct unpacking *u)
{
	if (!u->file)
		return;
	/*
	 * The name exists, since it has just been made. path_unlink() refuses the name of a directory, which so stays.
	 */
	(void)path_unlink(&u->base, u->path);
	node_put(u->file);
	u->file = NULL;
}

void unpacking_start(struct unpacking *u, struct node *root, struct initramfs_report *report)
{
	cpio_start(&u->cpio);
	u->base = (struct path_base){ { NULL, root }, { NULL, root }, &credentials_first, NULL };
	u->report = report;
	u->kept_bytes = NULL;
	u->links = NULL;
	u->times = NULL;
	u->times_end = &u->times;
	u->file = NULL;
}

int unpacking_feed(struct unpacking *u, const uint8_t *bytes, uint64_t size, uint64_t *ret_used)
{
	int error = 0;

	cpio_feed(&u->cpio, bytes, size);
	while (!error) {
		switch (cpio_next(&u->cpio)) {
		case CPIO_ENTRY:
			error = begin(u);
			break;
		case CPIO_CONTENT:
			error = fill(u);
			break;
		case CPIO_END:
			error = end_entry(u);
			break;
		case CPIO_TRAILER:
			forget_links(u);
			break;
		case CPIO_DAMAGE:
			error = stop(u, u->cpio.damage, -EINVAL);
			break;
		case CPIO_MORE:
		case CPIO_OTHER:
			*ret_used = size - u->cpio.size;
			return 0;
		}
	}
	return error;
}

int unpacking_end_run(struct unpacking *u)
{
	const char *cut = cpio_cut(&u->cpio);

	forget_links(u);
	if (cut)
		return stop(u, cut, -EINVAL);
	cpio_start(&u->cpio);
	return 0;
}

void unpacking_end(struct unpacking *u)
{
	unpacking_give_up(u);
	forget_links(u);
	while (u->times) {
		struct directory_time *time = u->times;

		u->times = time->next;
		put_time(time->node, time->mtime);
		node_put(time->node);
		kfree(time);
	}
}
