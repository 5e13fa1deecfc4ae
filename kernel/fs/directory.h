/*
 * The names in a tmpfs directory: found by a hash, listed in the order in which they were added. Guard: the kernel, one
 * CPU, not preempted.
 */
#pragma once

#include "kernel/fs/node.h"

/* Guard: the kernel, one CPU, not preempted. */
struct directory_entry {
	struct directory_entry *chain;      /* next in the same hash bucket */
	struct directory_entry *next;       /* next in the order of positions */
	struct directory_entry **link;      /* the pointer that points at this entry in that order */
	struct node *node;                  /* held by its names, once for all of them */
	struct node *dir;                   /* the directory that this is a name in; there as long as it has names */
	struct directory_entry *next_name;  /* the next name of the same node */
	struct directory_entry **name_link; /* the pointer that points at this entry in the list of the node's names */
	uint64_t position;                  /* for listing; never used again in this directory */
	uint32_t hash;
	uint16_t size; /* bytes of text */
	char text[];
};

/* A directory's names. All zeros: empty. Guard: the kernel, one CPU, not preempted. */
struct directory {
	struct directory_entry **buckets; /* bucket_count pointers, a power of two; NULL: none yet */
	struct directory_entry *first;
	struct directory_entry **end;        /* the pointer where the next entry is linked in; NULL: `first` */
	struct directory_entry *last_listed; /* the entry where a listing is likely to go on; NULL: unknown */
	uint32_t bucket_count;
	uint32_t count;
	uint64_t last_position;
};

/* The first entry's position: 0 and 1 are those of "." and "..". */
#define DIRECTORY_FIRST 2

/* Return the entry of a name, or NULL. */
struct directory_entry *directory_find(const struct directory *dir, struct name name);

/* Make an entry that is in no directory yet, and of no node. NULL: no memory. */
struct directory_entry *directory_entry_create(struct name name);

/* Make room for one more entry. Returns 0 or -ENOMEM. */
int directory_reserve(struct directory *dir);

/* Add an entry; room has been made (directory_reserve), and no entry has this name. */
void directory_add(struct directory *dir, struct directory_entry *entry);

/* Take an entry out of its directory; the caller frees it, by kfree. */
void directory_remove(struct directory *dir, struct directory_entry *entry);

/* Return the first entry at or beyond `position`, or NULL. */
struct directory_entry *directory_at(struct directory *dir, uint64_t position);

/* Free the buckets of an empty directory. */
void directory_free(struct directory *dir);
