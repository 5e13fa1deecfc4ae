/*
 * Keeps the names in a tmpfs directory. Each entry is in a hash table, for lookups, and in a list, for listings. An
 * entry's position is a number that grows with each new entry; by it a listing finds where to go on.
 */
#include "kernel/fs/directory.h"

#include "kernel/lib/hash.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/radix.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

#define FIRST_BUCKETS 8

static uint32_t hash_of(struct name name)
{
	return (uint32_t)hash_bytes(name.text, name.size);
}

struct directory_entry *directory_find(const struct directory *dir, struct name name)
{
	uint32_t hash = hash_of(name);
	struct directory_entry *entry;

	if (!dir->buckets)
		return NULL;
	entry = dir->buckets[hash & (dir->bucket_count - 1)];
	while (entry &&
	       (entry->hash != hash || entry->size != name.size || memcmp(entry->text, name.text, name.size) != 0))
		entry = entry->chain;
	return entry;
}

struct directory_entry *directory_entry_create(struct name name)
{
	struct directory_entry *entry = kmalloc(sizeof(*entry) + name.size);

	if (!entry)
		return NULL;
	*entry = (struct directory_entry){ .hash = hash_of(name), .size = (uint16_t)name.size };
	memcpy(entry->text, name.text, name.size);
	return entry;
}

static uint32_t block_of(uint64_t position)
{
	return (uint32_t)(position / DIRECTORY_BLOCK);
}

static uint64_t next_position(const struct directory *dir)
{
	return dir->end ? dir->last_position + 1 : DIRECTORY_FIRST;
}

/*
 * Make sure that directory_add() can enter the next entry in dir->blocks, an index of the list, without allocating
 * memory. If that entry will be the first of its block of positions, insert `dir` itself in its place: directory_add()
 * replaces this mark by the entry. Returns 0 or -ENOMEM.
 */
static int reserve_block(struct directory *dir)
{
	uint32_t block = block_of(next_position(dir));

	if (!block || (dir->blocks && radix_find(dir->blocks, block)))
		return 0;
	if (!dir->blocks) {
		dir->blocks = kmalloc(sizeof(*dir->blocks));
		if (!dir->blocks)
			return -ENOMEM;
		*dir->blocks = (struct radix){ .alloc = kzalloc, .free = kfree };
	}
	return radix_insert(dir->blocks, block, dir) == OK ? 0 : -ENOMEM;
}

/* Free dir->blocks. The directory must have no entries. */
static void free_blocks(struct directory *dir)
{
	kfree(dir->blocks);
	dir->blocks = NULL;
}

static int reserve_bucket(struct directory *dir)
{
	uint32_t count = dir->bucket_count ? 2 * dir->bucket_count : FIRST_BUCKETS;
	struct directory_entry **buckets;

	if (dir->count < dir->bucket_count)
		return 0;
	buckets = kzalloc(count * sizeof(struct directory_entry *));
	if (!buckets)
		return -ENOMEM;
	for (struct directory_entry *entry = dir->first; entry; entry = entry->next) {
		struct directory_entry **bucket = &buckets[entry->hash & (count - 1)];

		entry->chain = *bucket;
		*bucket = entry;
	}
	kfree(dir->buckets);
	dir->buckets = buckets;
	dir->bucket_count = count;
	return 0;
}

int directory_reserve(struct directory *dir)
{
	int error = reserve_bucket(dir);

	return error ? error : reserve_block(dir);
}

void directory_add(struct directory *dir, struct directory_entry *entry)
{
	struct directory_entry **bucket;

	ASSERT(dir->buckets);
	bucket = &dir->buckets[entry->hash & (dir->bucket_count - 1)];
	if (!dir->end) {
		dir->end = &dir->first;
		dir->last_position = DIRECTORY_FIRST - 1;
	}
	entry->position = ++dir->last_position;
	entry->chain = *bucket;
	*bucket = entry;
	entry->next = NULL;
	entry->link = dir->end;
	*dir->end = entry;
	dir->end = &entry->next;
	dir->count++;
	if (block_of(entry->position) && radix_find(dir->blocks, block_of(entry->position)) == dir)
		radix_replace(dir->blocks, block_of(entry->position), entry);
}

/*
 * If dir->blocks points at `entry`, which is being removed, replace it by the next entry of its block, if there is one.
 * Call while the list still has `entry`.
 */
static void leave_block(struct directory *dir, const struct directory_entry *entry)
{
	uint32_t block = block_of(entry->position);

	if (!block || radix_find(dir->blocks, block) != entry)
		return;
	if (entry->next && block_of(entry->next->position) == block)
		radix_replace(dir->blocks, block, entry->next);
	else
		(void)radix_remove(dir->blocks, block);
}

void directory_remove(struct directory *dir, struct directory_entry *entry)
{
	struct directory_entry **chain = &dir->buckets[entry->hash & (dir->bucket_count - 1)];

	while (*chain != entry)
		chain = &(*chain)->chain;
	*chain = entry->chain;
	leave_block(dir, entry);
	*entry->link = entry->next;
	if (entry->next)
		entry->next->link = entry->link;
	else
		dir->end = entry->link;
	if (dir->last_listed == entry)
		dir->last_listed = NULL;
	if (--dir->count == 0) {
		/* An empty directory frees its buckets and blocks, since it may exist for ever. */
		kfree(dir->buckets);
		dir->buckets = NULL;
		dir->bucket_count = 0;
		free_blocks(dir);
	}
}

/*
 * Return the first entry at or beyond `position`, or an entry a short way before it in the list; NULL: no entry is at
 * or beyond `position`.
 */
static struct directory_entry *start_near(const struct directory *dir, uint64_t position)
{
	uint32_t block = position / DIRECTORY_BLOCK < UINT32_MAX ? block_of(position) : UINT32_MAX;

	if (dir->last_listed && dir->last_listed->position <= position &&
	    position - dir->last_listed->position < DIRECTORY_BLOCK)
		return dir->last_listed;
	if (!block || !dir->blocks)
		return dir->first;
	return radix_next(dir->blocks, &block);
}

struct directory_entry *directory_at(struct directory *dir, uint64_t position)
{
	struct directory_entry *entry = start_near(dir, position);

	while (entry && entry->position < position)
		entry = entry->next;
	dir->last_listed = entry;
	return entry;
}

void directory_free(struct directory *dir)
{
	ASSERT(!dir->first);
	kfree(dir->buckets);
	free_blocks(dir);
	*dir = (struct directory){ 0 };
}
