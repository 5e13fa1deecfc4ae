/*
 * A walk along a path, name by name: the steps from which path.c makes its functions.
 */
#pragma once

#include "kernel/fs/path.h"

struct walk {
	struct place root;             /* the caller's path_base.root */
	struct place dir;              /* the directory that the walk has reached; held */
	bool (*pause)(void);           /* the caller's path_base.pause */
	const struct credentials *who; /* the caller's path_base.who */
	const char *rest;              /* the part of the path that is not walked yet */
	char *text;       /* the heap block that `rest` points into; NULL: `rest` points into the caller's path */
	unsigned links;   /* how many links were followed so far */
	struct name name; /* the name that was taken from the path last; "." for a path of slashes only */
	bool slash;       /* one or more slashes follow `name` */
	unsigned resolve; /* RESOLVE_…: what the walk must not do */
	uint64_t moves;   /* for a walk that must stay below `root`: the value of node_moves when the walk began */
};

/* Start a walk. Returns 0, or -ENOENT (""), -ENAMETOOLONG: then walk_end() must not be called. */
int walk_start(struct walk *walk, const struct path_base *base, const char *path);

/*
 * Restrict a walk that walk_start() has just started, as openat2(2)'s `resolve` says. Returns 0, or -EXDEV: the path
 * may not be absolute; then the caller calls walk_end().
 */
int walk_restrict(struct walk *walk, const struct path_base *base, unsigned resolve);

/*
 * Walk to the last name, following all links on the way. Returns 0, -ENOENT, -ENOTDIR, -ELOOP, -EACCES, -ENAMETOOLONG,
 * -ENOMEM.
 */
int walk_to_end(struct walk *walk);

/*
 * Find the place that the last name stands for. *ret and the result are as place_lookup's; also -EXDEV; -EAGAIN:
 * with RESOLVE_BENEATH or RESOLVE_IN_ROOT "..", after something was moved while the walk paused; -EINTR: the task must
 * end (walk->pause).
 */
int walk_look(struct walk *walk, struct place *ret);

/*
 * Follow the symbolic link `link`, the node of walk->name, and drop the caller's reference to `link`. Returns 0 with
 * ret->node NULL: the walk goes on with the link's target, by walk_to_end(). Or 0 with *ret held: the place that the
 * link leads to without a path (node_ops.follow). Or -ELOOP, -ENOENT, -ENAMETOOLONG, -ENOMEM, or -EINTR: the
 * task must end (walk->pause).
 */
int walk_follow(struct walk *walk, struct node *link, struct place *ret);

/*
 * Do walk_follow() for the last name of the path; also returns -EACCES, for a link that node_permit_follow() refuses.
 */
int walk_follow_last(struct walk *walk, struct node *link, struct place *ret);

/* Free what the walk has, whether it was successful or not. */
void walk_end(struct walk *walk);
