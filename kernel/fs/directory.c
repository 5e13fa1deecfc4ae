/*
 * The names in a tmpfs directory. Each entry is in a hash table, for lookups, and in a list, for listings.
 */
#include "kernel/fs/directory.h"

#include "kernel/lib/hash.h"
#include "kernel/lib/panic.h"
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

int directory_reserve(struct directory *dir)
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
}

void directory_remove(struct directory *dir, struct directory_entry *entry)
{
	struct directory_entry **chain = &dir->buckets[entry->hash & (dir->bucket_count - 1)];

	while (*chain != entry)
		chain = &(*chain)->chain;
	*chain = entry->chain;
	*entry->link = entry->next;
	if (entry->next)
		entry->next->link = entry->link;
	else
		dir->end = entry->link;
	if (dir->last_listed == entry)
		dir->last_listed = NULL;
	if (--dir->count == 0) {
		/* An empty directory frees its buckets, since it may exist for ever. */
		kfree(dir->buckets);
		dir->buckets = NULL;
		dir->bucket_count = 0;
	}
}

struct directory_entry *directory_at(struct directory *dir, uint64_t position)
{
	struct directory_entry *entry = dir->first;

	if (dir->last_listed && dir->last_listed->position < position)
		entry = dir->last_listed;
	while (entry && entry->position < position)
		entry = entry->next;
	dir->last_listed = entry;
	return entry;
}

void directory_free(struct directory *dir)
{
	ASSERT(!dir->first);
	kfree(dir->buckets);
	*dir = (struct directory){ 0 };
}
