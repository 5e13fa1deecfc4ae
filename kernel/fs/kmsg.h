/*
 * The kernel's log for programs: /dev/kmsg gives it by records (Linux's Documentation/ABI/testing/dev-kmsg), syslog(2)
 * as text.
 */
#pragma once

#include "kernel/fs/file.h"

/* Register /dev/kmsg, and wake kmsg_queue() at each log record from now on. Call once. */
void kmsg_init(void);

/* Return the queue that is woken at each log record. Use it as file_queue() (file.h) says. */
struct wait_queue *kmsg_queue(void);

/*
 * Do syslog(2)'s SYSLOG_ACTION_READ: copy text that no such call has returned yet, "<6>[ 1.234567] text\n" for each
 * record. A record is split only if it does not fit into the user's buffer by itself. Returns bytes; -EAGAIN: nothing
 * is left, wait in kmsg_queue(); copy_errno()'s error: nothing could be copied. Interrupt handlers must call neither
 * this nor the functions below.
 */
int64_t syslog_read(struct user_io *io);

/*
 * Do SYSLOG_ACTION_READ_ALL: copy the last whole records since syslog_clear that fit. Returns bytes or copy_errno()'s
 * error.
 */
int64_t syslog_read_all(struct user_io *io);

/* Do SYSLOG_ACTION_CLEAR: from now on syslog_read_all(), and SEEK_DATA of /dev/kmsg, start where the log ends now. */
void syslog_clear(void);
uint64_t syslog_cleared(void); /* returns the number of the first record since the last syslog_clear() */

/* Do SYSLOG_ACTION_SIZE_UNREAD: return how many bytes syslog_read() has not returned yet; or whether there are any. */
int64_t syslog_unread(void);
bool syslog_has_unread(void);
