/*
 * The firmware context: UEFI runtime services see the addresses they were built for, and nothing of ours
 * but slot 511.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "paging/space.h"

/*
 * Build the context: the runtime regions of the firmware's map at their physical addresses.
 * Returns ERR_NOT_FOUND (no runtime services), ERR_FORMAT (a broken system table), ERR_NO_MEMORY and
 * what space_map returns; firmware_reset then fails with ERR_NOT_FOUND.
 */
MUST_CHECK enum status firmware_init(const struct boot_info *info);

/* For the audit: the context's space, or NULL. */
const struct space *firmware_space(void);

/* UEFI 2.10, ResetSystem(). */
enum firmware_reset { FIRMWARE_RESET_COLD, FIRMWARE_RESET_WARM, FIRMWARE_RESET_SHUTDOWN };

/* Returns only when it failed: ERR_NOT_FOUND (no firmware context), ERR_RIGHTS (the firmware faulted or refused). */
enum status firmware_reset(enum firmware_reset how);
