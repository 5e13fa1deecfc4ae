/*
 * Makes /proc/PID/personality, and the text of the files in /proc/PID/fdinfo.
 */
#include "kernel/fs/fd.h"
#include "kernel/fs/mount.h"
#include "kernel/sys/proc_node.h"
#include "kernel/task/rights.h"

int proc_make_personality(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	if (error)
		return error;
	/* After the file was opened the process may have executed a program that the reader may not look into. */
	if (!rights_may_look(subject.process))
		return -EPERM;
	text_add_hex(ret, subject.task ? subject.task->personality : 0, 8);
	text_add_char(ret, '\n');
	return 0;
}

int proc_make_fdinfo(struct node *node, struct text *ret)
{
	const int fd = proc_node(node)->fd;
	HELD_SUBJECT struct proc_subject subject = { 0 };
	HELD_FDS struct fd_table *fds = NULL;
	HELD_FILE struct file *file = NULL;
	int error = proc_find_subject(node, &subject);

	if (error)
		return error;
	if (!rights_may_look(subject.process))
		return -EACCES;
	fds = process_get_fds(subject.process);
	file = fds ? fd_file_get(fds, fd) : NULL;
	if (!file)
		return -ENOENT;
	text_add_line(ret, "pos:\t", file->offset);
	text_add(ret, "flags:\t0%o\n", file->flags | (fd_flags(fds, fd) > 0 ? O_CLOEXEC : 0));
	text_add_line(ret, "mnt_id:\t", mount_number_of(file->mount));
	text_add_line(ret, "ino:\t", file->node->number);
	if (file->ops->info)
		file->ops->info(file, ret);
	return 0;
}
