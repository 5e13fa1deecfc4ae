/*
 * What every program maps to tell the time without a system call: the code of vdso/, and the clock page right below it.
 */
#pragma once

#include "kernel/arch/trap.h"
#include "kernel/mm/user/user_space.h"

/* Find the frames of the code and the clock page. Call once, in the kernel context, before the first program starts. */
void vdso_init(void);

/*
 * Map the code right below *end, in a space that has nothing there yet, and the clock page below the code; lower *end
 * to where the clock page starts. *ret_code is the address of the code's ELF header, for AT_SYSINFO_EHDR. Returns OK;
 * or ERR_NO_MEMORY, and the clock page may be mapped then.
 */
MUST_CHECK enum status vdso_map(struct user_space *space, vaddr_t *end, vaddr_t *ret_code);

/*
 * If the current task's program calls one of the three functions of Linux's vsyscall page, at 0xffffffffff600000, where
 * nothing is mapped here, let it continue in the vDSO's function instead. Old static programs know no other way to ask
 * for the time. `frame` is that of the fault at the instruction's fetch. Returns false when it is no such call, or the
 * program has unmapped the vDSO.
 */
bool vdso_take_legacy_call(struct trap_frame *frame);

/* Return the name of an area in /proc/PID/maps, "[vdso]" or "[vvar]"; NULL: it is neither. */
const char *vdso_area_name(const struct area *area);
