/*
 * The log as programs see it: /dev/kmsg by records (Linux's Documentation/ABI/testing/dev-kmsg), and syslog(2) by text.
 */
#pragma once

#include "kernel/fs/file.h"

/* /dev/kmsg, and who waits for records is woken from now on. Once. */
void kmsg_init(void);

/* Woken at each record. As file_queue. */
struct wait_queue *kmsg_queue(void);

/*
 * syslog(2)'s text, "<6>[    1.234567] text\n" a record; all calls are made by tasks.
 *
 * SYSLOG_ACTION_READ: what nobody has read so, whole records and at the end a piece of one. Bytes; -EAGAIN: nothing is
 * there, wait in kmsg_queue; -EFAULT: what was not copied stays.
 */
int64_t syslog_read(struct user_io *io);

/* SYSLOG_ACTION_READ_ALL: the last whole records since syslog_clear that fit. Bytes; -EFAULT. */
int64_t syslog_read_all(struct user_io *io);

/* SYSLOG_ACTION_CLEAR: syslog_read_all starts here from now on, and lseek(SEEK_DATA). */
void syslog_clear(void);
uint64_t syslog_cleared(void); /* that record's number; it may be gone */

/* SYSLOG_ACTION_SIZE_UNREAD: bytes that syslog_read has left. */
int64_t syslog_unread(void);
bool syslog_has_unread(void);
