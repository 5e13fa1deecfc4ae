/*
 * The devices null, zero, full, random and urandom, which need no hardware (null(4), full(4), random(4)).
 */
#include "kernel/fs/device.h"
#include "kernel/fs/kmsg.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/user/user_io.h"

#define PIECE 256

/* Write to /dev/null and /dev/zero: all bytes are taken and dropped. */
static int64_t discard(struct file *file, struct user_io *io, uint64_t *offset)
{
	int64_t size = (int64_t)io->left;

	(void)file;
	(void)offset;
	user_io_skip(io, io->left);
	return size;
}

static int64_t read_end(struct file *file, struct user_io *io, uint64_t *offset)
{
	(void)file;
	(void)io;
	(void)offset;
	return 0;
}

static int64_t read_zeros(struct file *file, struct user_io *io, uint64_t *offset)
{
	size_t moved = 0;
	enum status status = user_io_zero(io, io->left, &moved);

	(void)file;
	(void)offset;
	return status == OK || moved ? (int64_t)moved : copy_errno(status);
}

static int64_t write_full(struct file *file, struct user_io *io, uint64_t *offset)
{
	(void)file;
	(void)offset;
	return io->left ? -ENOSPC : 0;
}

static int64_t read_random(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct random_stream stream;
	int64_t done = 0;
	enum status status = OK;

	(void)file;
	(void)offset;
	random_stream_begin(&stream, io->left);
	while (io->left && status == OK) {
		uint8_t bytes[PIECE];
		size_t size = io->left < PIECE ? io->left : PIECE;
		size_t moved = 0;

		random_stream_take(&stream, bytes, size);
		status = user_io_put(io, bytes, size, &moved);
		memset(bytes, 0, sizeof(bytes));
		done += (int64_t)moved;
	}
	random_stream_end(&stream);
	return status == OK || done ? done : copy_errno(status);
}

/*
 * Mix the written bytes into the state of the random generator. The bytes can only make the state harder to guess; they
 * are not taken for entropy, since the program knows them.
 */
static int64_t write_random(struct file *file, struct user_io *io, uint64_t *offset)
{
	int64_t done = 0;
	enum status status = OK;

	(void)file;
	(void)offset;
	while (io->left && status == OK) {
		uint8_t bytes[PIECE];
		size_t moved = 0;

		status = user_io_get(io, bytes, io->left < PIECE ? io->left : PIECE, &moved);
		random_add(bytes, moved);
		done += (int64_t)moved;
	}
	return status == OK || done ? done : copy_errno(status);
}

#define RNDGETENTCNT 0x80045200
#define ENTROPY_BITS 256 /* size of the generator's key */

/* Do RNDGETENTCNT: tell how many bits of entropy there are, ENTROPY_BITS or, before the generator is ready, 0. */
static int64_t random_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io)
{
	const int32_t bits = random_is_ready() ? ENTROPY_BITS : 0;

	(void)file;
	(void)arg;
	return request == RNDGETENTCNT ? copy_errno(user_io_put_all(io, &bits, sizeof(bits))) : -ENOTTY;
}

/* Make mmap(2) of /dev/zero map anonymous memory: return 0 with no object. */
static int no_object(struct file *file, struct memory_object **ret)
{
	(void)file;
	*ret = NULL;
	return 0;
}

/* Accept any lseek(2), as Linux does, even with an invalid offset or `whence`: the file's offset stays 0. */
static int64_t stay(struct file *file, int64_t offset, int whence)
{
	(void)file;
	(void)offset;
	(void)whence;
	return 0;
}

static const struct file_ops null_ops = { .read = read_end, .write = discard, .seek = stay };
static const struct file_ops zero_ops = { .read = read_zeros, .write = discard, .seek = stay, .object = no_object };
static const struct file_ops full_ops = { .read = read_zeros, .write = write_full, .seek = stay };
static const struct file_ops random_ops = {
	.read = read_random, .write = write_random, .seek = stay, .ioctl = random_ioctl
};

static int open_memory(struct device *device, struct file *file)
{
	file->ops = device->data;
	/* A read or write of /dev/null takes no longer for many bytes than for few. */
	file->properties = file->ops == &null_ops ? FILE_SEEKS | FILE_AT_ONCE : FILE_SEEKS;
	/* As on Linux all of these devices but /dev/full can do RWF_NOWAIT. */
	if (file->ops != &full_ops)
		file->properties |= FILE_NOWAIT;
	return 0;
}

#define MEMORY_DEVICE(text, minor, ops)                                                                \
	{                                                                                              \
		.name = (text), .number = DEVICE_NUMBER(DEVICE_MEM_MAJOR, minor), .open = open_memory, \
		.data = (void *)&(ops)                                                                 \
	}

/* Fixed after boot. */
static struct device memory_devices[] = {
	MEMORY_DEVICE("null", 3, null_ops),      MEMORY_DEVICE("zero", 5, zero_ops),
	MEMORY_DEVICE("full", 7, full_ops),      MEMORY_DEVICE("random", 8, random_ops),
	MEMORY_DEVICE("urandom", 9, random_ops),
};

void device_init(void)
{
	kmsg_init();
	for (size_t i = 0; i < sizeof(memory_devices) / sizeof(memory_devices[0]); i++)
		ASSERT(device_register(&memory_devices[i]) == 0);
}
