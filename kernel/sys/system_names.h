/*
 * What uname(2) and /proc/sys/kernel call this system.
 */
#pragma once

#define SYSTEM_NAME_SIZE 65 /* its NUL included */

/* uname(2). Programs ask for the release to see what they can call: a Linux version is what they understand. */
struct linux_utsname {
	char system[SYSTEM_NAME_SIZE], node[SYSTEM_NAME_SIZE], release[SYSTEM_NAME_SIZE], version[SYSTEM_NAME_SIZE],
		machine[SYSTEM_NAME_SIZE], domain[SYSTEM_NAME_SIZE];
};

_Static_assert(sizeof(struct linux_utsname) == 390, "Linux's struct new_utsname");

/* The names now; sethostname(2) writes `node`. */
extern struct linux_utsname system_names;
