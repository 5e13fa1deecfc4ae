/*
 * Checks an ELF executable and lists its segments. Reads nothing outside the file, and loads nothing. The caller says
 * in which range of addresses the segments must lie.
 */
#include "kernel/lib/elf.h"

#include "kernel/lib/elf_format.h"
#include "kernel/lib/string.h"

struct elf_note_header {
	uint32_t name_size, content_size, type;
};

#define MAGIC 0x464c457f /* "\177ELF" */

/* AnkeOS's own limit; ELF allows 65,535. A linker makes about ten. */
#define MOST_PROGRAMS 64

/* The arguments of the parser: the file, the rules for it, and where the results go. */
struct parse {
	const uint8_t *file;     /* the kernel's file; of a user program its header only */
	const uint8_t *programs; /* the program headers; set once the header has been checked */
	uint64_t size;           /* the whole file's size, also when `file` is only a user program's header */
	bool program;            /* a user program, which is allowed more than the kernel (see elf_parse_program) */
	vaddr_t base, last;      /* the range for segments, both included */
	struct elf_image *image;
	struct elf_error *error;
};

static enum status fail(const struct parse *parse, enum status status, const char *what, uint64_t value)
{
	*parse->error = (struct elf_error){ what, value };
	return status;
}

static bool in_file(const struct parse *parse, uint64_t offset, uint64_t size)
{
	return offset <= parse->size && size <= parse->size - offset;
}

static enum status check_header(const struct parse *parse, const struct elf_header *h)
{
	uint32_t magic;

	memcpy(&magic, h->ident, sizeof(magic));
	if (magic != MAGIC)
		return fail(parse, ERR_FORMAT, "not an ELF file, its magic is", magic);
	if (h->ident[4] != ELF_CLASS_64)
		return fail(parse, ERR_FORMAT, "not a 64-bit ELF file, its class is", h->ident[4]);
	if (h->ident[5] != ELF_LITTLE_ENDIAN)
		return fail(parse, ERR_FORMAT, "not a little-endian ELF file, its data encoding is", h->ident[5]);
	if (h->ident[6] != ELF_VERSION)
		return fail(parse, ERR_FORMAT, "unknown version of the ELF identification", h->ident[6]);
	if (h->version != ELF_VERSION)
		return fail(parse, ERR_FORMAT, "unknown ELF version", h->version);
	if (h->machine != ELF_X86_64)
		return fail(parse, ERR_FORMAT, "not for x86-64, its machine is", h->machine);
	if (h->type != ELF_TYPE_EXEC && !(parse->program && h->type == ELF_TYPE_DYN))
		return fail(parse, ERR_FORMAT, "not an executable, its type is", h->type);
	if (h->size != sizeof(struct elf_header))
		return fail(parse, ERR_FORMAT, "ELF header of a wrong size", h->size);
	if (h->program_size != sizeof(struct elf_program))
		return fail(parse, ERR_FORMAT, "program headers of a wrong size", h->program_size);
	if (!h->programs || h->programs > MOST_PROGRAMS)
		return fail(parse, ERR_FORMAT, "unsupported number of program headers", h->programs);
	if (!in_file(parse, h->program_offset, h->programs * sizeof(struct elf_program)))
		return fail(parse, ERR_FORMAT, "program headers end outside the file, offset", h->program_offset);
	return OK;
}

static enum status check_load(const struct parse *parse, const struct elf_program *p)
{
	uint64_t align = p->align ? p->align : 1;

	if (p->memory_size < p->file_size)
		return fail(parse, ERR_RANGE, "segment with more file than memory, file size", p->file_size);
	if (!in_file(parse, p->offset, p->file_size))
		return fail(parse, ERR_RANGE, "segment ends outside the file, offset", p->offset);
	if (!is_aligned(p->vaddr, PAGE_SIZE))
		return fail(parse, ERR_RANGE, "segment not page-aligned, address", p->vaddr);
	/* The offset of a segment that has no bytes in the file means nothing, so it is not checked. */
	if (p->file_size && !is_aligned(p->vaddr - p->offset, PAGE_SIZE))
		return fail(parse, ERR_RANGE, "segment not page-aligned in the file, offset", p->offset);
	if (align & (align - 1))
		return fail(parse, ERR_RANGE, "segment's alignment is no power of two", align);
	if (p->file_size && !is_aligned(p->vaddr - p->offset, align))
		return fail(parse, ERR_RANGE, "segment not aligned as it says, alignment", align);
	/*
	 * The range must hold whole pages, since the segment's last page is mapped as a whole, with the memory that
	 * follows the segment's last byte.
	 */
	if (p->vaddr < parse->base || p->vaddr > parse->last ||
	    ((p->memory_size - 1) | (PAGE_SIZE - 1)) > parse->last - p->vaddr)
		return fail(parse, ERR_RANGE, "segment outside the image range, address", p->vaddr);
	if (!parse->program && (p->flags & ELF_FLAG_W) && (p->flags & ELF_FLAG_X))
		return fail(parse, ERR_RIGHTS, "segment writable and executable, address", p->vaddr);
	return OK;
}

static vaddr_t last_byte(const struct elf_segment *s)
{
	return s->va + (s->pages * PAGE_SIZE - 1);
}

/* Insert the segment into the list, which is sorted by address. Two segments that share a page are an error. */
static enum status insert(const struct parse *parse, const struct elf_segment *s)
{
	struct elf_segment *list = parse->image->segments;
	size_t at = parse->image->count;

	if (at == ELF_SEGMENTS)
		return fail(parse, ERR_FORMAT, "too many segments, the most is", ELF_SEGMENTS);
	for (size_t i = 0; i < at; i++)
		if (s->va <= last_byte(&list[i]) && list[i].va <= last_byte(s))
			return fail(parse, ERR_EXISTS, "segments overlap, address",
				    s->va > list[i].va ? s->va : list[i].va);
	for (; at > 0 && list[at - 1].va > s->va; at--)
		list[at] = list[at - 1];
	list[at] = *s;
	parse->image->count++;
	return OK;
}

/*
 * Extend the segment to the start of its first page: linkers place the segments of a program so that they begin inside
 * a page.
 */
static void round_down(struct elf_program *p)
{
	uint64_t part = p->vaddr & (PAGE_SIZE - 1);

	if ((p->file_size && (p->offset & (PAGE_SIZE - 1)) != part) || p->memory_size > UINT64_MAX - part)
		return;
	p->vaddr -= part;
	p->memory_size += part;
	if (p->file_size) {
		p->offset -= part;
		p->file_size += part;
	}
}

static enum status take_load(const struct parse *parse, struct elf_program *p)
{
	struct elf_segment s;
	enum status status;

	if (!p->memory_size && !p->file_size)
		return OK;
	if (parse->program)
		round_down(p);
	status = check_load(parse, p);
	if (status != OK)
		return status;
	if (p->align > parse->image->align)
		parse->image->align = p->align;
	s = (struct elf_segment){ .va = p->vaddr,
				  .pages = ((p->memory_size - 1) >> PAGE_SHIFT) + 1,
				  .offset = p->file_size ? p->offset : 0,
				  .file_size = p->file_size,
				  .write = p->flags & ELF_FLAG_W,
				  .execute = p->flags & ELF_FLAG_X,
				  .scratch = p->flags & ELF_SCRATCH };
	return insert(parse, &s);
}

/* Note where the name of the program's loader lies in the file. Of several names, the first counts, as on Linux. */
static enum status take_loader(const struct parse *parse, const struct elf_program *p)
{
	if (!parse->program)
		return fail(parse, ERR_FORMAT, "needs a loader, named at offset", p->offset);
	if (parse->image->loader_size)
		return OK;
	if (!in_file(parse, p->offset, p->file_size))
		return fail(parse, ERR_RANGE, "name of its loader ends outside the file, offset", p->offset);
	if (p->file_size < 2 || p->file_size > ELF_LOADER_NAME)
		return fail(parse, ERR_FORMAT, "name of its loader has a wrong size", p->file_size);
	parse->image->loader_offset = p->offset;
	parse->image->loader_size = p->file_size;
	return OK;
}

static enum status take_program(const struct parse *parse, struct elf_program *p)
{
	switch (p->type) {
	case ELF_PROGRAM_LOAD:
		return take_load(parse, p);
	case ELF_PROGRAM_NAME:
		return take_loader(parse, p);
	case ELF_PROGRAM_STACK:
		parse->image->stack_executable = p->flags & ELF_FLAG_X;
		return OK;
	case ELF_PROGRAM_NOTE:
		if (parse->program)
			return OK;
		if (!in_file(parse, p->offset, p->file_size))
			return fail(parse, ERR_RANGE, "notes end outside the file, offset", p->offset);
		if (parse->image->notes)
			return OK;
		parse->image->notes = parse->file + p->offset;
		parse->image->notes_size = p->file_size;
		return OK;
	default:
		return OK;
	}
}

static bool entry_is_executable(const struct elf_image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		const struct elf_segment *s = &image->segments[i];

		/* Only the bytes that come from the file count: the rest of the segment is zero, which is not code. */
		if (s->execute && image->entry >= s->va && image->entry - s->va < s->file_size)
			return true;
	}
	return false;
}

/*
 * Return where the program headers lie in memory: in the segment that contains those bytes of the file; 0 when no
 * segment does.
 */
static vaddr_t headers_in_memory(const struct elf_image *image, const struct elf_header *h)
{
	for (size_t i = 0; i < image->count; i++) {
		const struct elf_segment *s = &image->segments[i];

		if (h->program_offset >= s->offset && h->program_offset - s->offset < s->file_size)
			return s->va + (h->program_offset - s->offset);
	}
	return 0;
}

/*
 * Copy the ELF header out of the file's first bytes and check it. The file may lie at any address, and its headers at
 * any offset, so they may be unaligned: each is copied before it is read.
 */
static enum status take_header(const struct parse *parse, size_t have, struct elf_header *ret)
{
	if (have < sizeof(*ret))
		return fail(parse, ERR_FORMAT, "file shorter than an ELF header, bytes", have);
	memcpy(ret, parse->file, sizeof(*ret));
	return check_header(parse, ret);
}

static enum status take_programs(const struct parse *parse, const struct elf_header *h)
{
	struct elf_image *image = parse->image;
	enum status status = OK;

	*image = (struct elf_image){
		.entry = h->entry, .relocatable = h->type == ELF_TYPE_DYN, .headers = h->programs, .align = PAGE_SIZE
	};
	for (size_t i = 0; i < h->programs && status == OK; i++) {
		struct elf_program p;

		memcpy(&p, parse->programs + i * sizeof(p), sizeof(p));
		status = take_program(parse, &p);
	}
	if (status != OK)
		return status;
	if (!image->count)
		return fail(parse, ERR_FORMAT, "no segment to load among its program headers, of which there are",
			    h->programs);
	if (!entry_is_executable(image))
		return fail(parse, ERR_RANGE, "entry outside the executable segments, address", h->entry);
	image->headers_va = headers_in_memory(image, h);
	return OK;
}

enum status elf_parse(const void *file, size_t size, vaddr_t base, vaddr_t last, struct elf_image *ret_image,
		      struct elf_error *ret_error)
{
	struct parse parse = { file, NULL, size, false, base, last, ret_image, ret_error };
	struct elf_header h;
	enum status status = take_header(&parse, size, &h);

	if (status != OK)
		return status;
	parse.programs = parse.file + h.program_offset;
	return take_programs(&parse, &h);
}

enum status elf_find_programs(const void *start, size_t have, uint64_t size, uint64_t *ret_offset, size_t *ret_size,
			      struct elf_error *ret_error)
{
	const struct parse parse = { start, NULL, size, true, 0, 0, NULL, ret_error };
	struct elf_header h;
	enum status status = take_header(&parse, have, &h);

	if (status != OK)
		return status;
	*ret_offset = h.program_offset;
	*ret_size = h.programs * sizeof(struct elf_program);
	return OK;
}

enum status elf_parse_program(const void *start, const void *programs, uint64_t size, vaddr_t base, vaddr_t last,
			      struct elf_image *ret_image, struct elf_error *ret_error)
{
	const struct parse parse = { start, programs, size, true, base, last, ret_image, ret_error };
	struct elf_header h;
	enum status status = take_header(&parse, sizeof(h), &h);

	return status == OK ? take_programs(&parse, &h) : status;
}

/* Walk the notes (System V ABI, "Note Section"): the name and the content of each are padded to 4 bytes. */
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
