/*
 * The nodes of the directories of processes and tasks. They live only while somebody holds them, and know whom they are
 * about by number and start time: when that one has ended they lead nowhere, even if another has got the number since.
 */
#pragma once

#include "kernel/sys/proc.h"

/* One name in such a directory. */
struct proc_file {
	unsigned number; /* which of them: part of its node's number */
	const char *name;
	uint32_t mode;
	const struct node_ops *ops;
	text_make_fn *make; /* of a file */
	text_take_fn *take;
	struct node *(*target)(const struct proc_subject *subject); /* of a link; NULL: there is none */
	bool process_only;                                          /* not below task */
};

struct proc_node {
	struct node node; /* first */
	struct proc_node *chain;
	const struct proc_file *file; /* NULL: the directory of a process or a task */
	int pid;
	int tid; /* 0: about the whole process */
	int fd;  /* of a link in fd; else -1 */
	uint64_t process_start, task_start;
};

static inline struct proc_node *proc_node(struct node *node)
{
	return (struct proc_node *)node;
}

/*
 * Return the inode number of something in /proc: always the same one, so that listings and nodes agree. The numbers of
 * the fixed tree are small.
 */
uint64_t proc_number(int pid, int tid, const struct proc_file *file, int fd);

/*
 * The node for `wanted`, of which only what says whom it is about counts, in the directory `dir`; held. The one that there is, or
 * a new one with `ops`. -ENOMEM.
 */
int proc_node_get(struct node *dir, const struct proc_node *wanted, const struct node_ops *ops, uint32_t mode,
		  struct node **ret);

/* For node_ops: the end of such a node; its name; and that nothing can be made in its directory. */
void proc_node_free(struct node *node);
int proc_place(struct node *node, struct node_place *ret);
int proc_refuse_create(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct name target,
		       struct node **ret);

/* A name that is a number as the kernel writes it, or -1. */
int proc_number_in(struct name name);

/* The name of a number: good until the next call. */
struct name proc_number_name(int number);

/* In fd: links to what the descriptors lead to (proc_fd.c). */
extern const struct node_ops proc_fds_ops;

/* Of links: where they lead (proc_fd.c). */
extern const struct node_ops proc_link_ops;
