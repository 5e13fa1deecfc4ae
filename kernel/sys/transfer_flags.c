/*
 * Does reads and writes with the flags of preadv2(2) and its kin.
 */
#include "kernel/sys/transfer_flags.h"

#include "kernel/sys/file_transfer.h"

/* RWF_HIPRI, RWF_DSYNC and RWF_SYNC change nothing, as nothing here waits for a disk. */
enum transfer_flags {
	RWF_HIPRI = 1,
	RWF_DSYNC = 2,
	RWF_SYNC = 4,
	RWF_NOWAIT = 8,
	RWF_APPEND = 16,
	RWF_KNOWN = 31,
};

bool transfer_flags_known(uint32_t flags)
{
	return !(flags & ~(uint32_t)RWF_KNOWN);
}

int64_t transfer_flagged(struct file *file, enum file_move how, struct user_io *io, uint64_t offset, uint32_t flags)
{
	if (!transfer_flags_known(flags) || (flags & RWF_NOWAIT && !(file->properties & FILE_NOWAIT)))
		return -EOPNOTSUPP;
	if (flags & RWF_APPEND && file->properties & FILE_SEEKS) {
		if (how == FILE_WRITE)
			how = FILE_APPEND;
		else if (how == FILE_PWRITE)
			how = FILE_PAPPEND;
	}
	/*
	 * With RWF_NOWAIT call the operation once, and do not wait in the file's queue. Files with FILE_NOWAIT that
	 * have a queue move all bytes in this one step.
	 */
	return flags & RWF_NOWAIT && file_queue(file) ? file_move(file, how, io, offset)
						      : file_transfer(file, how, io, offset);
}
