/*
 * The log for programs: /dev/kmsg by records (Linux's Documentation/ABI/testing/dev-kmsg), and syslog(2) as text.
 */
#pragma once

#include "kernel/fs/file.h"

/* Register /dev/kmsg, and wake those who wait for records from now on. Called once. */
void kmsg_init(void);

/* Return the queue that is woken at each record, as file_queue() does. */
struct wait_queue *kmsg_queue(void);

/*
 * The text of syslog(2): "<6>[    1.234567] text\n" for each record. All calls are made by tasks.
 *
 * Do SYSLOG_ACTION_READ: give out what no such call has given out yet, whole records and at the end a piece of one.
 * Returns bytes; -EAGAIN: nothing is left, wait in kmsg_queue; -EFAULT: what was not copied is left.
 */
int64_t syslog_read(struct user_io *io);

/* Do SYSLOG_ACTION_READ_ALL: the last whole records since syslog_clear that fit. Returns bytes, or -EFAULT. */
int64_t syslog_read_all(struct user_io *io);

/* Do SYSLOG_ACTION_CLEAR: syslog_read_all starts here from now on, and so does lseek(SEEK_DATA). */
void syslog_clear(void);
uint64_t syslog_cleared(void); /* the record where they start; it may be gone */

/* Do SYSLOG_ACTION_SIZE_UNREAD: return how many bytes syslog_read has left. */
int64_t syslog_unread(void);
bool syslog_has_unread(void);
