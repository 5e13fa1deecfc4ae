/*
 * Makes /proc/PID/fd, the open files of a process as symbolic links, and /proc/PID/fdinfo, a file for each of them; and
 * follows these links, and cwd, root and exe.
 */
#include "kernel/fs/path.h"
#include "kernel/fs/place.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/proc_node.h"
#include "kernel/task/rights.h"

/* Return a reference to the file of the process's descriptor `fd`; NULL when there is none. */
static struct file *file_at(const struct proc_subject *subject, int fd)
{
	HELD_FDS struct fd_table *fds = process_get_fds(subject->process);

	return fds ? fd_file_get(fds, fd) : NULL;
}

/* Return whether a directory is fdinfo, whose entries are files with a text; the entries of fd are links. */
static bool has_texts(const struct proc_node *dir)
{
	return dir->file->make != NULL;
}

static int lookup_fd(struct node *dir, struct name name, struct node **ret)
{
	struct proc_node wanted = *proc_node(dir);
	HELD_SUBJECT struct proc_subject subject = { 0 };
	HELD_FILE struct file *file = NULL;
	uint32_t mode = S_IFLNK;

	wanted.fd = proc_number_in(name);
	if (wanted.fd < 0 || proc_find_subject(dir, &subject) != 0)
		return -ENOENT;
	file = file_at(&subject, wanted.fd);
	if (!file)
		return -ENOENT;
	if (has_texts(proc_node(dir)))
		return rights_may_look(subject.process)
			       ? proc_node_get(dir, &wanted, &proc_text_ops, S_IFREG | 0444, ret)
			       : -EACCES;
	mode |= file_reads(file) ? 0500 : 0;
	mode |= file_writes(file) ? 0300 : 0;
	return proc_node_get(dir, &wanted, &proc_link_ops, mode, ret);
}

static int next_fd(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	const struct proc_node *about = proc_node(dir);
	unsigned fd = *position > 2 ? (unsigned)(*position - 2) : 0;
	HELD_PROCESS struct process *process = proc_find_process(dir);
	HELD_FDS struct fd_table *fds = NULL;

	if (!process)
		return -ENOENT;
	if (has_texts(about) && !rights_may_look(process))
		return -EACCES;
	fds = process_get_fds(process);
	while (fds && fd < fds->capacity && !fds->files[fd])
		fd++;
	if (!fds || fd >= fds->capacity)
		return 0;
	*ret = (struct dir_entry){ proc_number_name((int)fd), proc_number(about->pid, about->tid, about->file, (int)fd),
				   has_texts(about) ? S_IFREG : S_IFLNK };
	*position = (uint64_t)fd + 3;
	return 1;
}

/* Permit a program its own directory fd even if the directory is root's, as that of a set-user-ID program is. */
static int permit(const struct node *node, unsigned access)
{
	(void)access;
	return proc_node((struct node *)node)->pid == process_current()->pid ? 0 : -EACCES;
}

const struct node_ops proc_fds_ops = { .lookup = lookup_fd,
				       .next = next_fd,
				       .create = proc_refuse_create,
				       .permit = permit,
				       .place = proc_place,
				       .fixed = proc_fixed,
				       .free = proc_node_free };

const struct node_ops proc_fdinfos_ops = { .lookup = lookup_fd,
					   .next = next_fd,
					   .create = proc_refuse_create,
					   .place = proc_place,
					   .fixed = proc_fixed,
					   .free = proc_node_free };

/* Find the place that a link leads to; the caller drops the references in *ret. Returns 0, -ENOENT, -EACCES. */
static int follow(struct node *node, struct place *ret)
{
	const struct proc_node *link = proc_node(node);
	HELD_FILE struct file *file = NULL;
	HELD_SUBJECT struct proc_subject subject = { 0 };
	struct place target = { NULL, NULL };

	if (proc_find_subject(node, &subject) != 0)
		return -ENOENT;
	if (!rights_may_look(subject.process))
		return -EACCES;
	if (link->fd < 0)
		target = link->file->target(&subject);
	else if ((file = file_at(&subject, link->fd)))
		target = (struct place){ file->mount, file->node };
	if (!target.node)
		return -ENOENT;
	*ret = place_get(target);
	return 0;
}

static int readlink(struct node *node, struct link_target *ret)
{
	char *path = kmalloc(PATH_MAX);
	struct place target;
	size_t size = 0;
	int error = path ? follow(node, &target) : -ENOMEM;

	if (!error) {
		error = path_of_place(&process_current()->paths.root, target, path, PATH_MAX, &size);
		place_put(target);
	}
	if (error) {
		kfree(path);
		return error == -ERANGE ? -ENAMETOOLONG : error;
	}
	*ret = (struct link_target){ { path, size - 1 }, path };
	return 0;
}

const struct node_ops proc_link_ops = {
	.readlink = readlink, .follow = follow, .place = proc_place, .fixed = proc_fixed, .free = proc_node_free
};
