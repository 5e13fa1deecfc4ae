/*
 * Changes the kernel's own text: for a debugger's breakpoints, and once at boot for smap.c.
 */
#pragma once

#include "paging/types.h"

/*
 * Marks a function that runs between a breakpoint's exception and the debugger: no breakpoint may be set in it, since
 * handling that one would hit it again, for ever.
 */
#define NO_BREAK __attribute__((section(".text.nobreak")))

/* A part of a function in which no breakpoint may be set. Assembly puts them into the section .nobreak_parts. */
struct nobreak_part {
	vaddr_t start, end;
};

/*
 * text_holds: return whether [va, va + size) lies in the kernel's text. text_may_break: return whether a breakpoint may
 * be set at `va`.
 */
bool text_holds(vaddr_t va, size_t size);
bool text_may_break(vaddr_t va);

/*
 * Write `size` bytes of the kernel's text. May be called whatever page tables are loaded. Returns ERR_RANGE, with
 * nothing changed, when some of the bytes lie outside the text. No table entry changes, so the text stays read-only in
 * all mappings, and an audit of the page tables never finds writable text. Only CR0.WP is off, for these few stores,
 * with interrupts off (Intel SDM vol. 3A, "Access Rights"). Writing through the direct map of RAM would need CR0.WP off
 * as well, and the page tables with the direct map loaded.
 */
MUST_CHECK enum status text_patch(vaddr_t va, const void *bytes, size_t size);
