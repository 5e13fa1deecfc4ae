/*
 * Describes page-table entries and walks as text, for people to read.
 */
#pragma once

#include "kernel/report/print.h"
#include "paging/space.h"

/* Room for rights_format's text. */
#define RIGHTS_TEXT 8

/*
 * Write rights as "rw-g": readable, writable, executable, global; a "u" follows when user mode may access the page.
 * Returns `buffer`.
 */
char *rights_format(enum page_prot prot, char buffer[RIGHTS_TEXT]);

/* Return the memory type's name: "WB", "WC", "WT" or "UC". */
const char *memory_type_name(enum page_prot prot);

/* Return what an entry of level 1 to 4 is called: "PTE", "PDE", "PDPTE", "PML4E". */
const char *entry_name(int level);

/* Return the size of a leaf of level 1 to 3: "4 KiB", "2 MiB", "1 GiB"; "512 GiB" for level 4, which no CPU has. */
const char *leaf_size_name(int level);

/* Print a line for each level of the page-table walk for `va`: entry, index, raw value, meaning. */
void walk_print(print_fn *print, const struct space *s, vaddr_t va);

/*
 * Print one line: the leaf that maps `va` with its effective rights, or the level at which the walk ends without one.
 */
void walk_print_leaf(print_fn *print, const struct space *s, vaddr_t va);
