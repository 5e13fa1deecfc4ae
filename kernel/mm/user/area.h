/*
 * Areas (Linux's VMAs): which ranges of a user space exist, with which rights, and what their pages come from. One
 * sorted tree, in which each node knows the widest gap in its subtree, so that each search and each change takes
 * O(log n). Data only: allocates nothing, maps nothing, and takes no reference to an object.
 */
#pragma once

#include "kernel/lib/tree.h"
#include "paging/types.h"

struct memory_object;

/* The rights of an area, and the kind of an access. The numbers are those of mmap(2)'s PROT_. */
enum user_rights {
	USER_NONE = 0,
	USER_READ = 1,
	USER_WRITE = 2,
	USER_EXEC = 4, /* together with USER_WRITE: each page has one of the two at a time (user_prot) */
};

enum area_flags {
	AREA_SHARED = 1 << 0,      /* writes go to the object; without the flag, to private copies of its pages */
	AREA_GROWS_DOWN = 1 << 1,  /* a stack: a fault below the area extends it */
	AREA_TOUCHED = 1 << 2,     /* pages of the area may be mapped; without the flag no table need be looked at */
	AREA_SMALL = 1 << 3,       /* the area gets 4 KiB frames only */
	AREA_READ_ONLY = 1 << 4,   /* shared, of a file that is not open for writing: never gets USER_WRITE */
	AREA_WIPED = 1 << 5,       /* a forked child has zeros there */
	AREA_LEFT_OUT = 1 << 6,    /* a forked child does not have the area */
	AREA_WRITER = 1 << 7,      /* of a file that was open for writing: the area counts as one of its writers */
	AREA_NO_EXEC = 1 << 8,     /* of a file on a mount with noexec: never gets USER_EXEC */
	AREA_LOCKED = 1 << 9,      /* mlock(2): RLIMIT_MEMLOCK counts the area's pages */
	AREA_NOT_DUMPED = 1 << 10, /* core files leave the area's bytes out: MADV_DONTDUMP */
	AREA_POLICY = 0x3f << 16,  /* mbind(2)'s policy, as sys_numa.c packs it; 0: the task's. Has no effect */
};

#define AREA_POLICY_SHIFT 16

/* The flags that two neighbours must have in common to be one area. */
#define AREA_KIND                                                                                                 \
	(AREA_SHARED | AREA_GROWS_DOWN | AREA_SMALL | AREA_READ_ONLY | AREA_WIPED | AREA_LEFT_OUT | AREA_WRITER | \
	 AREA_NO_EXEC | AREA_LOCKED | AREA_NOT_DUMPED | AREA_POLICY)

/* A half-open range of pages. Guard: as for struct area_tree, below. */
struct area {
	struct tree_node node; /* the tree's; the first member, so that an area's address is its node's */
	vaddr_t start;
	vaddr_t end;
	unsigned rights;              /* enum user_rights */
	unsigned flags;               /* enum area_flags */
	struct memory_object *object; /* NULL: anonymous. An area in a space's tree has a reference to its object */
	uint64_t offset;              /* the object's page at `start`; 0 for anonymous memory */
	/*
	 * the area's space, and the area's place in the list of all areas that map its object; set only if it has an
	 * object. next_of_object also links areas in no tree (area_stock.c)
	 */
	struct user_space *space;
	struct area *next_of_object;
	struct area **link_of_object; /* the pointer that points at this area */
	/* the fields from here on are sums of the tree (area.c) */
	vaddr_t first; /* the subtree's lowest start */
	vaddr_t last;  /* the subtree's highest end */
	uint64_t gap;  /* bytes of the widest gap between two neighbours inside the subtree */
};

/* The areas of a space, in a tree sorted by address. Guard: as for struct user_space (user_space.h). */
struct area_tree {
	struct tree_node *root;
	size_t count;
};

/* Return the area that `va` lies in, or NULL. */
struct area *area_find(const struct area_tree *tree, vaddr_t va);

/* Return the lowest area that ends above `va`: the one that `va` lies in, or the next; NULL: there is none. */
struct area *area_find_from(const struct area_tree *tree, vaddr_t va);

/* Return the next area above or below; NULL when there is none. area_prev(tree, NULL) is the highest area. */
struct area *area_next(const struct area *area);
struct area *area_prev(const struct area_tree *tree, const struct area *area);

/* Put an area into the tree, or take it out. A new area must overlap none in the tree; neighbours are not merged. */
void area_insert(struct area_tree *tree, struct area *area);
void area_remove(struct area_tree *tree, struct area *area);

/* Move the area's borders in place, to where no other area is. Its offset follows `start` when it has an object. */
void area_resize(struct area *area, vaddr_t start, vaddr_t end);

/*
 * area_split: shorten `low` to end at `at`, which lies inside it, and put `high`, a copy of it, into the tree for what
 * is above. area_join: take `high`, which begins where `low` ends, out of the tree, and let `low` have its range. Both
 * leave the reference to the object to the caller, and need fewer steps than two calls of the functions above.
 */
void area_split(struct area_tree *tree, struct area *low, vaddr_t at, struct area *high);
void area_join(struct area_tree *tree, struct area *low, struct area *high);

/*
 * Find the highest gap of `size` bytes inside [low, high): *ret is where these bytes start, so that they end at the
 * gap's end.
 * Returns ERR_NOT_FOUND; *ret is untouched then.
 */
MUST_CHECK enum status area_gap_below(const struct area_tree *tree, uint64_t size, vaddr_t low, vaddr_t high,
				      vaddr_t *ret);

/*
 * Return whether the two could be one area: `high` begins where `low` ends, has the same rights, AREA_KIND flags and
 * object, and goes on in the object where `low` stops.
 */
bool area_continues(const struct area *low, const struct area *high);

/*
 * Copy a tree, in the same shape: `copy` returns a new node with the old one's range, rights, flags, object and offset,
 * or NULL. Returns false when `copy` returned NULL; *ret holds the nodes made so far then, fit only for area_drop_all.
 */
bool area_copy_all(const struct area_tree *tree, struct area *(*copy)(void *ctx, const struct area *area), void *ctx,
		   struct area_tree *ret);

/* Take the tree apart: `drop` gets each node once and may free it. The tree is empty then. */
void area_drop_all(struct area_tree *tree, void (*drop)(void *ctx, struct area *area), void *ctx);
