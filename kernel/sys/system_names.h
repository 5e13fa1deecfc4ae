/*
 * The system's names in uname(2) and /proc/sys/kernel.
 */
#pragma once

#define SYSTEM_NAME_SIZE 65 /* bytes of a name, its NUL included */

/*
 * uname(2)'s names. Programs conclude from the release which system calls there are, so it is the release of the Linux
 * whose calls this kernel has.
 */
struct linux_utsname {
	char system[SYSTEM_NAME_SIZE], node[SYSTEM_NAME_SIZE], release[SYSTEM_NAME_SIZE], version[SYSTEM_NAME_SIZE],
		machine[SYSTEM_NAME_SIZE], domain[SYSTEM_NAME_SIZE];
};

_Static_assert(sizeof(struct linux_utsname) == 390, "Linux's struct new_utsname");

/*
 * The current names; sethostname(2) writes `node`, setdomainname(2) `domain`. Guard: tasks only, which the kernel does
 * not preempt.
 */
extern struct linux_utsname system_names;
