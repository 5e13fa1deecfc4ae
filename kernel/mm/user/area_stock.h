/*
 * The memory of areas, with the kernel lock or in an open section (kernel/sync/open_section.h).
 */
#pragma once

#include "kernel/mm/user/area.h"
#include "kernel/sync/open_section.h"

/* Allocate an area, or free one. NULL: no memory, or in a section: none in stock. */
struct area *area_new(void);
void area_free(struct area *area);

#define AREA_STOCK_MOST 64 /* with more in stock, work that would free areas is done with the kernel lock instead */

/* Return whether a section on this CPU must not free areas, since there are too many in stock. */
bool area_stock_is_full(void);

/* Fill or empty this CPU's stock as its sections need it. Does nothing in a section, which must not use the heap. */
void area_stock_settle_slowly(void);
static inline void area_stock_settle(void)
{
	if (open_sections_are_used() && !open_section_is_here())
		area_stock_settle_slowly();
}
