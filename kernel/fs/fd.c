/*
 * Descriptor tables; see fd.h. A new descriptor is the lowest free one; `lowest_free` is where the search for it
 * starts.
 */
#include "kernel/fs/fd.h"

#include "kernel/fs/file_lock.h"
#include "kernel/fs/open_objects.h"
#include "kernel/lib/likely.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

#define COPIES         2048  /* descriptors that one fd_copy_some() goes through */
#define GROWS          16384 /* entries of a larger table that one fd_grow_some() fills */
#define CLOSES         64    /* closed descriptors after which one fd_close_some() ends, since each may free a file */
#define FIRST_CAPACITY 64 /* descriptors that a new table has room for: as many as one word of its bitmaps has bits */

static bool is_cloexec(const struct fd_table *table, unsigned fd)
{
	return table->cloexec[fd / 64] >> fd % 64 & 1;
}

/* Set or clear the bit of `fd` in one of the table's two bitmaps, `open` and `cloexec`. */
static void set_bit(uint64_t *bits, unsigned fd, bool set)
{
	uint64_t bit = 1ULL << fd % 64;

	if (set)
		bits[fd / 64] |= bit;
	else
		bits[fd / 64] &= ~bit;
}

/* Set the file of a descriptor below the capacity, also in the array that a growing table is about to get. */
static void set_file(struct fd_table *table, unsigned fd, struct file *file)
{
	table->files[fd] = file;
	if (fd < table->grown_to)
		table->grown[fd] = file;
}

/* Begin to make the table large enough for descriptor `fd`. Returns 0 or -ENOMEM. */
static int begin_growth(struct fd_table *table, unsigned fd)
{
	unsigned capacity = table->capacity ? table->capacity : FIRST_CAPACITY;

	while (capacity <= fd)
		capacity *= 2;
	table->grown = kmalloc(capacity * sizeof(struct file *));
	table->grown_capacity = capacity;
	return table->grown ? 0 : -ENOMEM;
}

/* Fill the next entries of the new array, GROWS at the most. */
static void fill_grown(struct fd_table *table)
{
	const unsigned from = table->grown_to, left = table->grown_capacity - from;
	const unsigned end = from + (left < GROWS ? left : GROWS);
	const unsigned used = table->capacity < end ? table->capacity : end, copied = used > from ? used : from;

	if (from < copied)
		memcpy(table->grown + from, table->files + from, (copied - from) * sizeof(struct file *));
	memset(table->grown + copied, 0, (end - copied) * sizeof(struct file *));
	table->grown_to = end;
}

/*
 * Put the new array, all of which is filled, and larger bitmaps in the place of the old ones. Returns 0; or -ENOMEM,
 * with the new array given up.
 */
static int end_growth(struct fd_table *table)
{
	const unsigned capacity = table->grown_capacity;
	struct file **files = table->grown;
	uint64_t *cloexec = kzalloc(2 * (capacity / 8));

	table->grown = NULL;
	table->grown_to = 0;
	if (!cloexec) {
		kfree(files);
		return -ENOMEM;
	}
	if (table->capacity) {
		memcpy(cloexec, table->cloexec, table->capacity / 8);
		memcpy(cloexec + capacity / 64, table->open, table->capacity / 8);
	}
	kfree(table->files);
	kfree(table->cloexec);
	table->files = files;
	table->cloexec = cloexec;
	table->open = cloexec + capacity / 64;
	table->capacity = capacity;
	return 0;
}

int fd_grow_some(struct fd_table *table, unsigned fd)
{
	int error = 0;

	if (fd < table->capacity)
		return 0;
	if (!table->grown)
		error = begin_growth(table, fd);
	if (error)
		return error;
	fill_grown(table);
	if (table->grown_to == table->grown_capacity)
		error = end_growth(table);
	/* The growth may have been begun for a lower descriptor: then the table grows once more. */
	return error ? error : fd >= table->capacity;
}

/* Make the table large enough for descriptor `fd`. Returns 0, or -ENOMEM with the capacity as it was. */
static int grow(struct fd_table *table, unsigned fd)
{
	int more;

	do
		more = fd_grow_some(table, fd);
	while (more > 0);
	return more;
}

/*
 * Drop the reference of a descriptor that is closed, and the process's record locks (fcntl(2)) on the file: they end
 * when any of the file's descriptors is closed.
 */
static void put_closed(const struct fd_table *table, struct file *file)
{
	if (file->node->locks)
		file_lock_drop(file->node, LOCK_RECORD, table);
	if (unlikely(file->ops->closed))
		file->ops->closed(file);
	file_put(file);
}

static unsigned (*limit_source)(void); /* see fd_set_limit_source(); fixed after boot */

void fd_set_limit_source(unsigned (*of_caller)(void))
{
	limit_source = of_caller;
}

static unsigned limit_of_caller(void)
{
	return limit_source ? limit_source() : FD_LIMIT;
}

int fd_table_create(struct fd_table **ret)
{
	struct fd_table *table = kmalloc(sizeof(*table));

	if (!table)
		return -ENOMEM;
	*table = (struct fd_table){ .refs = 1 };
	if (grow(table, 0) != 0) {
		kfree(table);
		return -ENOMEM;
	}
	*ret = table;
	return 0;
}

/*
 * Return the lowest descriptor from `fd` on that is free. If the table has none, return its capacity, or `fd` if that
 * is higher.
 */
static unsigned next_free(const struct fd_table *table, unsigned fd)
{
	unsigned word = fd / 64;
	uint64_t taken = fd < table->capacity ? table->open[word] | ((1ULL << fd % 64) - 1) : 0;

	if (fd >= table->capacity)
		return fd;
	while (taken == UINT64_MAX && ++word < table->capacity / 64)
		taken = table->open[word];
	return word < table->capacity / 64 ? 64 * word + (unsigned)__builtin_ctzll(~taken) : table->capacity;
}

/* Return one more than the highest descriptor in use. */
static unsigned end_of(const struct fd_table *table)
{
	unsigned word = table->capacity / 64;

	while (word && !table->open[word - 1])
		word--;
	return word ? 64 * word - (unsigned)__builtin_clzll(table->open[word - 1]) : 0;
}

int fd_copy_some(const struct fd_table *from, struct fd_table *table, unsigned *fd)
{
	unsigned most, end, free;

	if (!*fd) {
		const unsigned in_use = end_of(from);
		const int more = in_use ? fd_grow_some(table, in_use - 1) : 0;

		if (more)
			return more;
		/* No descriptor is known to be free yet: the search below lowers this at the first one. */
		table->lowest_free = table->capacity;
	}
	most = table->capacity < from->capacity ? table->capacity : from->capacity;
	end = *fd + COPIES < most ? *fd + COPIES : most;
	free = next_free(from, *fd);
	if (free < end && free < table->lowest_free)
		table->lowest_free = free;
	/* `*fd` and `end` are multiples of 64, so whole words of the bitmaps are copied. */
	for (unsigned word = *fd / 64; word < end / 64; word++) {
		table->open[word] = from->open[word];
		table->cloexec[word] = from->cloexec[word];
		for (uint64_t left = from->open[word]; left; left &= left - 1) {
			unsigned at = 64 * word + (unsigned)__builtin_ctzll(left);

			table->files[at] = file_get(from->files[at]);
		}
	}
	*fd = end;
	return end < most;
}

int fd_table_copy(const struct fd_table *from, struct fd_table **ret)
{
	struct fd_table *table;
	unsigned fd = 0;
	int more = fd_table_create(&table);

	if (more)
		return more;
	do
		more = fd_copy_some(from, table, &fd);
	while (more > 0);
	if (more)
		fd_table_put(table);
	else
		*ret = table;
	return more;
}

void fd_table_put(struct fd_table *table)
{
	if (--table->refs)
		return;
	fd_close_range(table, 0, UINT32_MAX);
	while (table->spare)
		kfree(fd_take_spare(table));
	kfree(table->grown);
	kfree(table->files);
	kfree(table->cloexec);
	kfree(table);
}

int fd_install(struct fd_table *table, struct file *file, int lowest, unsigned flags)
{
	bool from_lowest = lowest <= 0 || (unsigned)lowest <= table->lowest_free;
	unsigned fd = from_lowest ? table->lowest_free : (unsigned)lowest, limit = limit_of_caller();

	if (lowest < 0 || (lowest > 0 && (unsigned)lowest >= limit))
		return -EINVAL;
	fd = next_free(table, fd);
	if (fd >= limit)
		return -EMFILE;
	if (grow(table, fd) != 0)
		return -ENOMEM;
	set_file(table, fd, file);
	set_bit(table->open, fd, true);
	set_bit(table->cloexec, fd, flags & FD_CLOEXEC);
	if (from_lowest)
		table->lowest_free = fd + 1;
	return (int)fd;
}

bool fd_has_room(struct fd_table *table)
{
	table->lowest_free = next_free(table, table->lowest_free);
	return table->lowest_free < limit_of_caller();
}

unsigned fd_to_grow_for(struct fd_table *table, unsigned lowest)
{
	const bool from_lowest = lowest <= table->lowest_free;
	const unsigned fd = next_free(table, from_lowest ? table->lowest_free : lowest);

	if (from_lowest)
		table->lowest_free = fd;
	return fd < table->capacity || fd >= limit_of_caller() ? 0 : fd;
}

/* Make an open descriptor a free one. */
static inline void take_out(struct fd_table *table, unsigned fd)
{
	set_file(table, fd, NULL);
	set_bit(table->open, fd, false);
	set_bit(table->cloexec, fd, false);
	if (fd < table->lowest_free)
		table->lowest_free = fd;
}

int fd_close(struct fd_table *table, int fd)
{
	struct file *file = fd_file_peek(table, fd);

	if (!file)
		return -EBADF;
	take_out(table, (unsigned)fd);
	put_closed(table, file);
	return 0;
}

void fd_close_open(struct fd_table *table, unsigned fd)
{
	struct file *file = table->files[fd];

	ASSERT(table->spares < FD_SPARES);
	take_out(table, fd);
	file->data = table->spare;
	table->spare = file;
	table->spares++;
}

bool fd_unlock_some(struct fd_table *table, int fd)
{
	const struct file *file = fd_file_peek(table, fd);

	return file && file->node->locks && file_lock_drop_some(file->node, LOCK_RECORD, table);
}

/*
 * Close the descriptors of `bits`, which are all open, in one word of the table's bitmaps. Stops at a descriptor whose
 * file has very many record locks of the process, after it has dropped some of them. Returns whether all are closed.
 */
static bool close_word(struct fd_table *table, unsigned word, uint64_t bits)
{
	const unsigned first = 64 * word + (unsigned)__builtin_ctzll(bits);

	if (first < table->lowest_free)
		table->lowest_free = first;
	for (; bits; bits &= bits - 1) {
		const unsigned fd = 64 * word + (unsigned)__builtin_ctzll(bits);
		const uint64_t bit = bits & -bits;
		struct file *file = table->files[fd];

		if (file->node->locks && file_lock_drop_some(file->node, LOCK_RECORD, table))
			return false;
		table->open[word] &= ~bit;
		table->cloexec[word] &= ~bit;
		set_file(table, fd, NULL);
		if (unlikely(file->ops->closed))
			file->ops->closed(file);
		file_put(file);
	}
	return true;
}

/* Return the bits of word `word` of a bitmap that stand for descriptors in [first, last]. */
static uint64_t bits_between(unsigned word, unsigned first, unsigned last)
{
	const uint64_t from = word == first / 64 ? UINT64_MAX << first % 64 : UINT64_MAX;
	const uint64_t to = word == last / 64 ? UINT64_MAX >> (63 - last % 64) : UINT64_MAX;

	return from & to;
}

bool fd_close_some(struct fd_table *table, unsigned *fd, unsigned last, enum fd_which which)
{
	const uint64_t *const map = which == FD_ON_EXEC ? table->cloexec : table->open;
	const unsigned words = table->capacity / 64, end = last / 64 < words ? last / 64 + 1 : words;
	unsigned word = *fd / 64, closed = 0;

	for (; closed < CLOSES; word++) {
		uint64_t bits;

		/* Skip words without descriptors to close: in a large table most words are such. */
		while (word < end && !map[word])
			word++;
		if (word >= end)
			break;
		bits = map[word] & bits_between(word, *fd, last);
		closed += (unsigned)__builtin_popcountll(bits);
		if (bits && !close_word(table, word, bits))
			break;
	}
	/* If the loop ended in the word where it began, *fd stays: lower bits of that word are outside the range. */
	if (word > *fd / 64)
		*fd = 64 * word;
	return word < end;
}

void fd_close_range(struct fd_table *table, unsigned first, unsigned last)
{
	while (fd_close_some(table, &first, last, FD_ALL))
		;
}

void fd_cloexec_range(struct fd_table *table, unsigned first, unsigned last)
{
	for (unsigned word = first / 64; word < table->capacity / 64 && word <= last / 64; word++)
		table->cloexec[word] |= table->open[word] & bits_between(word, first, last);
}

int fd_dup(struct fd_table *table, int fd, int lowest, unsigned flags)
{
	struct file *file = fd_file_peek(table, fd);
	int copy;

	if (!file)
		return -EBADF;
	copy = fd_install(table, file, lowest, flags);
	if (copy >= 0)
		file_get(file);
	return copy;
}

int fd_dup_to(struct fd_table *table, int fd, int to, unsigned flags)
{
	struct file *file = fd_file_peek(table, fd);
	struct file *old;

	if (!file || to < 0 || (unsigned)to >= limit_of_caller())
		return -EBADF;
	if (fd == to)
		return to;
	if (grow(table, (unsigned)to) != 0)
		return -ENOMEM;
	old = table->files[to];
	set_file(table, (unsigned)to, file_get(file));
	set_bit(table->open, (unsigned)to, true);
	set_bit(table->cloexec, (unsigned)to, flags & FD_CLOEXEC);
	if ((unsigned)to == table->lowest_free)
		table->lowest_free++;
	if (old)
		put_closed(table, old);
	return to;
}

int fd_flags(const struct fd_table *table, int fd)
{
	if (!fd_file_peek(table, fd))
		return -EBADF;
	return is_cloexec(table, (unsigned)fd) ? FD_CLOEXEC : 0;
}

int fd_set_flags(struct fd_table *table, int fd, unsigned flags)
{
	if (!fd_file_peek(table, fd))
		return -EBADF;
	set_bit(table->cloexec, (unsigned)fd, flags & FD_CLOEXEC);
	return 0;
}
