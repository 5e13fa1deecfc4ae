/*
 * Chooses and starts the first program.
 */
#pragma once

#include "kernel/fs/node.h"

/*
 * Start the first program from the tree at `root`, with the words after "--" on the command line as arguments. Programs
 * are tried in this order: that of rdinit=, then that of init= and no other; without init=, as on Linux, /init (if
 * there is no rdinit=), /sbin/init, /etc/init, /bin/init, /bin/sh. If one that is there, or was named, cannot be
 * started, the log says why. Returns whether a program was started; it runs when the caller blocks. With init=none
 * nothing is started, and the log has no line.
 */
bool first_program_start(const struct place *root, const char *cmdline);
