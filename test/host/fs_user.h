/*
 * The machine behind fs_machine.h, started: included once a program.
 */
#pragma once

#include "kernel/fs/credentials.h"
#include "kernel/fs/file.h"
#include "kernel/fs/path.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/mm/user/user_io.h"
#include "test/host/context_host.h"
#include "test/host/frame_machine.h"
#include "test/host/fs_machine.h"

#define FS_BASE    (4 * GIB)
#define USER_VA    0x100000ULL /* the user's memory: USER_BYTES, and nothing behind it */
#define USER_BYTES (256 * KIB)

static struct machine *fs_machine;
static struct user_space *fs_user;
static struct path_base fs_base;
static uint64_t fs_frames_at_start, fs_blocks_at_start;

/* A machine with a tmpfs as root and a user with memory; the archive's 1 MiB below the managed memory. */
static inline void fs_start(void)
{
	vaddr_t va;
	char *at;

	panic_set_handler(print_panic);
	fs_machine = machine_new();
	machine_range(fs_machine, FS_BASE, FS_BASE + MIB, MEM_INITRD);
	machine_range(fs_machine, FS_BASE + MIB, FS_BASE + 32 * MIB, MEM_USABLE);
	machine_memory(fs_machine);
	store_host_direct = (uintptr_t)fs_machine->memory - fs_machine->start;
	memset(&machine_frames, 0, sizeof(machine_frames));
	assert_int_equal(frame_init(&machine_frames, &fs_machine->map, store_host_direct), OK);
	frame_cache_init(&machine_frame_cache, &machine_frames);
	context_host_start(store_host_direct);
	assert_int_equal(user_space_create(&fs_user), OK);
	assert_int_equal(user_map(fs_user, USER_VA, USER_BYTES, USER_READ | USER_WRITE,
				  USER_MAP_FIXED | USER_MAP_POPULATE, NULL, 0, &va),
			 OK);
	for (uint64_t i = 0; i < USER_BYTES; i += PAGE_SIZE)
		assert_int_equal(user_touch(fs_user, USER_VA + i, USER_WRITE, (void **)&at), OK);
	host_user_space = fs_user;
	fs_blocks_at_start = fs_heap_blocks;
	assert_int_equal(tmpfs_create(&fs_base.root.node), 0);
	fs_base.start = fs_base.root;
	fs_base.who = &credentials_first;
	fs_frames_at_start = frame_free_count(&machine_frames);
}

/* Everything must be given back. */
static inline void fs_end(void)
{
	tmpfs_destroy(fs_base.root.node);
	assert_int_equal(frame_free_count(&machine_frames), fs_frames_at_start);
	assert_int_equal(fs_heap_blocks, fs_blocks_at_start);
	user_space_put(fs_user);
	machine_end(fs_machine);
}

/* The user's byte at offset `at` of his memory. */
static inline char *user_byte(uint64_t at)
{
	void *ret;

	assert_int_equal(user_touch(fs_user, USER_VA + at, USER_WRITE, &ret), OK);
	return ret;
}

static inline void user_set(uint64_t at, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		*user_byte(at + i) = ((const char *)bytes)[i];
}

static inline void user_get(uint64_t at, void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((char *)bytes)[i] = *user_byte(at + i);
}

/* A system call's user_io for `size` bytes at offset `at` of the user's memory, in the user's context. */
#define WITH_USER_IO(io, at, size, call)                                       \
	({                                                                     \
		struct user_io io;                                             \
		context_token_t io##_token = context_enter(&fs_user->context); \
		uint64_t io##_cr3 = host_cr3;                                  \
		int64_t io##_result;                                           \
                                                                               \
		user_io_init(&io, fs_user, USER_VA + (at), size);              \
		io##_result = (call);                                          \
		assert_int_equal(host_cr3, io##_cr3);                          \
		context_leave(io##_token);                                     \
		io##_result;                                                   \
	})

static inline int64_t file_read(struct file *file, struct user_io *io)
{
	return file_move(file, FILE_READ, io, 0);
}

static inline int64_t file_write(struct file *file, struct user_io *io)
{
	return file_move(file, FILE_WRITE, io, 0);
}

static inline int64_t file_pread(struct file *file, struct user_io *io, uint64_t offset)
{
	return file_move(file, FILE_PREAD, io, offset);
}

static inline int64_t file_pwrite(struct file *file, struct user_io *io, uint64_t offset)
{
	return file_move(file, FILE_PWRITE, io, offset);
}

/* read(2) and write(2) between the file and a buffer, by way of the start of the user's memory. */
static inline int64_t do_read(struct file *file, void *to, size_t size)
{
	int64_t done = WITH_USER_IO(io, 0, size, file_read(file, &io));

	if (done > 0)
		user_get(0, to, (size_t)done);
	return done;
}

static inline int64_t do_write(struct file *file, const void *from, size_t size)
{
	user_set(0, from, size);
	return WITH_USER_IO(io, 0, size, file_write(file, &io));
}
