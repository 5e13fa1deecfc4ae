/*
 * See context_host.h. Also the routines of user_copy.S, over the same model.
 */
#include "test/host/context_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/arch/percpu.h"
#include "kernel/arch/user_copy.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/user/copy_fault.h"
#include "paging/leaves.h"

#define TLB_ENTRIES 8192
#define KERNEL_ROOT 0x1000 /* no frame's: nothing is ever looked up there */

struct tlb_line {
	uint64_t root; /* 0: unused */
	vaddr_t va;
	paddr_t pa;
	enum page_prot prot;
};

uint64_t host_cr3;
unsigned host_cr3_writes;
struct context kernel_context;
struct user_space *host_user_space;
_Thread_local struct percpu host_percpu;

static struct tlb_line tlb[TLB_ENTRIES];
static uintptr_t host_direct;

/* ---- the TLB ---- */

static struct tlb_line *line_of(uint64_t root, vaddr_t va)
{
	return &tlb[(va / PAGE_SIZE * 31 + root / PAGE_SIZE) % TLB_ENTRIES];
}

static struct tlb_line *tlb_find(uint64_t root, vaddr_t va)
{
	struct tlb_line *line = line_of(root, va);

	return line->root == root && line->va == va ? line : NULL;
}

static void tlb_flush_range(uint64_t root, vaddr_t start, vaddr_t last)
{
	for (size_t i = 0; i < TLB_ENTRIES; i++)
		if (tlb[i].root == root && tlb[i].va >= start && tlb[i].va <= last)
			tlb[i].root = 0;
}

/* ---- contexts ---- */

static enum status table_alloc(void *ctx, paddr_t *ret_pa)
{
	return frame_alloc_4k(ctx, ret_pa);
}

static void table_free(void *ctx, paddr_t pa)
{
	frame_free_4k(ctx, pa);
}

static const struct space_ops table_ops = { table_alloc, table_free };

void context_host_start(uintptr_t direct)
{
	host_direct = direct;
	kernel_context.space.root = paddr(KERNEL_ROOT);
	host_cr3 = KERNEL_ROOT;
	host_cr3_writes = 0;
	memset(tlb, 0, sizeof(tlb));
}

enum status kernel_space_create(struct space *ret)
{
	assert_true(context_is_loaded(&kernel_context));
	return space_init(ret, &table_ops, frame_cache_here(), host_direct, 2);
}

enum status context_create(struct context *ret)
{
	memset(ret, 0, sizeof(*ret));
	return kernel_space_create(&ret->space);
}

void context_destroy(struct context *c)
{
	assert_true(context_is_loaded(&kernel_context));
	tlb_flush_range(c->space.root.raw, 0, ~0ULL);
	/* What user memory leaves here it has forgotten. */
	assert_int_equal(c->space.tables, 0);
	space_clear(&c->space, 0, 512);
}

void context_flush(struct context *c, struct tlb_flush *flush)
{
	assert_true(context_is_loaded(&kernel_context));
	if (flush->leaves)
		tlb_flush_range(c->space.root.raw, flush->start, flush->last);
	space_release(&c->space, flush);
}

void context_load(struct context *c)
{
	host_cr3 = c->space.root.raw;
	host_cr3_writes++;
}

void context_restore(context_token_t token)
{
	host_cr3 = token.cr3;
	host_cr3_writes++;
}

/* ---- a program's accesses ---- */

static bool allows(enum page_prot prot, enum user_rights access)
{
	return prot & PROT_USER && (access != USER_WRITE || prot & PROT_W) && (access != USER_EXEC || prot & PROT_X);
}

/* By the TLB or the tables; NULL: the CPU refuses. */
static void *try_access(struct user_space *space, vaddr_t va, enum user_rights access)
{
	const uint64_t root = space->context.space.root.raw;
	const vaddr_t page = align_down(va, PAGE_SIZE);
	struct tlb_line *line = tlb_find(root, page);
	struct mapping leaf = { 0 };
	bool there = space_lookup(&space->context.space, va, &leaf) == OK;
	paddr_t pa = paddr_add(leaf.pa, page - leaf.va);

	if (line && allows(line->prot, access)) {
		/* The real CPU would go on with what it remembers. */
		if (!there || !allows(leaf.prot, access) || pa.raw != line->pa.raw)
			fail_msg("stale TLB entry used at %#llx", (unsigned long long)va);
	}
	if (!there || !allows(leaf.prot, access)) {
		if (line)
			line->root = 0;
		return NULL;
	}
	*line_of(root, page) = (struct tlb_line){ root, page, pa, leaf.prot };
	return (void *)(host_direct + pa.raw + va % PAGE_SIZE);
}

enum status user_touch(struct user_space *space, vaddr_t va, enum user_rights access, void **ret)
{
	context_token_t token = context_enter(&space->context);
	enum status status = OK;

	for (int attempt = 0; attempt < 4; attempt++) {
		*ret = try_access(space, va, access);
		if (*ret) {
			context_leave(token);
			return OK;
		}
		status = user_fault(space, va, access);
		if (status != OK)
			break;
	}
	context_leave(token);
	assert_int_not_equal(status, OK);
	return status;
}

/* ---- user_copy.S ---- */

const struct user_fixup user_fixups[1];
const uint64_t user_fixup_count;

/* Addresses below are users', above the test's own. */
#define HOST_USER_END (1ULL << 36)

static char *byte_at(const void *p, enum user_rights access)
{
	char *at = (char *)(uintptr_t)p;
	context_token_t token;

	if ((uintptr_t)p >= HOST_USER_END)
		return at;
	assert_non_null(host_user_space);
	token = context_enter(&host_user_space->context);
	do
		at = try_access(host_user_space, (uintptr_t)p, access);
	while (!at && copy_fault(host_user_space, (uintptr_t)p, access) == OK);
	context_leave(token);
	return at;
}

size_t user_copy(void *to, const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		const char *in = byte_at((const char *)from + i, USER_READ);
		char *out = byte_at((char *)to + i, USER_WRITE);

		if (!in || !out)
			return bytes - i;
		*out = *in;
	}
	return 0;
}

size_t user_clear(void *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		char *out = byte_at((char *)to + i, USER_WRITE);

		if (!out)
			return bytes - i;
		*out = 0;
	}
	return 0;
}

int64_t user_copy_string(char *to, const char *from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const char *in = byte_at(from + i, USER_READ);

		if (!in)
			return -1;
		to[i] = *in;
		if (!*in)
			return (int64_t)i;
	}
	return (int64_t)size;
}

/* The host's own FPU: no state of a user's goes through here. */
int user_xsave(void *area, uint64_t components)
{
	(void)components;
	return byte_at(area, USER_WRITE) == NULL;
}

int user_xrstor(const void *area, uint64_t components)
{
	(void)components;
	return byte_at(area, USER_READ) == NULL;
}

int user_fxsave(void *area)
{
	return user_xsave(area, 0);
}

int user_fxrstor(const void *area)
{
	return user_xrstor(area, 0);
}

int user_load_32(const void *from, uint32_t *ret)
{
	uint32_t value;

	if (user_copy(&value, from, sizeof(value)))
		return 1;
	*ret = value;
	return 0;
}

int user_load_64(const void *from, uint64_t *ret)
{
	uint64_t value;

	if (user_copy(&value, from, sizeof(value)))
		return 1;
	*ret = value;
	return 0;
}

int user_store_32(void *to, uint32_t value)
{
	return user_copy(to, &value, sizeof(value)) != 0;
}

int user_store_64(void *to, uint64_t value)
{
	return user_copy(to, &value, sizeof(value)) != 0;
}

int user_store_pair(void *to, uint64_t first, uint64_t second)
{
	const uint64_t words[2] = { first, second };

	return user_copy(to, words, sizeof(words)) != 0;
}

int user_cmpxchg_32(void *at, uint32_t *expected, uint32_t desired)
{
	uint32_t *word = (uint32_t *)byte_at(at, USER_WRITE);
	uint32_t was;

	if (!word)
		return 1;
	was = *word;
	if (was == *expected)
		*word = desired;
	*expected = was;
	return 0;
}
