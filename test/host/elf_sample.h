/*
 * A small ELF file that keeps every rule of elf_parse, for tests to break; and the rules once more, written down
 * independently, with the C library's <elf.h>.
 */
#pragma once

#include <elf.h>

#include "kernel/lib/elf.h"

#define SAMPLE_BASE 0xffffffff80000000ULL
#define SAMPLE_LAST UINT64_MAX

enum sample_program { SAMPLE_DATA, SAMPLE_TEXT, SAMPLE_BSS, SAMPLE_NOTE, SAMPLE_EMPTY, SAMPLE_PROGRAMS };

/* Segments are not in order of address; data and note share a page of the file. */
struct elf_sample {
	Elf64_Ehdr header;
	Elf64_Phdr programs[SAMPLE_PROGRAMS];
	uint8_t text[4096 - sizeof(Elf64_Ehdr) - SAMPLE_PROGRAMS * sizeof(Elf64_Phdr)];
	uint8_t data[100];
	struct {
		Elf64_Nhdr header;
		char name[8]; /* "AnkeOS" */
		uint64_t content;
	} __attribute__((packed)) note;
} __attribute__((packed));

void elf_sample_make(struct elf_sample *sample);

/*
 * NULL when elf_parse has to accept the file, else the first rule that it breaks.
 */
const char *elf_sample_broken_rule(const void *file, size_t size, vaddr_t base, vaddr_t last);

/* NULL when `image` says of the file, which breaks no rule, what its headers say; else what it has wrong. */
const char *elf_sample_wrong_image(const void *file, const struct elf_image *image);
