/*
 * The model of paging_model.h. Slow and simple: it looks at every atom an operation covers, and knows of
 * tables only that a leaf is the largest that fits when it is mapped and is cut in 512 when it must be.
 */
#include "test/host/paging_model.h"

#include <stdio.h>

#include "test/host/paging_expect.h"

static const uint64_t sizes[] = { 0, K4, M2, G1 };

/* The pages of a 2 MiB block that is cut fine, and the parts of a gigabyte; 0 is a block cut fine. */
static const uint16_t fine[] = { 1, 1, 1, 250, 1, 255, 1, 1, 1 };
static const uint16_t gigabyte[] = { 0, 0, 1, 506, 1, 0, 1 };

static void add_atom(struct model *m, uint64_t *va, uint64_t size, bool large)
{
	m->atoms[m->count++] = (struct atom){ .va = *va, .size = size, .large = large };
	*va += size;
}

static void add_gigabyte(struct model *m, uint64_t va)
{
	for (size_t i = 0; i < sizeof(gigabyte) / sizeof(gigabyte[0]); i++)
		if (gigabyte[i])
			add_atom(m, &va, gigabyte[i] * M2, gigabyte[i] > 1);
		else
			for (size_t k = 0; k < sizeof(fine) / sizeof(fine[0]); k++)
				add_atom(m, &va, fine[k] * K4, false);
}

void model_init(struct model *m, int max_leaf)
{
	/* Over a boundary of PML4 slots, and at the ends of both halves. */
	static const struct {
		uint64_t va;
		int gigabytes;
	} places[MODEL_WINDOWS] = { { 511 * G1, 2 }, { (1ULL << 47) - G1, 1 }, { -(1ULL << 47), 2 }, { -2 * G1, 2 } };

	*m = (struct model){ .max_leaf = max_leaf };
	for (int i = 0; i < MODEL_WINDOWS; i++) {
		m->windows[i].first = m->count;
		m->windows[i].user = !(places[i].va >> 63);
		for (int k = 0; k < places[i].gigabytes; k++)
			add_gigabyte(m, places[i].va + (uint64_t)k * G1);
		m->windows[i].end = m->count;
	}
}

static uint64_t last_of(const struct model *m, size_t end)
{
	return m->atoms[end - 1].va + m->atoms[end - 1].size - 1;
}

enum status model_map(struct model *m, size_t first, size_t end, uint64_t pa, enum page_prot prot)
{
	uint64_t va = m->atoms[first].va, last = last_of(m, end);

	for (size_t i = first; i < end; i++)
		if (m->atoms[i].mapped)
			return ERR_EXISTS;
	for (size_t i = first; i < end; i++) {
		struct atom *a = &m->atoms[i];

		a->mapped = true;
		a->pa = pa + (a->va - va);
		a->prot = prot;
		/* The largest block around it that the range covers whole and that is aligned on both sides. */
		for (a->level = m->max_leaf; a->level > 1; a->level--) {
			uint64_t size = sizes[a->level], block = a->va / size * size;

			if (block >= va && block + (size - 1) <= last && (pa - va) % size == 0)
				break;
		}
	}
	return OK;
}

static void changed(struct model_flush *flush, uint64_t va, uint64_t last, size_t leaves, enum page_prot prot)
{
	if (va < flush->start)
		flush->start = va;
	if (last > flush->last)
		flush->last = last;
	flush->leaves += leaves;
	flush->global |= (prot & PROT_GLOBAL) != 0;
}

/* The leaf that maps `a` becomes 512. */
static void split_around(struct model *m, const struct atom *a, struct model_flush *flush)
{
	uint64_t size = sizes[a->level], block = a->va / size * size;

	changed(flush, block, block + (size - 1), 1, a->prot);
	for (size_t i = 0; i < m->count; i++)
		if (m->atoms[i].va / size * size == block)
			m->atoms[i].level--;
}

/* No leaf may cross the beginning of atom `i`; one that has `keep` already may. */
static void cut_before(struct model *m, size_t i, const enum page_prot *keep, struct model_flush *flush)
{
	const struct atom *a = &m->atoms[i];

	if (i == m->count || !a->mapped || (keep && a->prot == *keep))
		return;
	while (a->va % sizes[a->level])
		split_around(m, a, flush);
}

/* All leaves that [first, end) has now, whole ones only, except those with `keep`. */
static void change_leaves(const struct model *m, size_t first, size_t end, const enum page_prot *keep,
			  struct model_flush *flush)
{
	uint64_t bytes[4] = { 0 };

	for (size_t i = first; i < end; i++) {
		const struct atom *a = &m->atoms[i];

		if (!a->mapped || (keep && a->prot == *keep))
			continue;
		changed(flush, a->va, a->va + (a->size - 1), 0, a->prot);
		bytes[a->level] += a->size;
	}
	for (int level = 1; level <= 3; level++)
		flush->leaves += bytes[level] / sizes[level];
}

void model_unmap(struct model *m, size_t first, size_t end, struct model_flush *flush)
{
	cut_before(m, first, NULL, flush);
	cut_before(m, end, NULL, flush);
	change_leaves(m, first, end, NULL, flush);
	for (size_t i = first; i < end; i++)
		m->atoms[i].mapped = false;
}

void model_protect(struct model *m, size_t first, size_t end, enum page_prot prot, struct model_flush *flush)
{
	cut_before(m, first, &prot, flush);
	cut_before(m, end, &prot, flush);
	change_leaves(m, first, end, &prot, flush);
	for (size_t i = first; i < end; i++)
		m->atoms[i].prot = prot;
}

enum status model_split(struct model *m, size_t atom, int level, struct model_flush *flush)
{
	const struct atom *a = &m->atoms[atom];

	if (!a->mapped)
		return ERR_NOT_FOUND;
	while (a->level > level)
		split_around(m, a, flush);
	return OK;
}

static void print_atom(const char *what, const struct atom *a, uint64_t va)
{
	printf("%s at %#llx: the model has %#llx..%#llx, %s, pa %#llx, level %d, prot %#x\n", what,
	       (unsigned long long)va, (unsigned long long)a->va, (unsigned long long)(a->va + a->size - 1),
	       a->mapped ? "mapped" : "not mapped", (unsigned long long)a->pa, a->level, a->prot);
}

/* Whether `leaf` is what the model would have around `va`, an address of `a`. */
static bool leaf_agrees(const struct atom *a, uint64_t va, const struct walked_leaf *leaf)
{
	return a->mapped && leaf->size == sizes[a->level] && leaf->va == va / leaf->size * leaf->size &&
	       leaf->pa - leaf->va == a->pa - a->va && walked_prot(leaf) == a->prot;
}

bool model_agrees(const struct atom *a, uint64_t root)
{
	const uint64_t ends[2] = { a->va, a->va + (a->size - 1) };

	for (int i = 0; i < (a->size == K4 ? 1 : 2); i++) {
		struct walked_leaf leaf;
		bool found = walker_translate(&arena, root, ends[i], &leaf);

		if (found ? !leaf_agrees(a, ends[i], &leaf) : a->mapped) {
			print_atom(found ? "leaf" : "no leaf", a, ends[i]);
			return false;
		}
	}
	return true;
}

bool model_agrees_fully(const struct model *m, uint64_t root, struct walked *w)
{
	size_t next = 0;

	walker_list(&arena, root, w);
	for (size_t i = 0; i < m->count; i++) {
		const struct atom *a = &m->atoms[i];

		/* Every leaf that reaches into the atom; one that reaches beyond is met again by the next. */
		while (next < w->count && w->leaves[next].va + (w->leaves[next].size - 1) < a->va)
			next++;
		for (uint64_t va = a->va; a->mapped && va - a->va < a->size;
		     va = w->leaves[next].va + w->leaves[next].size) {
			if (va > a->va)
				next++;
			if (next == w->count || !leaf_agrees(a, va, &w->leaves[next])) {
				print_atom("full comparison", a, va);
				return false;
			}
		}
		if (!a->mapped && next < w->count && w->leaves[next].va <= a->va + (a->size - 1)) {
			print_atom("leaf too many", a, w->leaves[next].va);
			return false;
		}
	}
	/* Nothing outside the atoms: the last leaf is the last atom's, and no leaf lies between windows. */
	for (size_t i = 0, k = 0; i < w->count; i++) {
		while (k < m->count && m->atoms[k].va + (m->atoms[k].size - 1) < w->leaves[i].va)
			k++;
		if (k == m->count || w->leaves[i].va + (w->leaves[i].size - 1) < m->atoms[k].va) {
			printf("a leaf at %#llx, where nothing was ever mapped\n", (unsigned long long)w->leaves[i].va);
			return false;
		}
	}
	return true;
}
