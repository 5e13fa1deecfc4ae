/*
 * The names in a tmpfs directory: found by a hash, listed in the order in which they came.
 */
#pragma once

#include "kernel/fs/node.h"

struct directory_entry {
	struct directory_entry *chain;      /* next with the same hash bucket */
	struct directory_entry *next;       /* in the order of positions */
	struct directory_entry **link;      /* what points at this one in that order */
	struct node *node;                  /* its names hold it, once for all of them */
	struct node *dir;                   /* that this is a name in: it stays as long as it has names */
	struct directory_entry *next_name;  /* of the same node */
	struct directory_entry **name_link; /* what points at this one among those */
	uint64_t position;                  /* never used again in this directory */
	uint32_t hash;
	uint16_t size; /* bytes of text */
	char text[];
};

/* All zeros: empty. */
struct directory {
	struct directory_entry **buckets; /* bucket_count of them, a power of two; NULL: not yet */
	struct directory_entry *first;
	struct directory_entry **end;        /* where the next entry is linked in; NULL: at `first` */
	struct directory_entry *last_listed; /* where a listing is likely to go on; NULL: unknown */
	uint32_t bucket_count;
	uint32_t count;
	uint64_t last_position;
};

/* Positions 0 and 1 are those of "." and "..". */
#define DIRECTORY_FIRST 2

/* The entry `name`, or NULL. */
struct directory_entry *directory_find(const struct directory *dir, struct name name);

/* An entry that is in no directory yet, and of no node; NULL: no memory. */
struct directory_entry *directory_entry_create(struct name name);

/* Make room for one more. -ENOMEM. */
int directory_reserve(struct directory *dir);

/* Put it in; there is room (directory_reserve) and no such name. */
void directory_add(struct directory *dir, struct directory_entry *entry);

/* Take it out: it is the caller's to kfree. */
void directory_remove(struct directory *dir, struct directory_entry *entry);

/* The first entry at or beyond `position`, or NULL. */
struct directory_entry *directory_at(struct directory *dir, uint64_t position);

/* Give the buckets of an empty directory back. */
void directory_free(struct directory *dir);
