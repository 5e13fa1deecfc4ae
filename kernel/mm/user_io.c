/*
 * Moves bytes between calls and whoever made them: through uaccess, or frame by frame in the kernel context.
 */
#include "kernel/mm/user_io.h"

#include "kernel/arch/cpu_user.h"
#include "kernel/lib/string.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/user_pages.h"

void user_io_init(struct user_io *io, struct user_space *space, uint64_t base, uint64_t size)
{
	io->single = (struct user_iovec){ base, size };
	io->space = space;
	io->piece = &io->single;
	io->pieces = 1;
	io->at = 0;
	io->left = size;
}

enum status user_io_init_vector(struct user_io *io, struct user_space *space, const struct user_iovec *pieces,
				size_t count)
{
	uint64_t left = 0;

	for (size_t i = 0; i < count; i++) {
		if (pieces[i].size > INT64_MAX - left)
			return ERR_RANGE;
		left += pieces[i].size;
	}
	*io = (struct user_io){ .space = space, .piece = pieces, .pieces = count, .left = left };
	return OK;
}

void user_io_init_kernel(struct user_io *io, void *buffer, size_t size)
{
	user_io_init(io, NULL, (uint64_t)(uintptr_t)buffer, size);
}

/* The next bytes in a row, `most` at the most; *ret_address is where they are. 0: none are left. */
static size_t next_bytes(struct user_io *io, size_t most, uint64_t *ret_address)
{
	uint64_t there;

	while (io->pieces && io->at == io->piece->size) {
		io->piece++;
		io->pieces--;
		io->at = 0;
	}
	if (!io->pieces)
		return 0;
	there = io->piece->size - io->at;
	*ret_address = io->piece->base + io->at;
	return most < there ? most : there;
}

static void advance(struct user_io *io, size_t bytes)
{
	io->at += bytes;
	io->left -= bytes;
}

/* Move bytes between the call's memory at `address` and `buffer`. Returns how many: less than all after a fault. */
typedef size_t move_fn(struct user_io *io, uint64_t address, char *buffer, size_t bytes);

static enum status each_row(struct user_io *io, char *buffer, size_t bytes, size_t *ret_moved, move_fn *move)
{
	enum status status = OK;
	size_t done = 0, row;
	uint64_t address;

	while (done < bytes && (row = next_bytes(io, bytes - done, &address)) != 0) {
		size_t moved = move(io, address, buffer ? buffer + done : NULL, row);

		advance(io, moved);
		done += moved;
		if (moved < row) {
			status = ERR_FAULT;
			break;
		}
	}
	*ret_moved = done;
	return status;
}

/* ---- small pieces, in the user context ---- */

static size_t move_in(struct user_io *io, uint64_t address, char *buffer, size_t bytes)
{
	if (io->space)
		return copy_from_user_some(buffer, user_pointer(address), bytes);
	memcpy(buffer, (const void *)(uintptr_t)address, bytes);
	return bytes;
}

static size_t move_out(struct user_io *io, uint64_t address, char *buffer, size_t bytes)
{
	if (io->space)
		return copy_to_user_some(user_pointer(address), buffer, bytes);
	memcpy((void *)(uintptr_t)address, buffer, bytes);
	return bytes;
}

enum status user_io_get(struct user_io *io, void *to, size_t bytes, size_t *ret_moved)
{
	return each_row(io, to, bytes, ret_moved, move_in);
}

enum status user_io_put(struct user_io *io, const void *from, size_t bytes, size_t *ret_moved)
{
	/* Not written to: move_out reads it. */
	return each_row(io, (char *)(uintptr_t)from, bytes, ret_moved, move_out);
}

/* ---- bulk, in the kernel context ---- */

/* The direct-map pointer to the user's byte at `va`, good up to the page's end; NULL: the user may not do that. */
static char *reach(struct user_space *space, vaddr_t va, enum user_rights access)
{
	/* A page that is there may be read-only and need a copy first: once more then. */
	for (int attempt = 0; va < USER_END && attempt < 2; attempt++) {
		struct mapping leaf;

		if (space_lookup(&space->context.space, va, &leaf) == OK && (access == USER_READ || leaf.prot & PROT_W))
			return (char *)user_frame_ptr(space, leaf.pa) + (va - leaf.va);
		if (user_fault(space, va, access) != OK)
			break;
	}
	return NULL;
}

/* Do it page by page. */
typedef void page_fn(char *page, char *buffer, size_t bytes);

static size_t each_page(struct user_io *io, uint64_t address, char *buffer, size_t bytes, enum user_rights access,
			page_fn *act)
{
	size_t done = 0;

	ASSERT_KERNEL_CONTEXT();
	while (done < bytes) {
		uint64_t to_end = PAGE_SIZE - (address + done) % PAGE_SIZE;
		size_t part = bytes - done < to_end ? bytes - done : to_end;
		char *page = io->space ? reach(io->space, address + done, access) : (char *)(uintptr_t)(address + done);

		if (!page)
			break;
		act(page, buffer ? buffer + done : NULL, part);
		done += part;
	}
	return done;
}

static void page_to_buffer(char *page, char *buffer, size_t bytes)
{
	cpu_copy_bulk(buffer, page, bytes);
}

static void buffer_to_page(char *page, char *buffer, size_t bytes)
{
	cpu_copy_bulk(page, buffer, bytes);
}

static void zero_page_part(char *page, char *buffer, size_t bytes)
{
	(void)buffer;
	memset(page, 0, bytes);
}

static size_t bulk_in(struct user_io *io, uint64_t address, char *buffer, size_t bytes)
{
	return each_page(io, address, buffer, bytes, USER_READ, page_to_buffer);
}

static size_t bulk_out(struct user_io *io, uint64_t address, char *buffer, size_t bytes)
{
	return each_page(io, address, buffer, bytes, USER_WRITE, buffer_to_page);
}

static size_t bulk_zero(struct user_io *io, uint64_t address, char *buffer, size_t bytes)
{
	return each_page(io, address, buffer, bytes, USER_WRITE, zero_page_part);
}

enum status user_io_get_bulk(struct user_io *io, void *to, size_t bytes, size_t *ret_moved)
{
	return each_row(io, to, bytes, ret_moved, bulk_in);
}

enum status user_io_put_bulk(struct user_io *io, const void *from, size_t bytes, size_t *ret_moved)
{
	return each_row(io, (char *)(uintptr_t)from, bytes, ret_moved, bulk_out);
}

enum status user_io_zero_bulk(struct user_io *io, size_t bytes, size_t *ret_moved)
{
	return each_row(io, NULL, bytes, ret_moved, bulk_zero);
}
