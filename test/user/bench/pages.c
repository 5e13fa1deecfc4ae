/* User memory: areas made and removed, pages touched, rights changed. See bench.h. */
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/mman.h>

#include "test/user/bench/bench.h"

#define RW (PROT_READ | PROT_WRITE)

/* Where touched memory goes: aligned, so that 1 MiB needs one page table, wherever the rest of the program lies. */
#define PLACE (1UL << 40)

/* `place`: where, when that is free, or 0. */
static char *map_at(unsigned long place, size_t bytes)
{
	long address = sys(SYS_mmap, place, bytes, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (address < 0 && address > -4096)
		failed("mmap", address);
	return (char *)address;
}

static char *map(size_t bytes)
{
	return map_at(0, bytes);
}

static void unmap(char *memory, size_t bytes)
{
	long result = sys(SYS_munmap, memory, bytes);

	if (result != 0)
		failed("munmap", result);
}

static void touch(volatile char *memory)
{
	for (size_t page = 0; page < PAGES; page++)
		memory[page * PAGE] = 1;
}

/* A page without rights on either side keeps the area from growing together with another. */
char *touched(void)
{
	char *memory = map((PAGES + 2) * PAGE);

	if (sys(SYS_mprotect, memory, PAGE, PROT_NONE) != 0 ||
	    sys(SYS_mprotect, memory + (PAGES + 1) * PAGE, PAGE, PROT_NONE) != 0)
		failed("mprotect of a guard", 0);
	touch(memory + PAGE);
	return memory + PAGE;
}

static uint64_t map_and_unmap(size_t bytes, unsigned count)
{
	uint64_t start = meter_read();

	while (count-- > 0)
		unmap(map(bytes), bytes);
	return meter_read() - start;
}

uint64_t bench_map_page(unsigned count)
{
	return map_and_unmap(PAGE, count);
}

uint64_t bench_map_megabyte(unsigned count)
{
	return map_and_unmap(PAGES * PAGE, count);
}

/* Make 1 MiB and touch each page, count / PAGES times; the ticks of the touching, and of the removal. */
static void touch_and_unmap(unsigned count, uint64_t *ret_touch, uint64_t *ret_unmap)
{
	*ret_touch = *ret_unmap = 0;
	for (unsigned i = 0; i < count / PAGES; i++) {
		char *memory = map_at(PLACE, PAGES * PAGE);
		uint64_t start = meter_read(), between;

		touch(memory);
		between = meter_read();
		unmap(memory, PAGES * PAGE);
		*ret_unmap += meter_read() - between;
		*ret_touch += between - start;
	}
}

uint64_t bench_fault(unsigned count)
{
	uint64_t touching, unmapping;

	touch_and_unmap(count, &touching, &unmapping);
	return touching;
}

uint64_t bench_unmap_touched(unsigned count)
{
	uint64_t touching, unmapping;

	touch_and_unmap(count, &touching, &unmapping);
	return unmapping;
}

/* The heap grows by a page and shrinks again; nothing touches the page. */
uint64_t bench_brk(unsigned count)
{
	long end = sys(SYS_brk, 0), result = 0;
	uint64_t start = meter_read();

	for (unsigned i = 0; i < count; i++) {
		result += sys(SYS_brk, end + (long)PAGE) - end;
		result -= sys(SYS_brk, end) - end;
	}
	start = meter_read() - start;
	if (result != (long)PAGE * (long)count)
		failed("brk", result);
	return start;
}

/* The middle one of three pages, read-only and back: each call counts. */
uint64_t bench_protect(unsigned count)
{
	char *memory = map(3 * PAGE);
	long result = 0;
	uint64_t start;

	memory[0] = memory[PAGE] = memory[2 * PAGE] = 1;
	start = meter_read();
	for (unsigned i = 0; i < count / 2; i++) {
		result |= sys(SYS_mprotect, memory + PAGE, PAGE, PROT_READ);
		result |= sys(SYS_mprotect, memory + PAGE, PAGE, RW);
	}
	start = meter_read() - start;
	if (result != 0)
		failed("mprotect", result);
	unmap(memory, 3 * PAGE);
	return start;
}

#define MOV_EAX 0xb8 /* followed by four bytes of the value */
#define RET     0xc3

/* Write a function that returns `value`. */
static void write_function(volatile unsigned char *at, unsigned value)
{
	at[0] = MOV_EAX;
	*(volatile unsigned *)(at + 1) = value;
	at[5] = RET;
}

static void check_sides(unsigned sum, unsigned count, void *code)
{
	if (sum != count * (count - 1) / 2)
		failed("functions that were written", sum);
	unmap(code, PAGE);
}

/* As a compiler at run time does: a function is written and called, in a page that is writable and executable. */
uint64_t bench_sides(unsigned count)
{
	char *code = map(PAGE);
	unsigned sum = 0;
	uint64_t start;

	if (sys(SYS_mprotect, code, PAGE, RW | PROT_EXEC) != 0)
		failed("mprotect of a page to write and to execute", -1);
	start = meter_read();
	for (unsigned i = 0; i < count; i++) {
		write_function((volatile unsigned char *)code, i);
		sum += ((unsigned (*)(void))(void *)code)();
	}
	start = meter_read() - start;
	check_sides(sum, count, code);
	return start;
}

/* The same in a page whose rights the program changes by itself, before the writing and before the call. */
uint64_t bench_sides_protect(unsigned count)
{
	char *code = map(PAGE);
	unsigned sum = 0;
	long result = 0;
	uint64_t start = meter_read();

	for (unsigned i = 0; i < count; i++) {
		result |= sys(SYS_mprotect, code, PAGE, RW);
		write_function((volatile unsigned char *)code, i);
		result |= sys(SYS_mprotect, code, PAGE, PROT_READ | PROT_EXEC);
		sum += ((unsigned (*)(void))(void *)code)();
	}
	start = meter_read() - start;
	if (result != 0)
		failed("mprotect of code", result);
	check_sides(sum, count, code);
	return start;
}
