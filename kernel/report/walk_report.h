/*
 * Page-table entries and walks in words.
 */
#pragma once

#include "kernel/report/print.h"
#include "paging/space.h"

/* Room for rights_format's text. */
#define RIGHTS_TEXT 8

/* "rw-g": readable, writable, executable, global; a "u" behind it when users may. Returns `buffer`. */
char *rights_format(enum page_prot prot, char buffer[RIGHTS_TEXT]);

/* "WB", "WC", "WT" or "UC". */
const char *memory_type_name(enum page_prot prot);

/* "PTE", "PDE", "PDPTE", "PML4E" for levels 1 to 4. */
const char *entry_name(int level);

/* "4 KiB", "2 MiB", "1 GiB" for levels 1 to 3, "512 GiB" for what the CPU does not have. */
const char *leaf_size_name(int level);

/* A line for each level of the walk for `va`: entry, index, raw value, meaning. At most 4 lines of 80 columns. */
void walk_print(print_fn *print, const struct space *s, vaddr_t va);

/* One line: the leaf that maps `va` with its effective rights, or at which level there is none. */
void walk_print_leaf(print_fn *print, const struct space *s, vaddr_t va);
