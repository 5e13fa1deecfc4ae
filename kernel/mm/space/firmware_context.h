/*
 * The firmware context, in which UEFI runtime services run: their memory is mapped at its physical addresses, and of
 * the kernel's memory only PML4 slot 511 (heap, stacks, image).
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/mm/space/context.h"

/*
 * Create a context with the runtime regions of the firmware's map at their physical addresses, with the rights that the
 * table at info->efi_attributes gives them, if there is one. Returns ERR_NO_MEMORY and what space_map returns; *ret is
 * unusable then, and all its frames are freed.
 */
MUST_CHECK enum status firmware_context_create(const struct boot_info *info, struct context *ret);

/*
 * Create the firmware context that firmware_reset uses.
 * Returns ERR_NOT_FOUND (no runtime services), ERR_FORMAT (a broken system table), ERR_NO_MEMORY and what space_map
 * returns; firmware_reset then fails with ERR_NOT_FOUND.
 */
MUST_CHECK enum status firmware_init(const struct boot_info *info);

/* Return the firmware context's space, or NULL when there is none. For the audit of page tables, kernel/report. */
const struct space *firmware_space(void);

/*
 * Return whether this firmware, by its vendor's name, is known to restart the machine when it is asked to turn it off:
 * U-Boot on x86 restarts for every kind of reset.
 */
bool firmware_off_restarts(void);

/* The kinds of reset; UEFI 2.10, ResetSystem(). */
enum firmware_reset { FIRMWARE_RESET_COLD, FIRMWARE_RESET_WARM, FIRMWARE_RESET_SHUTDOWN };

/*
 * Reset the machine or turn it off. Returns only on failure: ERR_NOT_FOUND (no firmware context), ERR_RIGHTS (the
 * firmware faulted or refused).
 */
enum status firmware_reset(enum firmware_reset how);
