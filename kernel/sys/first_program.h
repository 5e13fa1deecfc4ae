/*
 * Chooses and starts the first program.
 */
#pragma once

#include "kernel/fs/node.h"

/*
 * Start the first program from the tree at `root`: the one of rdinit= or of init= on the command line, otherwise /init;
 * with the words after "--" as arguments. If that is none that can be started the log says why, and those follow that
 * Linux tries: /sbin/init, /etc/init, /bin/init, /bin/sh; but after init= none. Returns whether one was started; it
 * runs when the caller blocks. Returns false for init=none, without a line.
 */
bool first_program_start(struct node *root, const char *cmdline);
