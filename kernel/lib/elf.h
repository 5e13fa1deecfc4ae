/*
 * The one ELF parser, which the loader and exec use for x86-64 executables (System V ABI, "Object Files"; its AMD64
 * supplement). Only reads the file, and checks each field of it before use.
 */
#pragma once

#include "paging/types.h"

#define ELF_SEGMENTS    16
#define ELF_HEADER      64        /* bytes of the header at a file's start */
#define ELF_PROGRAMS    (64 * 56) /* the most bytes of program headers: 64, of 56 bytes each */
#define ELF_LOADER_NAME 4096      /* the most bytes of a loader's name with its NUL: Linux's PATH_MAX */

/* A PT_LOAD program header that has been checked. Guard: as for struct elf_image, below. */
struct elf_segment {
	vaddr_t va;         /* page-aligned start of the segment */
	uint64_t pages;     /* pages that the segment covers */
	uint64_t offset;    /* where in the file the byte for `va` is; congruent to va modulo the page size */
	uint64_t file_size; /* bytes from va on that come from the file; the rest is zero */
	bool write;
	bool execute;
	bool scratch; /* ELF_SCRATCH: memory without bytes in the file need not be zeroed */
};

/*
 * A flag of AnkeOS's own, in the bits of p_flags that ELF leaves to the OS (PF_MASKOS): the segment's memory need not
 * be zeroed, since nobody reads it before writing it; a stack, for example.
 */
#define ELF_SCRATCH 0x00100000

/* What the headers say. Guard: the caller. */
struct elf_image {
	vaddr_t entry;
	struct elf_segment segments[ELF_SEGMENTS]; /* sorted by va, no overlap */
	size_t count;
	const void *notes; /* the first PT_NOTE's bytes in the file, or NULL */
	size_t notes_size;
	/* The rest is about user programs: */
	bool relocatable;       /* ET_DYN: all addresses here are relative to where the caller puts the image */
	bool stack_executable;  /* the program asks for a stack that can be executed: PT_GNU_STACK with PF_X */
	uint64_t align;         /* the largest alignment of a segment, at least a page; the image's place needs it */
	vaddr_t headers_va;     /* where the program headers lie in memory; 0: nowhere */
	uint16_t headers;       /* how many program headers */
	uint64_t loader_offset; /* where in the file the name of its loader lies (PT_INTERP) */
	uint64_t loader_size;   /* bytes of that name, with its NUL; 0: the program needs no loader */
};

/* What is wrong, and the wrong value: two pieces of the one line that the user gets to see. */
struct elf_error {
	const char *what;
	uint64_t value;
};

/*
 * Check the file and fill *ret_image. `file` needs no alignment and must outlive *ret_image.
 * Allowed is an ELFCLASS64, little-endian, ET_EXEC, EM_X86_64 file without an interpreter whose PT_LOAD segments
 *   - have their file bytes inside the file, and no more of them than of memory;
 *   - start at a page, congruent to the file offset, and congruent modulo their own alignment;
 *   - lie inside [base, last] with all bytes of all their pages (`last` is included: a range may end at 2^64);
 *   - share no page, and are not both writable and executable;
 * and whose entry point is a byte of the file in an executable segment. Empty segments are skipped.
 * Returns ERR_FORMAT (not such a file), ERR_RANGE (an address, an offset or a size), ERR_EXISTS (overlap), ERR_RIGHTS
 * (W+X); *ret_error then says what and which value. On error *ret_image is undefined.
 */
MUST_CHECK enum status elf_parse(const void *file, size_t size, vaddr_t base, vaddr_t last, struct elf_image *ret_image,
				 struct elf_error *ret_error);

/*
 * Find the program headers of a user program, which lie anywhere in the file: *ret_size bytes, at most ELF_PROGRAMS,
 * from *ret_offset on. `start`: the first `have` bytes of a file of `size` bytes, of which ELF_HEADER are looked at.
 * Returns ERR_FORMAT with *ret_error set; *ret_offset and *ret_size are untouched then.
 */
MUST_CHECK enum status elf_find_programs(const void *start, size_t have, uint64_t size, uint64_t *ret_offset,
					 size_t *ret_size, struct elf_error *ret_error);

/*
 * Check a user program and fill *ret_image: elf_parse() with other rules. `start` holds the file's first ELF_HEADER
 * bytes and `programs` its program headers, both as elf_find_programs() saw them; `size` is the file's. Segments may
 * start inside a page: they are widened to whole pages of memory and of the file. ET_DYN is allowed: its addresses, and
 * then `base` and `last` too, are relative to where the caller loads it. PT_INTERP is allowed; the loader's name is not
 * read here. Notes are not looked at. A segment may be writable and executable.
 */
MUST_CHECK enum status elf_parse_program(const void *start, const void *programs, uint64_t size, vaddr_t base,
					 vaddr_t last, struct elf_image *ret_image, struct elf_error *ret_error);

/*
 * Return the content of the first note `name`/`type` with at least `size` bytes, or NULL. The content may be unaligned.
 */
const void *elf_note(const struct elf_image *image, const char *name, uint32_t type, size_t size);
