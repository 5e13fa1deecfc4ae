/*
 * The nodes (inodes) in the directories of processes and tasks. A node exists only while there is a reference to it. It
 * names its process or task by number and start time, without a reference: the start time tells the process or task
 * from a later one with the same number.
 */
#pragma once

#include "kernel/sys/proc.h"

/* A name in the directory of a process or a task. */
struct proc_file {
	unsigned number; /* a part of the node's inode number */
	struct name name;
	uint32_t mode;
	const struct node_ops *ops;
	text_make_fn *make; /* for a regular file: generates the content; or NULL */
	text_more_fn *more; /* for a regular file without `make`: generates the content by records */
	text_take_fn *take; /* for a regular file: handles writes; NULL: it cannot be written */
	/* for a link: returns the place that the link leads to, without references; or a place without a node */
	struct place (*target)(const struct proc_subject *subject);
	bool process_only; /* the file is not in the directory of a task */
	bool guarded;      /* only a task that may look into the process can open the file (rights_may_look) */
};

/*
 * proc_file.number of net/unix: above all numbers of other files of /proc/PID, as the number is a part of the inode's.
 */
#define PROC_FILE_NET_UNIX 64

struct proc_node {
	struct node node;             /* must be the first member: node_ops get a pointer to it */
	struct proc_node *chain;      /* next in the same list of the hash table */
	const struct proc_file *file; /* the node's name; NULL: the directory of a process or a task */
	int pid;                      /* the process's pid */
	int tid;                      /* the task's tid; 0: the node is about the whole process */
	int fd;                       /* for what is in fd and fdinfo: the descriptor; -1 for others */
	/* start_ns of the process and the task, since pids and tids are used again */
	uint64_t process_start, task_start;
};

static inline struct proc_node *proc_node(struct node *node)
{
	return (struct proc_node *)node;
}

/*
 * Return the inode number of a file below /proc/PID, computed from its names alone, so that a listing, which makes no
 * node, shows the same number as the node. Files of the fixed part of /proc have smaller numbers.
 */
uint64_t proc_number(int pid, int tid, const struct proc_file *file, int fd);

/*
 * Get the node with wanted's fields (all but `node` and `chain`) in the directory `dir`: the existing one, or a new one
 * with `ops` and `mode`. The node's owner is the process's user, or root when others may not look into the process.
 * *ret is a new reference. Returns 0 or -ENOMEM.
 */
int proc_node_get(struct node *dir, const struct proc_node *wanted, const struct node_ops *ops, uint32_t mode,
		  struct node **ret);

/*
 * Functions for node_ops. proc_node_free() frees a node. proc_place() gets its directory and name. proc_fixed() tells
 * that nobody can change the node's permissions, nor any attribute of the directory of a process or a task.
 * proc_refuse_create() refuses to make anything in a directory (-ENOENT).
 */
void proc_node_free(struct node *node);
int proc_place(struct node *node, struct node_place *ret);
unsigned proc_fixed(const struct node *node);
int proc_refuse_create(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct name target,
		       struct node **ret);

/* Return the value of `name` as a decimal number without leading zeros; -1 if it is not such a number. */
int proc_number_in(struct name name);

/* Return the name that is this number in decimal; it is valid until the next call. */
struct name proc_number_name(int number);

/*
 * Return a reference to the process whose directory /proc/PID is open as `file`; NULL: it is another file, or the
 * process has ended.
 */
struct process *proc_directory_process(const struct file *file);

/* The operations of the directories /proc/PID/fd and /proc/PID/fdinfo (proc_fd.c). */
extern const struct node_ops proc_fds_ops, proc_fdinfos_ops;

/* The operations of regular files: the text that the file's `make` or `more` generates (proc_pid.c). */
extern const struct node_ops proc_text_ops;

/* The operations of the directory net (proc_net.c). */
extern const struct node_ops proc_net_ops;

/* The operations of the files mem and pagemap (proc_mem.c). */
extern const struct node_ops proc_mem_ops, proc_pagemap_ops;

/* The operations of symbolic links: those in fd, and cwd, root, exe (proc_fd.c). */
extern const struct node_ops proc_link_ops;
