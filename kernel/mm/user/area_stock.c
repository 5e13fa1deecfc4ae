/*
 * The memory of areas. It comes from the heap, whose locks an open section must not wait for (docs/locking.md). So each
 * CPU keeps a stock of areas for its sections, which take areas from it and add those that they free. Where there are
 * no sections, with one CPU, the stock stays empty.
 */
#include "kernel/mm/user/area_stock.h"

#include "kernel/mm/heap/heap.h"

#define STOCK_FEW  4  /* with fewer, the stock is filled: a section takes two for a call, at the ends of a range */
#define STOCK_GOOD 32 /* how many there are after filling or emptying */

/*
 * The areas in stock, linked by next_of_object. Guard of both: own CPU, in an open section or with the kernel lock.
 */
static PER_CPU struct area *stock;
static PER_CPU unsigned stock_count;

static struct area *stock_take(void)
{
	struct area *area = per_cpu(stock);

	if (!area)
		return NULL;
	per_cpu(stock) = area->next_of_object;
	per_cpu(stock_count)--;
	return area;
}

static void stock_add(struct area *area)
{
	area->next_of_object = per_cpu(stock);
	per_cpu(stock) = area;
	per_cpu(stock_count)++;
}

bool area_stock_is_full(void)
{
	return per_cpu(stock_count) > AREA_STOCK_MOST;
}

void area_stock_settle_slowly(void)
{
	struct area *area;

	if (per_cpu(stock_count) > AREA_STOCK_MOST)
		while (per_cpu(stock_count) > STOCK_GOOD)
			kfree(stock_take());
	if (per_cpu(stock_count) >= STOCK_FEW)
		return;
	while (per_cpu(stock_count) < STOCK_GOOD && (area = kmalloc(sizeof(*area))) != NULL)
		stock_add(area);
}

struct area *area_new(void)
{
	if (likely(!open_sections_are_used()))
		return kmalloc(sizeof(struct area));
	if (open_section_is_here())
		return stock_take();
	area_stock_settle_slowly();
	return kmalloc(sizeof(struct area));
}

void area_free(struct area *area)
{
	if (open_section_is_here())
		stock_add(area);
	else
		kfree(area);
}
