/*
 * System calls on files that need no kernel lock where there are several CPUs: open calls (docs/locking.md). Each works
 * in an open section on the process's descriptor table, if no other task can use that, and returns SYSCALL_NEEDS_LOCK,
 * with nothing changed, in every case that is not the usual one: the call is then made with the lock.
 */
#include "kernel/arch/irq_guard.h"
#include "kernel/fs/access_time.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/open_objects.h"
#include "kernel/fs/open_walk.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/least.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/mm/user/user_open.h"
#include "kernel/sys/poll_wait.h"
#include "kernel/sys/user_args.h"

#define OPEN_ENTRIES 4     /* most entries of poll(2) that are asked in one section */
#define OPEN_BYTES   32768 /* most bytes that are read in one section, since interrupts are off meanwhile */

/*
 * Begin a section on the descriptor table of the current process. Returns the table; or NULL, with no section begun, if
 * another task may use the table. This stays so until end() is called: only the current task could make another task of
 * its process, and process_get_fds() waits for the end of the section.
 */
static inline struct fd_table *begin(void)
{
	const struct process *process = process_current();
	struct fd_table *fds = process->fds;

	irq_close();
	if (likely(open_section_begin(fds))) {
		if (likely(__atomic_load_n(&process->task_count, __ATOMIC_ACQUIRE) == 1 &&
			   __atomic_load_n(&fds->refs, __ATOMIC_ACQUIRE) == 1))
			return fds;
		open_section_end();
	}
	irq_open();
	return NULL;
}

static inline void end(void)
{
	open_section_end();
	irq_open();
}

/*
 * Return whether nobody but the current task can use `file`, of a table for which begin() has returned. An epoll file
 * that watches `file` has no reference to it, so `watches` is tested, too.
 */
static inline bool is_own(const struct file *file)
{
	return file->refs == 1 && !file->watches;
}

/*
 * Do FILE_READ or FILE_PREAD on a file with FILE_OPEN_READS, in a section on the descriptor table. Returns how many
 * bytes; or SYSCALL_NEEDS_LOCK, as where a copy would need a page fault. Then only bytes of the user's memory may have
 * changed, which the system call writes again when it is made with the lock.
 */
static int64_t read_content(struct file *file, uint64_t base, uint64_t size, enum file_move how, uint64_t offset)
{
	struct user_space *space = process_current()->space;
	const uint64_t at = how == FILE_READ ? file->offset : offset;
	struct user_io io;
	uint64_t there;
	int64_t moved;

	if (!open_section_enter(&file->node->gate))
		return SYSCALL_NEEDS_LOCK;
	open_section_add(space);
	if (unlikely(!user_space_is_alone(space)))
		return SYSCALL_NEEDS_LOCK;
	there = at < file->node->size ? least(file->node->size - at, size) : 0;
	user_io_init(&io, space, base, size);
	moved = file_move(file, how, &io, offset);
	if (likely(moved == (int64_t)there))
		return moved;
	if (how == FILE_READ)
		file->offset = at;
	return SYSCALL_NEEDS_LOCK;
}

static int64_t read_open(uint64_t fd, uint64_t base, uint64_t size, enum file_move how, uint64_t offset)
{
	const struct fd_table *fds = size <= OPEN_BYTES ? begin() : NULL;
	int64_t result = SYSCALL_NEEDS_LOCK;
	struct file *file;

	if (!fds)
		return SYSCALL_NEEDS_LOCK;
	file = fd_file_peek(fds, (int)fd);
	if (likely(file) && file->properties & FILE_OPEN_READS && (how == FILE_PREAD || is_own(file)) &&
	    !notify_is_wanted(file->node) && !access_time_is_due(file))
		result = read_content(file, base, size, how, offset);
	end();
	return result;
}

int64_t open_read(uint64_t fd, uint64_t base, uint64_t size, uint64_t d, uint64_t e, uint64_t f)
{
	(void)d, (void)e, (void)f;
	return read_open(fd, base, size, FILE_READ, 0);
}

int64_t open_pread64(uint64_t fd, uint64_t base, uint64_t size, uint64_t offset, uint64_t e, uint64_t f)
{
	(void)e, (void)f;
	return read_open(fd, base, size, FILE_PREAD, offset);
}

int64_t open_lseek(uint64_t fd, uint64_t offset, uint64_t whence, uint64_t d, uint64_t e, uint64_t f)
{
	const struct fd_table *fds = begin();
	int64_t result = SYSCALL_NEEDS_LOCK;
	struct file *file;

	(void)d, (void)e, (void)f;
	if (!fds)
		return SYSCALL_NEEDS_LOCK;
	file = fd_file_peek(fds, (int)fd);
	/* SEEK_DATA and SEEK_HOLE need the lock, as they look at the content's pages. */
	if (file && file->properties & FILE_OPEN_READS && is_own(file) && (int)whence <= SEEK_END && (int)whence >= 0)
		result = file_seek_place(file, &file->offset, (int64_t)offset, (int)whence);
	end();
	return result;
}

/* ---- open and close ---- */

#define PATH_BYTES 128 /* longest path that is opened here, with its NUL: it lies on the stack */

/* The flags of open(2) with which files are opened here: for reading, and without making or emptying them. */
#define FLAGS (O_RDONLY | O_NOCTTY | O_NONBLOCK | O_LARGEFILE | O_NOFOLLOW | O_CLOEXEC)

/*
 * Return whether a node is of the kind that is opened here: a regular file of a tmpfs that nobody watches. Call in a
 * section that has entered `node_names`.
 */
static inline bool is_plain(const struct node *node)
{
	return node_is(node, S_IFREG) && tmpfs_is(node) && !notify_is_wanted(node);
}

static int64_t open_path(struct fd_table *fds, const char *path, uint64_t flags)
{
	const struct process_paths *paths = &process_current()->paths;
	struct path_base base = { .who = rights_current() };
	struct place place;
	int fd;

	if (!fds->spares || !fd_is_easy(fds, 0) || !open_section_enter(&node_names))
		return SYSCALL_NEEDS_LOCK;
	/* Read the two places only in the section: before it pivot_root(2) of another process may change them. */
	base.root = paths->root;
	base.start = paths->cwd;
	if (!open_walk(&base, path, &place) || !is_plain(place.node) ||
	    node_permit_open(place.node, base.who, (unsigned)flags) != 0)
		return SYSCALL_NEEDS_LOCK;
	/*
	 * fd_install() enters the spare file before that is open, which nobody sees, as no other task uses the table.
	 * If the limit allows no descriptor the file stays a spare.
	 */
	fd = fd_install(fds, fds->spare, 0, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
	if (fd < 0)
		return SYSCALL_NEEDS_LOCK;
	file_open_in(fd_take_spare(fds), &place, (unsigned)flags);
	return fd;
}

static int64_t open_file(uint64_t from, uint64_t flags)
{
	char path[PATH_BYTES];
	int64_t result = SYSCALL_NEEDS_LOCK;
	struct fd_table *fds;
	size_t length;

	if (flags & ~(uint64_t)FLAGS || strncpy_from_user(path, user_pointer(from), sizeof(path), &length) != OK)
		return SYSCALL_NEEDS_LOCK;
	fds = begin();
	if (fds) {
		result = open_path(fds, path, flags);
		end();
	}
	return result;
}

int64_t open_open(uint64_t path, uint64_t flags, uint64_t mode, uint64_t d, uint64_t e, uint64_t f)
{
	(void)mode, (void)d, (void)e, (void)f;
	return open_file(path, flags);
}

int64_t open_openat(uint64_t fd, uint64_t path, uint64_t flags, uint64_t mode, uint64_t e, uint64_t f)
{
	(void)mode, (void)e, (void)f;
	return (int)fd == AT_FDCWD ? open_file(path, flags) : SYSCALL_NEEDS_LOCK;
}

/*
 * Close a descriptor whose file is of the kind that open_path() opens, in a section on the table `fds`. A file that was
 * open for writing or has locks is left to the call with the lock, since its close changes the node. Locks that this
 * close would end can only have been set by the current task, which therefore sees them without the lock.
 */
static int64_t close_file(struct fd_table *fds, unsigned fd)
{
	struct file *file = fd_file_peek(fds, (int)fd);

	if (!file || !(file->properties & FILE_OPEN_READS) || file->properties & FILE_WRITER || !is_own(file) ||
	    fds->spares == FD_SPARES)
		return SYSCALL_NEEDS_LOCK;
	if (!open_section_enter(&node_names) || __atomic_load_n(&file->node->locks, __ATOMIC_RELAXED) ||
	    notify_is_wanted(file->node) || !mount_is_kept(file->mount) || !node_put_open(file->node))
		return SYSCALL_NEEDS_LOCK;
	mount_put(file->mount);
	fd_close_open(fds, fd);
	return 0;
}

int64_t open_close(uint64_t fd, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct fd_table *fds = begin();
	int64_t result;

	(void)b, (void)c, (void)d, (void)e, (void)f;
	if (!fds)
		return SYSCALL_NEEDS_LOCK;
	result = close_file(fds, (unsigned)fd);
	end();
	return result;
}

/* ---- poll ---- */

/* Set `revents` of an entry. Returns false if that needs the lock. */
static inline bool poll_entry(const struct fd_table *fds, struct linux_pollfd *entry)
{
	struct file *file;

	entry->revents = 0;
	if (entry->fd < 0)
		return true;
	file = fd_file_peek(fds, entry->fd);
	if (!file || !(file->properties & FILE_OPEN_POLLS) || !open_section_enter(&file->node->gate))
		return false;
	entry->revents = (int16_t)(file_poll(file) & ((uint16_t)entry->events | POLLERR | POLLHUP));
	return true;
}

/* Ask the files of the entries. Returns how many have events, or SYSCALL_NEEDS_LOCK. */
static int64_t poll_entries(struct linux_pollfd *entries, size_t count)
{
	const struct fd_table *fds = begin();
	int64_t found = 0;
	bool done = true;

	if (!fds)
		return SYSCALL_NEEDS_LOCK;
	for (size_t i = 0; i < count && done; i++) {
		done = poll_entry(fds, &entries[i]);
		found += entries[i].revents != 0;
	}
	end();
	return done ? found : SYSCALL_NEEDS_LOCK;
}

/*
 * Do poll(2) if it need not wait. A call that must wait is made with the lock, and so is one whose results cannot be
 * written here: made again, it may have to wait.
 */
int64_t open_poll(uint64_t at, uint64_t count, uint64_t timeout_ms, uint64_t d, uint64_t e, uint64_t f)
{
	struct linux_pollfd entries[OPEN_ENTRIES];
	int64_t found;

	(void)d, (void)e, (void)f;
	if (!(uint32_t)count || (uint32_t)count > OPEN_ENTRIES ||
	    (uint32_t)count > process_current()->most_descriptors ||
	    args_get(entries, at, (uint32_t)count * sizeof(entries[0])) != 0)
		return SYSCALL_NEEDS_LOCK;
	found = poll_entries(entries, (uint32_t)count);
	if (found == SYSCALL_NEEDS_LOCK || (!found && (int)timeout_ms) ||
	    args_put(at, entries, (uint32_t)count * sizeof(entries[0])) != 0)
		return SYSCALL_NEEDS_LOCK;
	return found;
}
