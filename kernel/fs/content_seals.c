/*
 * Seals: adds and checks the bits that say what may never again be done to a file's content (fcntl(2), F_ADD_SEALS).
 */
#include "kernel/fs/content.h"
#include "kernel/fs/file.h"
#include "kernel/mm/user/area.h"

/* most areas that is_mapped_writable() looks at; if a file has more, it says that one is writable */
#define AREAS_MOST 65536

int content_seals_permit_write(const struct content *content, uint64_t offset, uint64_t size)
{
	if (content->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return content->seals & F_SEAL_GROW && offset + size > content->node->size ? -EPERM : 0;
}

int content_seals_permit_size(const struct content *content, uint64_t size)
{
	if (content->seals & F_SEAL_SHRINK && size < content->node->size)
		return -EPERM;
	return content->seals & F_SEAL_GROW && size > content->node->size ? -EPERM : 0;
}

/* Return whether an area that maps the object shared is writable or may become so. */
static bool is_mapped_writable(const struct memory_object *object)
{
	unsigned left = AREAS_MOST;

	for (const struct area *area = object->areas; area; area = area->next_of_object)
		if ((area->flags & (AREA_SHARED | AREA_READ_ONLY)) == AREA_SHARED || !--left)
			return true;
	return false;
}

int content_seals_add(struct file *file, unsigned seals)
{
	struct content *content = node_content(file->node);

	if (!file_writes(file))
		return -EPERM;
	if (seals & ~(unsigned)F_SEALS || !content)
		return -EINVAL;
	if (content->seals & F_SEAL_SEAL)
		return -EPERM;
	if (seals & ~content->seals & F_SEAL_WRITE && is_mapped_writable(&content->object))
		return -EBUSY;
	content->seals |= seals;
	return 0;
}
