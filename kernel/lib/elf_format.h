/*
 * The headers of ELF files as they lie in the file, which elf.c checks and core_dump.c writes: System V ABI, "ELF
 * Header", "Program Header".
 */
#pragma once

#include <stdint.h>

#define ELF_CLASS_64      2 /* in ident[4] */
#define ELF_LITTLE_ENDIAN 1 /* in ident[5] */
#define ELF_VERSION       1 /* in ident[6] and `version` */
#define ELF_TYPE_EXEC     2
#define ELF_TYPE_DYN      3
#define ELF_TYPE_CORE     4
#define ELF_X86_64        62 /* in `machine` */

/* Elf64_Ehdr. */
struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_offset, section_offset;
	uint32_t flags;
	uint16_t size, program_size, programs, section_size, sections, section_names;
};

#define ELF_PROGRAM_LOAD  1
#define ELF_PROGRAM_NAME  3 /* PT_INTERP: names the loader that the program needs */
#define ELF_PROGRAM_NOTE  4
#define ELF_PROGRAM_STACK 0x6474e551 /* PT_GNU_STACK: the rights of the program's stack */
#define ELF_FLAG_X        1
#define ELF_FLAG_W        2
#define ELF_FLAG_R        4

/* Elf64_Phdr: the header of a segment. */
struct elf_program {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, file_size, memory_size, align;
};

_Static_assert(sizeof(struct elf_header) == 64 && sizeof(struct elf_program) == 56, "ELF-64 Object File Format");
