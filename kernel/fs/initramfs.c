/*
 * Turns archive entries into nodes (inodes). All of it runs in the kernel context, that is with the page tables that
 * alone map the archive.
 */
#include "kernel/fs/initramfs.h"

#include "kernel/fs/content_memory.h"
#include "kernel/fs/credentials.h"
#include "kernel/fs/node_attributes.h"
#include "kernel/fs/path.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/gzip.h"
#include "kernel/mm/frame/frame_withdraw.h"
#include "kernel/mm/heap/heap.h"

/*
 * A file with several names whose first name has been unpacked.
 * Guard: fixed after boot, when the archives have been read.
 */
struct hard_link {
	struct hard_link *next;
	struct cpio_entry first; /* the entry of the first name; its inode and device numbers identify the file */
	struct node *node;       /* a counted reference */
};

#define LINK_LISTS 256

static struct hard_link *links[LINK_LISTS]; /* hash table, by inode number. Fixed after boot */

struct unpacking {
	struct node *root;
	paddr_t pa; /* where the archive lies */
	const uint8_t *bytes;
	struct initramfs_report *report;
};

/*
 * Find the directory that the entry belongs in, and make those on its path that are missing. *ret is a reference to the
 * directory, *ret_last the last component of the entry's name.
 */
static int find_directory(struct unpacking *u, const struct cpio_entry *entry, struct node **ret, struct name *ret_last)
{
	struct node *dir = node_get(u->root);
	const char *at = entry->name, *end = entry->name + entry->name_size;

	for (;;) {
		const char *slash = at;
		struct node *next;
		struct name name;
		int error;

		while (slash < end && *slash != '/')
			slash++;
		name = (struct name){ at, (size_t)(slash - at) };
		if (slash == end) {
			*ret = dir;
			*ret_last = name;
			return 0;
		}
		error = name.size ? node_lookup(u->root, dir, name, &next) : 0;
		if (error == -ENOENT)
			error = node_create(dir, name, &credentials_first, S_IFDIR | 0755, 0, &next);
		if (error) {
			node_put(dir);
			return error;
		}
		if (name.size) {
			node_put(dir);
			dir = next;
		}
		at = slash + 1;
	}
}

static struct hard_link **list_of(const struct cpio_entry *entry)
{
	return &links[(entry->ino ^ entry->ino >> 8) % LINK_LISTS];
}

static struct hard_link *find_link(const struct cpio_entry *entry)
{
	struct hard_link *link = *list_of(entry);

	while (link && (link->first.ino != entry->ino || link->first.dev_major != entry->dev_major ||
			link->first.dev_minor != entry->dev_minor || link->first.archive != entry->archive))
		link = link->next;
	return link;
}

static int remember_link(const struct cpio_entry *entry, struct node *node)
{
	struct hard_link *link = kmalloc(sizeof(*link)), **list = list_of(entry);

	if (!link)
		return -ENOMEM;
	*link = (struct hard_link){ *list, *entry, node_get(node) };
	*list = link;
	return 0;
}

static void forget_links(void)
{
	for (size_t i = 0; i < LINK_LISTS; i++)
		while (links[i]) {
			struct hard_link *link = links[i];

			links[i] = link->next;
			node_put(link->node);
			kfree(link);
		}
}

/*
 * Remove an existing file of the entry's name, unless both are directories: then *ret is a reference to the existing
 * directory.
 */
static int clear_way(struct node *dir, struct name name, const struct cpio_entry *entry, struct node **ret)
{
	struct node *old;
	int error = node_lookup(dir, dir, name, &old);

	*ret = NULL;
	if (error)
		return error == -ENOENT ? 0 : error;
	if (node_is(old, S_IFDIR) && (entry->mode & S_IFMT) == S_IFDIR) {
		*ret = old;
		return 0;
	}
	error = node_is(old, S_IFDIR) ? node_rmdir(dir, name, &credentials_first)
				      : node_unlink(dir, name, &credentials_first);
	node_put(old);
	return error;
}

static int make_node(struct unpacking *u, struct node *dir, struct name name, const struct cpio_entry *entry,
		     struct node **ret)
{
	uint64_t device = DEVICE_NUMBER(entry->rdev_major, entry->rdev_minor);
	struct name target = { (const char *)u->bytes + entry->data, entry->size };
	bool linked = (entry->mode & S_IFMT) != S_IFDIR && entry->links > 1;
	struct hard_link *link = linked ? find_link(entry) : NULL;
	int error;

	if (link) {
		error = node_link(dir, name, &credentials_first, link->node);
		if (!error)
			*ret = node_get(link->node);
		return error;
	}
	if ((entry->mode & S_IFMT) == S_IFLNK)
		error = node_symlink(dir, name, &credentials_first, target, ret);
	else
		error = node_create(dir, name, &credentials_first, entry->mode & (S_IFMT | MODE_PERMISSIONS), device,
				    ret);
	if (!error && linked) {
		error = remember_link(entry, *ret);
		if (error)
			node_put(*ret);
	}
	return error;
}

static bool is_known_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return true;
	}
	return false;
}

static void set_attributes(struct node *node, const struct cpio_entry *entry)
{
	struct linux_timespec time = { entry->mtime, 0 };

	node_set_owner(node, entry->uid, entry->gid);
	if (!node_is(node, S_IFLNK))
		node_set_mode(node, entry->mode);
	node_put_times(node, &time, &time);
}

static int unpack_entry(struct unpacking *u, const struct cpio_entry *entry)
{
	struct node *dir, *node;
	struct name name;
	int error;

	if (!entry->name_size) {
		set_attributes(u->root, entry);
		return 0;
	}
	error = find_directory(u, entry, &dir, &name);
	if (error)
		return error;
	error = clear_way(dir, name, entry, &node);
	if (!error && !node)
		error = make_node(u, dir, name, entry, &node);
	node_put(dir);
	if (error)
		return error;
	/* A file with several names has an entry for each, any of which may have the content; usually the last one. */
	if (node_is(node, S_IFREG) && entry->size && !node->size) {
		tmpfs_use_in_place(node, paddr_add(u->pa, entry->data), entry->size);
		u->report->bytes += entry->size;
	}
	set_attributes(node, entry);
	node_put(node);
	u->report->nodes++;
	return 0;
}

static int unpack(struct unpacking *u, struct cpio *cpio)
{
	struct initramfs_report *report = u->report;
	struct cpio_entry entry;
	enum status status;

	while ((status = cpio_next(cpio, &entry, &report->error)) == OK) {
		int error;

		if (!is_known_type(entry.mode)) {
			report->error = (struct cpio_error){ entry.offset, "a file of no known type" };
			return -EINVAL;
		}
		error = unpack_entry(u, &entry);
		if (error) {
			report->error.offset = entry.offset;
			report->error.what =
				error == -ENOMEM ? "no memory for an entry" : "an entry's path does not fit the tree";
			return error == -ENOMEM ? error : -EINVAL;
		}
	}
	return status == ERR_NOT_FOUND ? 0 : -EINVAL;
}

/*
 * Unpack plain archives one after another, up to the end or to a gzip archive. *ret_size is the size of the input, and
 * becomes the size of what was unpacked.
 */
static int unpack_plain(struct node *root, paddr_t pa, uint64_t *ret_size, struct initramfs_report *report)
{
	struct unpacking u = { .root = root, .pa = pa, .bytes = store_ptr(pa), .report = report };
	struct cpio cpio;
	int error;

	cpio_start(&cpio, u.bytes, *ret_size);
	error = unpack(&u, &cpio);
	forget_links();
	/*
	 * If a gzip archive begins where cpio.c looked for the next header, that is no error. An error inside an entry
	 * remains an error.
	 */
	if (error && report->error.what && report->error.offset == cpio.at &&
	    gzip_is(u.bytes + cpio.at, *ret_size - cpio.at)) {
		report->error.what = NULL;
		*ret_size = cpio.at;
		error = 0;
	}
	return error;
}

static int fail(struct initramfs_report *report, const char *what, int error)
{
	report->error = (struct cpio_error){ 0, what };
	return error;
}

/* Give whole pages of [pa, pa + bytes) to the frame allocator. */
static void give_frames(paddr_t pa, uint64_t bytes)
{
	uint64_t start = align_up(pa.raw, PAGE_SIZE), end = align_down(pa.raw + bytes, PAGE_SIZE), added;

	if (start < end && frame_add_range(&machine_frames, paddr(start), paddr(end), &added) != OK)
		panic("initramfs: %#llx does not go back", (unsigned long long)start);
}

/*
 * Decompress the gzip member at the start of `in` into `room` bytes of memory that are withdrawn from the frame
 * allocator for ever, at *ret_place; the pages that the data did not need are given back. Returns gzip_unpack's errors,
 * or ERR_NO_MEMORY; on an error all memory is given back.
 */
static enum status unpack_member(struct inflate *work, const void *in, uint64_t size, uint64_t room,
				 struct gzip_member *ret, paddr_t *ret_place, const char **ret_what)
{
	uint64_t used = 0;
	enum status status = frame_withdraw(frame_cache_here(), room, ret_place);

	if (status != OK)
		return status;
	status = gzip_unpack(work, in, size, store_ptr(*ret_place), room, ret, ret_what);
	if (status == OK)
		used = align_up(ret->unpacked, PAGE_SIZE);
	give_frames(paddr_add(*ret_place, used), align_up(room, PAGE_SIZE) - used);
	return status;
}

/*
 * Decompress a gzip member whose decompressed size is not known: first try the size in the input's last word
 * (gzip_guess), which is wrong when more data follows the member; if that fails, measure the size and use that.
 */
static enum status unpack_unknown(struct inflate *work, const void *in, uint64_t size, struct gzip_member *ret,
				  paddr_t *ret_place, const char **ret_what)
{
	uint64_t guess = gzip_guess(in, size);
	enum status status = guess ? unpack_member(work, in, size, guess, ret, ret_place, ret_what) : ERR_RANGE;

	if (status != ERR_RANGE && status != ERR_NO_MEMORY)
		return status;
	status = gzip_measure(work, in, size, ret, ret_what);
	if (status != OK || !ret->unpacked)
		return status;
	return unpack_member(work, in, size, ret->unpacked, ret, ret_place, ret_what);
}

/* Decompress a gzip member, free the memory of the compressed bytes, and unpack the archives that were in it. */
static int unpack_packed(struct node *root, paddr_t pa, uint64_t *ret_size, struct inflate *work,
			 struct initramfs_report *report)
{
	struct gzip_member member = { 0, 0 };
	const char *what;
	uint64_t size;
	paddr_t place;
	int error;

	switch (unpack_unknown(work, store_ptr(pa), *ret_size, &member, &place, &what)) {
	case OK:
		break;
	case ERR_NO_MEMORY:
		report->needed = member.unpacked;
		report->free = frame_free_count(&machine_frames) * PAGE_SIZE;
		return fail(report, "too little memory to unpack what gzip has packed", -ENOMEM);
	default:
		return fail(report, what, -EINVAL);
	}
	*ret_size = member.packed;
	if (!member.unpacked)
		return 0;
	give_frames(pa, member.packed);
	size = member.unpacked;
	report->packed = true;
	error = unpack_plain(root, place, &size, report);
	if (!error && size != member.unpacked)
		error = fail(report, "gzip within gzip", -EINVAL);
	if (!error)
		report->packed = false;
	return error;
}

static int unpack_all(struct node *root, paddr_t pa, uint64_t size, struct inflate *work,
		      struct initramfs_report *report)
{
	const uint8_t *bytes = store_ptr(pa);
	uint64_t at = 0;
	int error = 0;

	while (at < size && !error) {
		uint64_t part = size - at;

		/*
		 * Skip zeros between archives here: cpio.c counts an archive's alignment from the archive's own start.
		 */
		if (!bytes[at]) {
			at++;
			continue;
		}
		if (gzip_is(bytes + at, part))
			error = unpack_packed(root, paddr_add(pa, at), &part, work, report);
		else
			error = unpack_plain(root, paddr_add(pa, at), &part, report);
		if (error && !report->packed)
			report->error.offset += at;
		at += part;
	}
	return error;
}

int initramfs_unpack(struct node *root, paddr_t pa, uint64_t size, struct initramfs_report *ret)
{
	struct inflate *work;
	context_token_t token;
	int error;

	*ret = (struct initramfs_report){ 0 };
	if (!size)
		return 0;
	work = kmalloc(sizeof(*work));
	if (!work)
		return fail(ret, "no memory to unpack with", -ENOMEM);
	token = store_enter();
	error = unpack_all(root, pa, size, work, ret);
	store_leave(token);
	kfree(work);
	return error;
}
