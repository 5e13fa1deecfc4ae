/*
 * Checks an ELF executable and lists its segments. Reads nothing outside the file it is given.
 */
#include "kernel/lib/elf.h"

#include "kernel/lib/string.h"

/* System V ABI, "ELF Header", "Program Header". */
struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_offset, section_offset;
	uint32_t flags;
	uint16_t size, program_size, programs, section_size, sections, section_names;
};

struct elf_program {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, file_size, memory_size, align;
};

struct elf_note_header {
	uint32_t name_size, content_size, type;
};

_Static_assert(sizeof(struct elf_header) == 64 && sizeof(struct elf_program) == 56, "ELF-64 Object File Format");

#define ELF_MAGIC     0x464c457f
#define CLASS_64      2
#define LITTLE        1
#define VERSION       1
#define TYPE_EXEC     2
#define X86_64        62
#define TYPE_LOAD     1
#define TYPE_NOTE     4
#define FLAG_X        1
#define FLAG_W        2
#define MOST_PROGRAMS 64

static enum status bad(struct elf_error *error, enum status status, const char *what, uint64_t value)
{
	*error = (struct elf_error){ what, value };
	return status;
}

static enum status check_header(const struct elf_header *h, size_t size, struct elf_error *error)
{
	uint32_t magic;

	memcpy(&magic, h->ident, sizeof(magic));
	if (magic != ELF_MAGIC)
		return bad(error, ERR_FORMAT, "not an ELF file, its magic is", magic);
	if (h->ident[4] != CLASS_64)
		return bad(error, ERR_FORMAT, "not a 64-bit ELF file, its class is", h->ident[4]);
	if (h->ident[5] != LITTLE)
		return bad(error, ERR_FORMAT, "not a little-endian ELF file, its data encoding is", h->ident[5]);
	if (h->ident[6] != VERSION || h->version != VERSION)
		return bad(error, ERR_FORMAT, "unknown ELF version", h->version);
	if (h->machine != X86_64)
		return bad(error, ERR_FORMAT, "not for x86-64, its machine is", h->machine);
	if (h->type != TYPE_EXEC)
		return bad(error, ERR_FORMAT, "not an executable, its type is", h->type);
	if (h->program_size != sizeof(struct elf_program))
		return bad(error, ERR_FORMAT, "program headers of a wrong size", h->program_size);
	if (!h->programs || h->programs > MOST_PROGRAMS)
		return bad(error, ERR_FORMAT, "unsupported number of program headers", h->programs);
	if (h->program_offset > size || h->programs * sizeof(struct elf_program) > size - h->program_offset)
		return bad(error, ERR_FORMAT, "program headers end outside the file, offset", h->program_offset);
	return OK;
}

static enum status check_load(const struct elf_program *p, size_t size, vaddr_t base, vaddr_t last,
			      struct elf_error *error)
{
	if (p->memory_size < p->file_size)
		return bad(error, ERR_RANGE, "segment with more file than memory, file size", p->file_size);
	if (p->offset > size || p->file_size > size - p->offset)
		return bad(error, ERR_RANGE, "segment ends outside the file, offset", p->offset);
	if (!is_aligned(p->vaddr, PAGE_SIZE))
		return bad(error, ERR_RANGE, "segment not page-aligned, address", p->vaddr);
	if (p->file_size && !is_aligned(p->vaddr - p->offset, PAGE_SIZE))
		return bad(error, ERR_RANGE, "segment not page-aligned in the file, offset", p->offset);
	if (p->vaddr < base || p->vaddr > last || p->memory_size - 1 > last - p->vaddr)
		return bad(error, ERR_RANGE, "segment outside the image range, address", p->vaddr);
	if ((p->flags & FLAG_W) && (p->flags & FLAG_X))
		return bad(error, ERR_RIGHTS, "segment writable and executable, address", p->vaddr);
	return OK;
}

/* Keep the list sorted; a page of two segments is an error. */
static enum status insert(struct elf_image *image, const struct elf_segment *s, struct elf_error *error)
{
	vaddr_t s_last = s->va + (s->pages * PAGE_SIZE - 1);
	size_t i = image->count;

	if (image->count == ELF_SEGMENTS)
		return bad(error, ERR_NO_MEMORY, "too many segments, the most is", ELF_SEGMENTS);
	for (size_t k = 0; k < image->count; k++) {
		const struct elf_segment *t = &image->segments[k];

		if (s->va <= t->va + (t->pages * PAGE_SIZE - 1) && t->va <= s_last)
			return bad(error, ERR_EXISTS, "segments overlap, address", s->va > t->va ? s->va : t->va);
	}
	for (; i > 0 && image->segments[i - 1].va > s->va; i--)
		image->segments[i] = image->segments[i - 1];
	image->segments[i] = *s;
	image->count++;
	return OK;
}

static bool entry_is_executable(const struct elf_image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		const struct elf_segment *s = &image->segments[i];

		/* The bytes behind the file's are zero: no place to start. */
		if (s->execute && image->entry >= s->va && image->entry - s->va < s->file_size)
			return true;
	}
	return false;
}

static enum status take_program(struct elf_image *image, const struct elf_program *p, const uint8_t *file, size_t size,
				vaddr_t base, vaddr_t last, struct elf_error *error)
{
	struct elf_segment s;
	enum status status;

	if (p->type == TYPE_NOTE) {
		if (p->offset > size || p->file_size > size - p->offset)
			return bad(error, ERR_RANGE, "notes end outside the file, offset", p->offset);
		image->notes = file + p->offset;
		image->notes_size = p->file_size;
		return OK;
	}
	if (p->type != TYPE_LOAD || !p->memory_size)
		return OK;
	status = check_load(p, size, base, last, error);
	if (status != OK)
		return status;
	s = (struct elf_segment){ .va = p->vaddr,
				  .pages = ((p->memory_size - 1) >> PAGE_SHIFT) + 1,
				  .offset = p->file_size ? p->offset : 0,
				  .file_size = p->file_size,
				  .write = p->flags & FLAG_W,
				  .execute = p->flags & FLAG_X,
				  .scratch = p->flags & ELF_SCRATCH };
	return insert(image, &s, error);
}

enum status elf_parse(const void *file, size_t size, vaddr_t base, vaddr_t last, struct elf_image *ret_image,
		      struct elf_error *ret_error)
{
	struct elf_header h;
	enum status status;

	if (size < sizeof(h))
		return bad(ret_error, ERR_FORMAT, "file shorter than an ELF header, bytes", size);
	memcpy(&h, file, sizeof(h));
	status = check_header(&h, size, ret_error);
	*ret_image = (struct elf_image){ .entry = h.entry };
	for (size_t i = 0; i < h.programs && status == OK; i++) {
		struct elf_program p;

		memcpy(&p, (const uint8_t *)file + h.program_offset + i * sizeof(p), sizeof(p));
		status = take_program(ret_image, &p, file, size, base, last, ret_error);
	}
	if (status == OK && !ret_image->count)
		return bad(ret_error, ERR_FORMAT, "no segment to load among its program headers, of which there are",
			   h.programs);
	if (status == OK && !entry_is_executable(ret_image))
		return bad(ret_error, ERR_RANGE, "entry outside the executable segments, address", h.entry);
	return status;
}

/* System V ABI, "Note Section": name and content are each padded to 4 bytes. */
const void *elf_note(const struct elf_image *image, const char *name, uint32_t type, size_t size)
{
	const uint8_t *at = image->notes;
	size_t left = image->notes_size, name_size = strlen(name) + 1;
	struct elf_note_header h;

	while (at && left >= sizeof(h)) {
		uint64_t content, next;

		memcpy(&h, at, sizeof(h));
		content = sizeof(h) + align_up(h.name_size, 4);
		next = content + align_up(h.content_size, 4);
		if (content + h.content_size > left)
			return NULL;
		if (h.type == type && h.name_size == name_size && memcmp(at + sizeof(h), name, name_size) == 0 &&
		    h.content_size >= size)
			return at + content;
		if (next > left)
			return NULL;
		at += next;
		left -= next;
	}
	return NULL;
}
