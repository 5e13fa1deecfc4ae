/*
 * What every program maps to tell the time without a system call: the code of vdso/, and the clock page right below it.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/* Find the frames of code and clock page. Call once at boot, in the kernel context, before the first program starts. */
void vdso_init(void);

/*
 * Map both right below *end, in a space that has nothing there yet, and lower *end to where they start. *ret_code is
 * the address of the code's ELF header, for AT_SYSINFO_EHDR. Returns OK; or ERR_NO_MEMORY with one of them mapped.
 */
MUST_CHECK enum status vdso_map(struct user_space *space, vaddr_t *end, vaddr_t *ret_code);

/* Return the name of an area in /proc/PID/maps, "[vdso]" or "[vvar]"; NULL: it is neither. */
const char *vdso_area_name(const struct area *area);
