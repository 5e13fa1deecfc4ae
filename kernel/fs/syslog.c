/*
 * Reads the kernel's log for syslog(2); see kmsg.h. Guard: tasks only, which the kernel does not preempt: all functions
 * are called by tasks, and none blocks.
 */
#include "kernel/fs/kmsg.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/mm/user/user_io.h"

#define HEADER_SIZE 64

/* Guard: tasks only, which the kernel does not preempt. */
static uint64_t cleared;   /* syslog_read_all() shows no record before this one */
static uint64_t read_next; /* the record where syslog_read goes on */
static size_t read_done;   /* how many bytes of that record syslog_read has returned */

/* A record and the header that is shown before its text. */
struct shown {
	struct log_record record;
	char header[HEADER_SIZE];
	size_t header_size;
	size_t size; /* bytes of header, text and newline together */
};

/* Get record `seq`, and format its header. Returns false when the log does not have the record, or no longer has it. */
static bool show(uint64_t seq, struct shown *ret)
{
	unsigned long long us;

	if (!log_get(seq, &ret->record))
		return false;
	us = ret->record.ns / 1000;
	ret->header_size = format_s(ret->header, sizeof(ret->header), "<%u>[%5llu.%06llu] ", ret->record.priority,
				    us / 1000000, us % 1000000);
	ret->size = ret->header_size + ret->record.size + 1;
	return true;
}

static char shown_byte(const struct shown *s, size_t at)
{
	if (at < s->header_size)
		return s->header[at];
	at -= s->header_size;
	return at < s->record.size ? s->record.text[at] : '\n';
}

/*
 * Copy bytes [from, s->size) of a record to the user, as many as fit. Returns as user_io_put; adds the bytes to
 * *moved.
 */
static enum status put_shown(struct user_io *io, const struct shown *s, size_t from, size_t *moved)
{
	char piece[256];

	while (from < s->size && io->left) {
		size_t size = 0, done = 0;
		enum status status;

		while (size < sizeof(piece) && from + size < s->size) {
			piece[size] = shown_byte(s, from + size);
			size++;
		}
		status = user_io_put(io, piece, size < io->left ? size : io->left, &done);
		from += done;
		*moved += done;
		if (status != OK)
			return status;
	}
	return OK;
}

int64_t syslog_read(struct user_io *io)
{
	size_t total = 0;
	struct shown s;

	while (io->left) {
		enum status status;
		size_t moved = 0;

		if (read_next < log_first()) {
			read_next = log_first();
			read_done = 0;
		}
		if (!show(read_next, &s))
			break;
		/* Split a record only if it does not fit into the user's buffer by itself. */
		if (total && s.size - read_done > io->left)
			break;
		status = put_shown(io, &s, read_done, &moved);
		total += moved;
		read_done += moved;
		if (read_done >= s.size) {
			read_next++;
			read_done = 0;
		}
		if (status != OK)
			return total ? (int64_t)total : copy_errno(status);
	}
	return total ? (int64_t)total : -EAGAIN;
}

bool syslog_has_unread(void)
{
	return read_next < log_end();
}

int64_t syslog_unread(void)
{
	int64_t size = -(int64_t)read_done;
	struct shown s;

	if (read_next < log_first()) {
		read_next = log_first();
		read_done = 0;
		size = 0;
	}
	for (uint64_t seq = read_next; show(seq, &s); seq++)
		size += (int64_t)s.size;
	return size;
}

int64_t syslog_read_all(struct user_io *io)
{
	uint64_t start = syslog_cleared(), end = log_end(), size = 0, first = end;
	enum status status = OK;
	size_t moved = 0;
	struct shown s;

	while (first > start && show(first - 1, &s) && size + s.size <= io->left) {
		size += s.size;
		first--;
	}
	for (; status == OK && first < end && show(first, &s) && s.size <= io->left; first++)
		status = put_shown(io, &s, 0, &moved);
	return status == OK ? (int64_t)moved : copy_errno(status);
}

void syslog_clear(void)
{
	cleared = log_end();
}

uint64_t syslog_cleared(void)
{
	return cleared > log_first() ? cleared : log_first();
}
