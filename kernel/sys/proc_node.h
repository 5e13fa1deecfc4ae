/*
 * The nodes of the directories of processes and tasks. A node lives only while somebody holds it, and knows its process
 * or task by number and start time: when that has ended the node leads nowhere, even if another one has the number
 * since.
 */
#pragma once

#include "kernel/sys/proc.h"

/* A name in the directory of a process or a task. */
struct proc_file {
	unsigned number; /* part of the node's inode number */
	const char *name;
	uint32_t mode;
	const struct node_ops *ops;
	text_make_fn *make; /* of a regular file: its content; `take`: what is written to it, or NULL */
	text_take_fn *take;
	struct node *(*target)(const struct proc_subject *subject); /* of a link: the node it leads to, or NULL */
	bool process_only;                                          /* not in the directory of a task */
};

struct proc_node {
	struct node node; /* first */
	struct proc_node *chain;
	const struct proc_file *file;       /* the name that the node has; NULL: the directory of a process or a task */
	int pid;                            /* the process that it is about */
	int tid;                            /* 0: about the whole process */
	int fd;                             /* of a link in fd, the descriptor; else -1 */
	uint64_t process_start, task_start; /* start_ns of the process and the task: a number may be given again */
};

static inline struct proc_node *proc_node(struct node *node)
{
	return (struct proc_node *)node;
}

/*
 * Return the inode number of something in /proc: always the same one, so that listings and nodes agree. The fixed
 * tree's numbers are smaller than all of these.
 */
uint64_t proc_number(int pid, int tid, const struct proc_file *file, int fd);

/*
 * Get the node for `wanted` in the directory `dir`, held: the one that exists, or a new one with `ops`. Of `wanted`
 * only the fields count that say what it is about. -ENOMEM.
 */
int proc_node_get(struct node *dir, const struct proc_node *wanted, const struct node_ops *ops, uint32_t mode,
		  struct node **ret);

/* Functions for node_ops: free such a node; tell its place; refuse to make anything in its directory (-ENOENT). */
void proc_node_free(struct node *node);
int proc_place(struct node *node, struct node_place *ret);
int proc_refuse_create(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct name target,
		       struct node **ret);

/* Return the number that a name is, as the kernel writes numbers, or -1. */
int proc_number_in(struct name name);

/* Return the name of a number: good until the next call. */
struct name proc_number_name(int number);

/* The directory fd: links to what the descriptors lead to (proc_fd.c). */
extern const struct node_ops proc_fds_ops;

/* Links of processes and tasks, and where they lead (proc_fd.c). */
extern const struct node_ops proc_link_ops;
