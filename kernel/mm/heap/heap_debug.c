/*
 * The debug build's heap: puts a header and red zones around each block, fills (poisons) freed blocks and holds them
 * back for a while (in quarantine), and keeps a list of live blocks. The memory comes from the plain heap, heap.c.
 *
 *   | ... alignment ... | struct header, its last word the front red zone | the caller's bytes | rear red zone |
 *
 * kfree panics on a double free, on a pointer to no block, and on an overrun. A write after kfree panics when the block
 * leaves the quarantine. heap_debug_check() looks for overruns and late writes in all blocks at once. A read after
 * kfree finds HEAP_FREED_BYTE.
 */
#include "kernel/mm/heap/heap_internal.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/scratch.h"
#include "kernel/lib/string.h"

#define LIVE  0x6c6976656c697665 /* "livelive" */
#define FREED 0x6672656566726565 /* "freefree" */
#define ZONE  (0x0101010101010101ULL * HEAP_ZONE_BYTE)

#define REAR_BYTES 16

#define QUARANTINE_BLOCKS 512
#define QUARANTINE_BYTES  (1ULL << 20)
/* bytes of a block that are filled and checked, from its start; filling a gigabyte would take too long */
#define POISON_MAX (64ULL << 10)

struct header {
	uint64_t state;    /* LIVE or FREED */
	uint64_t size;     /* bytes that the caller asked for */
	const void *owner; /* address that called the heap to allocate */
	const void *freed_by;
	struct header *next; /* list of live blocks. Guard: debug.lock */
	struct header *prev;
	uint64_t lead; /* bytes from the start of the plain heap's block to this header */
	uint64_t zone; /* the front red zone */
};

_Static_assert(sizeof(struct header) == 64, "the caller's bytes keep an alignment of 64 without a gap");

static struct {
	struct heap_lock lock; /* guards all that follows */
	struct header *live;
	struct header *quarantine[QUARANTINE_BLOCKS]; /* a ring */
	size_t oldest, count;
	uint64_t bytes;
} debug;

void heap_debug_init(void)
{
	memset(&debug, 0, sizeof(debug));
}

static uint8_t *bytes_of(struct header *h)
{
	return (uint8_t *)(h + 1);
}

/* Return the first byte of [p, p + size) that is not `value`, or NULL. */
static const uint8_t *find_other(const uint8_t *p, uint8_t value, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++) {
		if (p[i] != value)
			return p + i;
	}
	return NULL;
}

static uint64_t poisoned(const struct header *h)
{
	return h->size < POISON_MAX ? h->size : POISON_MAX;
}

static void check_zones(struct header *h)
{
	if (h->zone != ZONE)
		panic("heap: underrun of block %p (%lu bytes, allocated by %p)", (void *)bytes_of(h), h->size,
		      h->owner);

	const uint8_t *bad = find_other(bytes_of(h) + h->size, HEAP_ZONE_BYTE, REAR_BYTES);

	if (bad)
		panic("heap: overrun of block %p (%lu bytes, allocated by %p): byte %ld was written",
		      (void *)bytes_of(h), h->size, h->owner, (long)(bad - bytes_of(h)));
}

static void check_poison(struct header *h)
{
	const uint8_t *bad = find_other(bytes_of(h), HEAP_FREED_BYTE, poisoned(h));

	if (bad)
		panic("heap: use after free of block %p (%lu bytes, allocated by %p, freed by %p): byte %ld was "
		      "written",
		      (void *)bytes_of(h), h->size, h->owner, h->freed_by, (long)(bad - bytes_of(h)));
}

/* Return the header of what should be a live block. Panics when it is not one. */
static struct header *live_header(const void *block, const char *call, const void *caller)
{
	struct header *h = (struct header *)block - 1;

	if ((vaddr_t)block - heap.base >= heap.backend->size || !is_aligned((uintptr_t)block, HEAP_ALIGN))
		panic("heap: %s by %p of %p, which is not a block", call, caller, block);
	if (h->state == FREED)
		panic("heap: %s by %p of block %p (%lu bytes, allocated by %p), freed already by %p", call, caller,
		      block, h->size, h->owner, h->freed_by);
	if (h->state != LIVE)
		panic("heap: %s by %p of %p, which is not a block, or an underrun destroyed its header", call, caller,
		      block);
	check_zones(h);
	return h;
}

void *heap_debug_alloc(size_t size, size_t align, const void *owner)
{
	if (size == 0 || size > HEAP_ALLOC_MAX || align > PAGE_SIZE_1G || (align & (align - 1)) != 0 || align == 0)
		return NULL;

	/*
	 * The header ends where the caller's bytes begin. When the alignment is greater than the header, a gap is left
	 * before the header: the lead.
	 */
	uint64_t before = align > sizeof(struct header) ? align : sizeof(struct header);
	uint64_t whole = before + size + REAR_BYTES;

	uint8_t *block = heap_raw_alloc_aligned(whole, align);

	if (!block)
		return NULL;

	struct header *h = (struct header *)(block + before) - 1;
	heap_flags_t flags;

	*h = (struct header){ .state = LIVE, .size = size, .owner = owner, .lead = before - sizeof(*h), .zone = ZONE };
	memset(bytes_of(h), HEAP_FRESH_BYTE, poisoned(h));
	memset(bytes_of(h) + size, HEAP_ZONE_BYTE, REAR_BYTES);
	heap_cpu_enter(&flags);
	heap_lock(&debug.lock);
	h->next = debug.live;
	if (h->next)
		h->next->prev = h;
	debug.live = h;
	heap_unlock(&debug.lock);
	heap_cpu_leave(flags);
	return bytes_of(h);
}

static void free_for_good(struct header *h)
{
	check_poison(h);
	/*
	 * Overwrite the state: a later kfree of this address must not find FREED and report the old block, since the
	 * memory may be reused by then.
	 */
	h->state = 0;
	heap_raw_free((uint8_t *)h - h->lead);
}

/* Take the oldest block out of the quarantine; NULL when that is empty. The caller holds debug.lock. */
static struct header *pop_oldest(void)
{
	struct header *h = debug.quarantine[debug.oldest];

	if (debug.count == 0)
		return NULL;
	debug.oldest = (debug.oldest + 1) % QUARANTINE_BLOCKS;
	debug.count--;
	debug.bytes -= h->size;
	return h;
}

/* Let blocks leave the quarantine, the oldest first, until at most `blocks` and `bytes` are in it. */
static void shrink_quarantine(size_t blocks, uint64_t bytes)
{
	for (;;) {
		heap_flags_t flags;
		struct header *h = NULL;

		heap_cpu_enter(&flags);
		heap_lock(&debug.lock);
		if (debug.count > blocks || debug.bytes > bytes)
			h = pop_oldest();
		heap_unlock(&debug.lock);
		heap_cpu_leave(flags);
		if (!h)
			return;
		free_for_good(h);
	}
}

void heap_debug_free(void *block, const void *caller)
{
	heap_flags_t flags;

	if (!block)
		return;

	struct header *h = live_header(block, "kfree", caller);

	/* Make room before adding a block, so that the ring is never full. */
	shrink_quarantine(QUARANTINE_BLOCKS - 2, QUARANTINE_BYTES);
	memset(block, HEAP_FREED_BYTE, poisoned(h));
	heap_cpu_enter(&flags);
	heap_lock(&debug.lock);
	h->state = FREED;
	h->freed_by = caller;
	if (h->prev)
		h->prev->next = h->next;
	else
		debug.live = h->next;
	if (h->next)
		h->next->prev = h->prev;
	debug.quarantine[(debug.oldest + debug.count) % QUARANTINE_BLOCKS] = h;
	debug.count++;
	debug.bytes += h->size;
	heap_unlock(&debug.lock);
	heap_cpu_leave(flags);
	shrink_quarantine(QUARANTINE_BLOCKS - 2, QUARANTINE_BYTES);
}

void *heap_debug_realloc(void *block, size_t size, const void *owner)
{
	struct header *h = live_header(block, "krealloc", owner);
	void *new = heap_debug_alloc(size, HEAP_ALIGN, owner);

	/* The block always moves, so that a use of a pointer to the old place is found out. */
	if (!new)
		return NULL;
	memcpy(new, block, size < h->size ? size : h->size);
	heap_debug_free(block, owner);
	return new;
}

size_t heap_debug_size(const void *block)
{
	return live_header(block, "kmalloc_size", __builtin_return_address(0))->size;
}

void heap_debug_flush(void)
{
	shrink_quarantine(0, 0);
}

void heap_debug_check(void)
{
	heap_flags_t flags;

	heap_cpu_enter(&flags);
	heap_lock(&debug.lock);
	for (struct header *h = debug.live; h; h = h->next) {
		if (h->state != LIVE)
			panic("heap: the header of block %p was overwritten", (void *)bytes_of(h));
		check_zones(h);
	}
	for (size_t i = 0; i < debug.count; i++)
		check_poison(debug.quarantine[(debug.oldest + i) % QUARANTINE_BLOCKS]);
	heap_unlock(&debug.lock);
	heap_cpu_leave(flags);
}

#define OWNERS_MAX 256

/*
 * Report what each owner holds. Owners are gathered in a table of fixed size: the report is wanted when memory is
 * short, so it cannot allocate. Blocks of owners beyond the table are reported together, with owner NULL.
 */
void heap_debug_report(void (*see)(void *ctx, const void *owner, uint64_t count, uint64_t bytes), void *ctx)
{
	static SCRATCH struct {
		const void *owner;
		uint64_t count, bytes;
	} owners[OWNERS_MAX + 1];
	heap_flags_t flags;

	heap_cpu_enter(&flags);
	heap_lock(&debug.lock);
	memset(owners, 0, sizeof(owners));
	for (struct header *h = debug.live; h; h = h->next) {
		size_t i = 0;

		while (i < OWNERS_MAX && owners[i].owner && owners[i].owner != h->owner)
			i++;
		if (i < OWNERS_MAX)
			owners[i].owner = h->owner;
		owners[i].count++;
		owners[i].bytes += h->size;
	}
	for (size_t i = 0; i <= OWNERS_MAX; i++) {
		if (owners[i].count)
			see(ctx, owners[i].owner, owners[i].count, owners[i].bytes);
	}
	heap_unlock(&debug.lock);
	heap_cpu_leave(flags);
}
