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

/* Return whether [va, va + size) lies in the kernel's text; and whether a breakpoint may be set at `va`. */
bool text_holds(vaddr_t va, size_t size);
bool text_may_break(vaddr_t va);

/*
 * Write `size` bytes of the kernel's text. May be called in any context. Returns ERR_RANGE (not all of it is text);
 * nothing has changed then.
 *
 * No table entry changes, so the text stays read-only in the image's mapping and in the direct map's, and an audit
 * finds nothing at any time: only CR0.WP is off, for these few stores, with interrupts off (Intel SDM vol. 3A, "Access
 * Rights"). Writing through the direct map instead would need the same, and the kernel context besides.
 */
MUST_CHECK enum status text_patch(vaddr_t va, const void *bytes, size_t size);
