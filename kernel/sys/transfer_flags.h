/*
 * The flags of preadv2(2), pwritev2(2) and io_submit(2), which say how one read or write is done.
 */
#pragma once

#include "kernel/fs/file_move.h"
#include "paging/types.h"

struct file;
struct user_io;

/*
 * Read or write some bytes, of which there is at least one, as the flags (RWF_…) say. Returns as file_transfer;
 * -EOPNOTSUPP: there is no such flag, or not for this file.
 */
int64_t transfer_flagged(struct file *file, enum file_move how, struct user_io *io, uint64_t offset, uint32_t flags);

/* Return whether all of the flags are known. */
bool transfer_flags_known(uint32_t flags);
