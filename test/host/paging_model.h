/*
 * What a space must hold, said plainly: a row of atoms. An atom is a stretch of addresses that operations
 * cover whole or not at all, so that one entry says everything about it, however large it is.
 */
#pragma once

#include "test/host/paging_walker.h"

struct atom {
	uint64_t va, size;
	bool mapped;
	uint64_t pa; /* of its first byte */
	int level;   /* of the leaves that map it */
	enum page_prot prot;
	bool large; /* so large that it is never mapped by 4 KiB leaves */
};

#define MODEL_ATOMS 256

/* Windows: runs of atoms without a gap, far from each other. */
struct window {
	size_t first, end; /* atoms */
	bool user;         /* in the lower half */
};

#define MODEL_WINDOWS 4

struct model {
	struct atom atoms[MODEL_ATOMS];
	size_t count;
	struct window windows[MODEL_WINDOWS];
	int max_leaf;
};

/* What an operation changed: the flush that it must have asked for. */
struct model_flush {
	uint64_t start, last;
	size_t leaves;
	bool global;
};

void model_init(struct model *m, int max_leaf);

/* The operations of space.h, on the atoms [first, end). */
enum status model_map(struct model *m, size_t first, size_t end, uint64_t pa, enum page_prot prot);
void model_unmap(struct model *m, size_t first, size_t end, struct model_flush *flush);
void model_protect(struct model *m, size_t first, size_t end, enum page_prot prot, struct model_flush *flush);
enum status model_split(struct model *m, size_t atom, int level, struct model_flush *flush);

/*
 * Whether the tables at `root`, in the shared arena, say of this atom what the model says, at both of its ends.
 * Prints what differs.
 */
bool model_agrees(const struct atom *a, uint64_t root);

/* Whether the tables say what the model says, of all atoms and all else; `w` lends its room. Prints what differs. */
bool model_agrees_fully(const struct model *m, uint64_t root, struct walked *w);
