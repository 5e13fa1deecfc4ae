/*
 * F_NOTIFY (fcntl(2), "File and directory change notification"): a signal from an open directory when something
 * happens to a file in it.
 */
#pragma once

#include "kernel/fs/file.h"

/*
 * Do F_NOTIFY for the descriptor `fd` of `file`. what: bits of DN_…; if it names no event, the watch ends. The file's
 * owner
 * gets the signal; the current process becomes the owner if there is none. As on Linux the watch ends with its first
 * signal, unless DN_MULTISHOT is set. Events that follow each other before the signal is sent have one signal together.
 * Returns 0, -ENOTDIR, -ENOMEM (no memory, or 8,192 directories are watched so already, since each event looks at all
 * watches of its directory).
 */
int dir_notify_set(struct file *file, int fd, uint32_t what);
