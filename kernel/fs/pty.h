/*
 * Pseudo-terminals (pty(7)): a terminal whose device is a program. The program opens /dev/ptmx, which makes a terminal;
 * the open file is its master: what the program writes there is typed on the terminal, and it reads there what the
 * terminal shows. Others open the terminal as /dev/pts/N.
 */
#pragma once

#include "kernel/fs/tty.h"

/* Register /dev/ptmx and the devices of /dev/pts. Call once. */
void pty_init(void);

/*
 * Set the job control of the terminals that are made from now on, and the function that returns the calling task's
 * credentials, whose user and group own a new terminal.
 */
void pty_set_jobs(const struct tty_job_control *jobs, const struct credentials *(*of_caller)(void));

/*
 * Do the ioctl TIOCGPTPEER: open the terminal of the master `file`; *ret is a reference. Returns 0, -EIO (the terminal
 * is locked, or `file` is a terminal and no master), -ENOTTY (`file` is neither), or file_open's errors.
 */
int pty_open_peer(struct file *file, unsigned flags, struct file **ret);
