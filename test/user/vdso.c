/*
 * Tests the vDSO: its functions must return what the system calls return, before and after the clock is set. Tests the
 * memory that the vDSO takes, too.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include "test/user/tap.h"

#define NS_PER_S  1000000000L
#define NS_PER_US 1000L
#define ROUNDS    20000
#define HOUR      3600

static int (*vdso_gettime)(clockid_t, struct timespec *);
static int (*vdso_getres)(clockid_t, struct timespec *);
static int (*vdso_gettimeofday)(struct timeval *, struct timezone *);
static time_t (*vdso_time)(time_t *);
static long (*vdso_getcpu)(unsigned *, unsigned *, void *);

/* ---- the symbols, found as a C library does ---- */

static const char *image;
static const Elf64_Sym *symbols;
static const char *names;
static size_t symbol_count;

static void read_dynamic(const Elf64_Dyn *d)
{
	for (; d->d_tag != DT_NULL; d++) {
		const char *at = image + d->d_un.d_ptr;

		if (d->d_tag == DT_SYMTAB)
			symbols = (const Elf64_Sym *)at;
		else if (d->d_tag == DT_STRTAB)
			names = at;
		else if (d->d_tag == DT_HASH)
			symbol_count = ((const uint32_t *)at)[1];
	}
}

static void *find(const char *name)
{
	for (size_t i = 0; i < symbol_count; i++)
		if (symbols[i].st_shndx && !strcmp(names + symbols[i].st_name, name))
			return (void *)(image + symbols[i].st_value);
	return NULL;
}

static bool find_all(void)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Phdr *p;

	if (!is_true(h && !memcmp(h->e_ident, ELFMAG, SELFMAG), (long)h, "AT_SYSINFO_EHDR is an ELF header"))
		return false;
	image = (const char *)h;
	p = (const Elf64_Phdr *)(image + h->e_phoff);
	for (int i = 0; i < h->e_phnum; i++)
		if (p[i].p_type == PT_DYNAMIC)
			read_dynamic((const Elf64_Dyn *)(image + p[i].p_vaddr));
	if (!is_true(symbols && names && symbol_count, (long)symbol_count, "it has symbols"))
		return false;
	vdso_gettime = find("__vdso_clock_gettime");
	vdso_getres = find("__vdso_clock_getres");
	vdso_gettimeofday = find("__vdso_gettimeofday");
	vdso_time = find("__vdso_time");
	vdso_getcpu = find("__vdso_getcpu");
	return is_true(vdso_gettime && vdso_getres && vdso_gettimeofday && vdso_time && vdso_getcpu, 0,
		       "it has the five functions");
}

/* ---- times ---- */

static long ns_of(struct timespec t)
{
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static long by_call(clockid_t clock)
{
	struct timespec t;
	long error = sys(SYS_clock_gettime, clock, &t);

	return error ? error : ns_of(t);
}

static long by_vdso(clockid_t clock)
{
	struct timespec t;
	long error = vdso_gettime(clock, &t);

	return error ? error : ns_of(t);
}

/*
 * Read a clock by turns by the vDSO and by a system call: neither may give an earlier time than the other gave before.
 * Returns how often one did.
 */
static long count_backward(clockid_t clock)
{
	long last = by_call(clock), wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		long now = i % 2 ? by_call(clock) : by_vdso(clock);

		wrong += now < last;
		last = now;
	}
	return wrong;
}

static void test_clocks(void)
{
	static const struct {
		clockid_t clock;
		const char *name;
	} clocks[] = {
		{ CLOCK_REALTIME, "CLOCK_REALTIME" },           { CLOCK_MONOTONIC, "CLOCK_MONOTONIC" },
		{ CLOCK_BOOTTIME, "CLOCK_BOOTTIME" },           { CLOCK_TAI, "CLOCK_TAI" },
		{ CLOCK_MONOTONIC_RAW, "CLOCK_MONOTONIC_RAW" },
	};
	struct timespec t;
	long coarse;

	for (size_t i = 0; i < COUNT(clocks); i++)
		is(count_backward(clocks[i].clock), 0, clocks[i].name);
	coarse = by_vdso(CLOCK_MONOTONIC_COARSE);
	is_between(coarse, 0, by_call(CLOCK_MONOTONIC), "a coarse clock does not go before");
	is_true(by_vdso(CLOCK_PROCESS_CPUTIME_ID) > 0, 0, "the process's time, which takes a call");
	is(vdso_gettime(12345, &t), -EINVAL, "a clock that is none");
	is(vdso_gettime(-1234567, &t), sys(SYS_clock_gettime, -1234567, &t), "a negative number");
	is(vdso_getres(CLOCK_MONOTONIC, &t), 0, "clock_getres");
	is(ns_of(t), 1, "its answer is a nanosecond");
	is(vdso_getres(CLOCK_REALTIME, NULL), 0, "clock_getres without a place for the answer");
	is(vdso_getres(12345, &t), -EINVAL, "clock_getres of no clock");
}

/* Check that the vDSO's three functions for the wall clock give times between those of two system calls. */
static void check_wall(const char *name)
{
	long before = by_call(CLOCK_REALTIME), us, seconds;
	struct timezone zone = { 1, 1 };
	struct timeval t;
	time_t stored = 0;

	vdso_gettimeofday(&t, &zone);
	us = t.tv_sec * 1000000 + t.tv_usec;
	seconds = vdso_time(&stored);
	is_between(us, before / NS_PER_US, by_call(CLOCK_REALTIME) / NS_PER_US, name);
	/* Linux's time() returns the coarse clock's time, which may be late by a tick. */
	is_between(seconds, before / NS_PER_S - 1, by_call(CLOCK_REALTIME) / NS_PER_S, "time");
	is(stored, seconds, "time stores what it returns");
	is(zone.tz_minuteswest, 0, "the time zone is UTC");
	is(vdso_gettimeofday(NULL, NULL), 0, "gettimeofday of nothing");
}

static void test_setting(void)
{
	struct timespec was, later;
	long before, monotonic = by_vdso(CLOCK_MONOTONIC), now;

	check_wall("gettimeofday");
	sys(SYS_clock_gettime, CLOCK_REALTIME, &was);
	later = was;
	later.tv_sec += HOUR;
	is(sys(SYS_clock_settime, CLOCK_REALTIME, &later), 0, "the clock is set an hour ahead");
	check_wall("gettimeofday afterwards");
	before = by_vdso(CLOCK_REALTIME);
	is_between((before - ns_of(was)) / NS_PER_S, HOUR, HOUR + 60, "the vDSO says the new time");
	is(sys(SYS_clock_settime, CLOCK_REALTIME, &was), 0, "the clock is set back");
	is_between((by_vdso(CLOCK_REALTIME) - ns_of(was)) / NS_PER_S, 0, 60, "the vDSO says that, too");
	now = by_vdso(CLOCK_MONOTONIC);
	is_between(now, monotonic, by_call(CLOCK_MONOTONIC), "monotonic time is not concerned");
}

static void test_cpu(void)
{
	unsigned cpu = 99, node = 99, called = 98;

	is(vdso_getcpu(&cpu, &node, NULL), 0, "getcpu");
	sys(SYS_getcpu, &called, NULL, NULL);
	/* The task may move to another CPU between the two calls, but a machine has no more CPUs than 64. */
	is_true(cpu == called || (cpu < 64 && called < 64), cpu, "the CPU's number");
	is(node, 0, "the node's number");
	is(vdso_getcpu(NULL, NULL, NULL), 0, "getcpu of nothing");
}

/* ---- memory ---- */

/* Find the mapping in /proc/self/maps that shows `name`. Returns its start and stores its rights; 0: there is none. */
static unsigned long shown(const char *name, char rights[5])
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long found = 0, start;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, name) && sscanf(line, "%lx-%*x %4s", &start, rights) == 2)
			found = start;
	if (maps)
		fclose(maps);
	return found;
}

static void test_memory(void)
{
	char rights[5] = "";
	unsigned long data;

	if (shown("[stack]", rights)) {
		is((long)shown("[vdso]", rights), (long)image, "[vdso] in /proc/self/maps");
		is_text(rights, "r-xp", "its rights");
		data = shown("[vvar]", rights);
		is_true(data && data < (unsigned long)image, (long)data, "[vvar] lies below");
		is_text(rights, "r--p", "its rights");
		is(in_child(touch_write, (void *)data), KILLED(SIGSEGV), "no program writes to [vvar]");
		is(in_child(touch_execute, (void *)data), KILLED(SIGSEGV), "nor executes it");
	}
	is(in_child(touch_write, (void *)(uintptr_t)image), KILLED(SIGSEGV), "no program writes to [vdso]");
	is(in_child(touch_read, (void *)(uintptr_t)image), EXITED(0x7f), "a child has it, too");
}

/* ---- the page of old ---- */

#define LEGACY 0xffffffffff600000UL

/* Call the legacy time() of the vsyscall page in a child: Linux may run without that page (vsyscall=none). */
static int ask_legacy_time(void *unused)
{
	(void)unused;
	return ((time_t(*)(time_t *))(LEGACY + 1024))(NULL) > 0 ? 0 : 1;
}

static void test_legacy(void)
{
	int (*legacy_gettimeofday)(struct timeval *, struct timezone *) = (void *)LEGACY;
	time_t (*legacy_time)(time_t *) = (void *)(LEGACY + 1024);
	long (*legacy_getcpu)(unsigned *, unsigned *, void *) = (void *)(LEGACY + 2048);
	long before = by_call(CLOCK_REALTIME) / NS_PER_S, us;
	unsigned cpu = 99, node = 99;
	struct timeval t = { 0 };
	time_t stored = 0;

	is(in_child(touch_read, (void *)LEGACY), KILLED(SIGSEGV), "the vsyscall page cannot be read");
	is(in_child(touch_execute, (void *)(LEGACY + 3072)), KILLED(SIGSEGV), "there is no fourth function");
	is(in_child(touch_execute, (void *)(LEGACY + 1)), KILLED(SIGSEGV), "nor anything inside of one");
	if (in_child(ask_legacy_time, NULL) != EXITED(0))
		return;
	is(legacy_gettimeofday(&t, NULL), 0, "the vsyscall page's gettimeofday");
	us = t.tv_sec;
	is_between(us, before, before + 60, "its time");
	is_between(legacy_time(&stored), before - 1, before + 60, "the vsyscall page's time");
	is_between(stored, before - 1, before + 60, "what it stores");
	is(legacy_getcpu(&cpu, &node, NULL), 0, "the vsyscall page's getcpu");
	is_true(cpu < 64 && node == 0, cpu, "its answers");
}

int main(void)
{
	if (!find_all())
		return finish();
	test_clocks();
	test_setting();
	test_cpu();
	test_memory();
	test_legacy();
	return finish();
}
