/*
 * Goes through the archives of an initramfs: plain ones are unpacked where they are, those that gzip has packed are
 * decompressed piece by piece. The memory of a packed archive goes to the frame allocator while it is read, so that
 * both forms together need little more than the larger one.
 */
#include "kernel/fs/initramfs.h"

#include "kernel/fs/content_memory.h"
#include "kernel/fs/initramfs_tree.h"
#include "kernel/lib/gzip.h"
#include "kernel/mm/heap/heap.h"

/* Memory is given to the frame allocator in pieces of at least this size: each costs a call. */
#define GIVE_BYTES (1U << 20)

/* A gzip archive while it is unpacked. Guard: the caller of initramfs_unpack(). */
struct packed {
	struct gzip gzip; /* must be the first member */
	struct unpacking *u;
	paddr_t pa; /* where the archive begins */
	/* how many of its first bytes have been given to the frame allocator, or are in a page that is not whole */
	uint64_t given;
	int error; /* why unpacking has stopped, or 0 */
};

static int fail(struct initramfs_report *report, uint64_t offset, const char *what, int error)
{
	report->what = what;
	report->offset = offset;
	return error;
}

/* Give the frame allocator those whole pages of the archive's first `bytes` bytes that it has not got yet. */
static void give_frames(struct packed *packed, uint64_t bytes)
{
	uint64_t start = align_up(packed->pa.raw + packed->given, PAGE_SIZE), added;
	uint64_t end = align_down(packed->pa.raw + bytes, PAGE_SIZE);

	if (start >= end)
		return;
	if (frame_add_range(&machine_frames, paddr(start), paddr(end), &added) != OK)
		panic("initramfs: %#llx does not go back", (unsigned long long)start);
	packed->given = end - packed->pa.raw;
}

/* Unpack a piece of the decompressed archive. Returns false, with packed->error set, when decompression is to stop. */
static bool take_piece(struct gzip *gzip, const uint8_t *bytes, size_t size)
{
	struct packed *packed = (struct packed *)gzip;
	struct unpacking *u = packed->u;
	uint64_t used;

	if (gzip_used(gzip) >= packed->given + GIVE_BYTES)
		give_frames(packed, gzip_used(gzip));
	packed->error = unpacking_feed(u, bytes, size, &used);
	if (!packed->error && used < size)
		packed->error = fail(u->report, u->cpio.at, cpio_magic(bytes + used, size - used), -EINVAL);
	return !packed->error;
}

/*
 * Unpack the gzip archive at `pa`, which takes at most *ret_size bytes; *ret_size becomes its true size. After an error
 * all memory up to the end has been given to the frame allocator; but if the heap has no memory for `packed`, nothing
 * is changed.
 */
static int unpack_packed(struct unpacking *u, paddr_t pa, uint64_t *ret_size)
{
	struct packed *packed = kmalloc(sizeof(*packed));
	struct initramfs_report *report = u->report;
	uint64_t at = u->run_at;
	const char *what;
	int error;

	if (!packed)
		return fail(report, u->run_at, "no memory to unpack with", -ENOMEM);
	packed->u = u;
	packed->pa = pa;
	packed->given = 0;
	packed->error = 0;
	u->kept_bytes = NULL;
	u->run_at = 0;
	switch (gzip_unpack(&packed->gzip, store_ptr(pa), *ret_size, take_piece, ret_size, &what)) {
	case OK:
		error = unpacking_end_run(u);
		report->packed = error;
		break;
	case ERR_FORMAT:
		error = fail(report, at, what, -EINVAL);
		break;
	default:
		error = packed->error;
		report->packed = true;
		report->left = *ret_size - gzip_used(&packed->gzip);
		break;
	}
	give_frames(packed, *ret_size);
	kfree(packed);
	return error;
}

/*
 * Unpack the plain archives that follow one another at `pa`, up to the end of the *ret_size bytes there or to bytes
 * that belong to no plain archive; *ret_size becomes how many bytes the archives take.
 */
static int unpack_plain(struct unpacking *u, paddr_t pa, uint64_t *ret_size)
{
	const uint8_t *bytes = store_ptr(pa);
	uint64_t used, size = *ret_size;
	int error;

	u->kept_bytes = bytes;
	u->kept = pa;
	error = unpacking_feed(u, bytes, size, &used);
	u->report->left = size - u->cpio.at;
	if (error)
		return error;
	if (!used)
		return fail(u->report, u->run_at, cpio_magic(bytes, size), -EINVAL);
	*ret_size = used;
	return unpacking_end_run(u);
}

static int unpack_all(struct unpacking *u, paddr_t pa, uint64_t size)
{
	const uint8_t *bytes = store_ptr(pa);
	uint64_t at = 0;
	int error = 0;

	while (at < size && !error) {
		uint64_t part = size - at;

		u->run_at = at;
		u->report->left = part;
		error = gzip_is(bytes + at, part) ? unpack_packed(u, paddr_add(pa, at), &part)
						  : unpack_plain(u, paddr_add(pa, at), &part);
		at += part;
	}
	return error;
}

int initramfs_unpack(struct node *root, paddr_t pa, uint64_t size, struct initramfs_report *ret)
{
	struct unpacking *u = kmalloc(sizeof(*u));
	context_token_t token;
	int error;

	*ret = (struct initramfs_report){ .left = size };
	if (!u)
		return fail(ret, 0, "no memory to unpack with", -ENOMEM);
	unpacking_start(u, root, ret);
	token = store_enter();
	error = unpack_all(u, pa, size);
	unpacking_end(u);
	store_leave(token);
	kfree(u);
	return error;
}
