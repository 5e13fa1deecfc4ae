/*
 * The names in a tmpfs directory: found by a hash, listed in the order in which they were added. Guard: tasks only,
 * which the kernel does not preempt.
 */
#pragma once

#include "kernel/fs/node.h"

/* One name in a directory. Guard: tasks only, which the kernel does not preempt. */
struct directory_entry {
	struct directory_entry *chain; /* next in the same hash bucket */
	struct directory_entry *next;  /* next in the order of positions */
	/* the pointer to this entry: `next` of the entry before, or the directory's `first` */
	struct directory_entry **link;
	struct node *node;                  /* the node of this name; all names of a node together hold one reference */
	struct node *dir;                   /* the directory of this name; not freed as long as it has names */
	struct directory_entry *next_name;  /* the next name of the same node */
	struct directory_entry **name_link; /* the pointer that points at this entry in the list of the node's names */
	uint64_t position;                  /* place in listings; no other entry of the directory ever gets it */
	uint32_t hash;
	uint16_t size; /* bytes of text */
	char text[];
};

/* A directory's names; an empty one is all zeros. Guard: tasks only, which the kernel does not preempt. */
struct directory {
	struct directory_entry **buckets; /* bucket_count pointers, a power of two; NULL: none yet */
	struct directory_entry *first;
	struct directory_entry **end; /* the pointer to set when an entry is added; NULL: `first` is that pointer */
	struct directory_entry *last_listed; /* the entry where a listing is likely to go on; NULL: unknown */
	/*
	 * An index by which a listing finds where it goes on: the positions are cut into blocks of DIRECTORY_BLOCK, and
	 * `blocks` has the first entry of each block that has one, by the block's number. Block 0 is not in
	 * `blocks`, since it begins at `first`. NULL: no other block has entries.
	 */
	struct radix *blocks;
	uint32_t bucket_count;
	uint32_t count;         /* number of entries */
	uint64_t last_position; /* the position that was given to an entry last */
};

/* Positions in a block: to find where a listing goes on, at most this many entries are passed over. */
#define DIRECTORY_BLOCK 64

/* The first entry's position: "." and ".." have 0 and 1. */
#define DIRECTORY_FIRST 2

/* Return the entry of a name, or NULL. */
struct directory_entry *directory_find(const struct directory *dir, struct name name);

/* Allocate an entry that has no directory and no node yet. Returns NULL without memory. */
struct directory_entry *directory_entry_create(struct name name);

/* Make room for one more entry. A directory_remove() before the directory_add() may undo that. Returns 0 or -ENOMEM. */
int directory_reserve(struct directory *dir);

/* Add an entry. Call directory_reserve() before; the directory must not have the name. */
void directory_add(struct directory *dir, struct directory_entry *entry);

/* Take an entry out of its directory; the caller frees it, by kfree. */
void directory_remove(struct directory *dir, struct directory_entry *entry);

/* Return the first entry at or beyond `position`, or NULL. */
struct directory_entry *directory_at(struct directory *dir, uint64_t position);

/* Free what a directory without entries still has in the heap. */
void directory_free(struct directory *dir);
