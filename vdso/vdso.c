/*
 * The vDSO: code that the kernel maps into every program, so that programs learn the time without a system call
 * (vdso(7)). The code reads the page of kernel/irq/clock_page.h, which lies right below it, and computes what the
 * kernel would answer. Where that is not possible it makes the system call. Nothing here is called by the kernel.
 */
#include <stddef.h>

#include "kernel/arch/cpu_vdso.h"
#include "kernel/irq/clock_page.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_US 1000

#define CALL_GETTIMEOFDAY  96
#define CALL_TIME          201
#define CALL_CLOCK_GETTIME 228
#define CALL_CLOCK_GETRES  229
#define CALL_GETCPU        309

/* What the time of a clock counts from: an index of clock_page.offsets, plus 1. */
enum clock_kind { UNKNOWN, MONOTONIC, WALL };

/*
 * The kinds of the clocks that are computed here, two bits each by its number (clock_gettime(2)): REALTIME, MONOTONIC,
 * MONOTONIC_RAW, REALTIME_COARSE, MONOTONIC_COARSE, BOOTTIME and TAI. The coarse ones are exact.
 */
#define CLOCKS 16
#define KINDS \
	(WALL << 0 | MONOTONIC << 2 | MONOTONIC << 8 | WALL << 10 | MONOTONIC << 12 | MONOTONIC << 14 | WALL << 22)

/* Linux's structures of these names. */
struct timespec {
	int64_t seconds, ns;
};

struct timeval {
	int64_t seconds, us;
};

struct timezone {
	int32_t minutes_west, summer_time;
};

/* The kernel's page; the linker script says where. */
extern const struct clock_page clock_page __attribute__((visibility("hidden")));

int __vdso_clock_gettime(int clock, struct timespec *to);
int __vdso_clock_getres(int clock, struct timespec *to);
/* Not inlined, since each of the entry points legacy_* below must fit into 16 bytes, enough for a jump to these. */
__attribute__((noinline)) int __vdso_gettimeofday(struct timeval *to, struct timezone *zone);
__attribute__((noinline)) int64_t __vdso_time(int64_t *to);
__attribute__((noinline)) int __vdso_getcpu(uint32_t *cpu, uint32_t *node, void *unused);

/*
 * Compute a clock's time in ns; kind is not UNKNOWN. Returns false when the kernel must be asked: also when it changes
 * the page meanwhile, which is rare. All that is read of the page must be read between the two looks at the sequence,
 * so the loads are atomic: the compiler keeps their order. The sequence only grows, so one that was odd at the first
 * look is never one less at the second.
 */
static inline bool read_clock(uint64_t kind, uint64_t *ret)
{
	const struct clock_page *page = &clock_page;
	const uint32_t even = __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE) & ~1U;
	const uint64_t offset = __atomic_load_n(&page->offsets[kind - 1], __ATOMIC_RELAXED);
	const uint64_t ticks = cpu_rdtsc_in_order() - __atomic_load_n(&page->start, __ATOMIC_RELAXED);
	const uint64_t multiplier = __atomic_load_n(&page->multiplier, __ATOMIC_RELAXED);
	const uint64_t shift = __atomic_load_n(&page->shift, __ATOMIC_RELAXED);

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&page->sequence, __ATOMIC_RELAXED) != even)
		return false;
	*ret = ((uint64_t)((unsigned __int128)(ticks << CLOCK_PAGE_BITS) * multiplier >> 64) >> shift) + offset;
	return true;
}

/* Return the enum clock_kind, as a number that needs no conversion to be an index. */
static inline uint64_t kind_of(int clock)
{
	return (unsigned)clock < CLOCKS ? (uint64_t)KINDS >> 2 * clock & 3 : UNKNOWN;
}

int __vdso_clock_gettime(int clock, struct timespec *to)
{
	const uint64_t kind = kind_of(clock);
	uint64_t ns;

	if (kind == UNKNOWN || !read_clock(kind, &ns))
		return (int)cpu_system_call(CALL_CLOCK_GETTIME, (uint64_t)clock, (uintptr_t)to, 0);
	to->seconds = (int64_t)(ns / NS_PER_S);
	to->ns = (int64_t)(ns % NS_PER_S);
	return 0;
}

int __vdso_gettimeofday(struct timeval *to, struct timezone *zone)
{
	uint64_t ns;

	if (!read_clock(WALL, &ns))
		return (int)cpu_system_call(CALL_GETTIMEOFDAY, (uintptr_t)to, (uintptr_t)zone, 0);
	if (to)
		*to = (struct timeval){ (int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S / NS_PER_US) };
	if (zone)
		*zone = (struct timezone){ 0, 0 };
	return 0;
}

int64_t __vdso_time(int64_t *to)
{
	uint64_t ns;

	if (!read_clock(WALL, &ns))
		return cpu_system_call(CALL_TIME, (uintptr_t)to, 0, 0);
	ns /= NS_PER_S;
	if (to)
		*to = (int64_t)ns;
	return (int64_t)ns;
}

int __vdso_clock_getres(int clock, struct timespec *to)
{
	if (kind_of(clock) == UNKNOWN)
		return (int)cpu_system_call(CALL_CLOCK_GETRES, (uint64_t)clock, (uintptr_t)to, 0);
	if (to)
		*to = (struct timespec){ 0, 1 };
	return 0;
}

int __vdso_getcpu(uint32_t *cpu, uint32_t *node, void *unused)
{
	(void)unused;
	if (!__atomic_load_n(&clock_page.numbered, __ATOMIC_RELAXED))
		return (int)cpu_system_call(CALL_GETCPU, (uintptr_t)cpu, (uintptr_t)node, 0);
	if (cpu)
		*cpu = cpu_number_by_rdtscp();
	if (node)
		*node = 0;
	return 0;
}

/*
 * Entry points for programs that know only the addresses of Linux's vsyscall page: the kernel makes a call of one of
 * its three functions continue here. Number n is 16 * n bytes behind the ELF file's entry (kernel/task/vdso.c).
 */
#define LEGACY(number) __attribute__((section(".text.legacy." #number), aligned(16), visibility("hidden")))

LEGACY(0) int legacy_gettimeofday(struct timeval *to, struct timezone *zone);
LEGACY(1) int64_t legacy_time(int64_t *to);
LEGACY(2) int legacy_getcpu(uint32_t *cpu, uint32_t *node, void *unused);

int legacy_gettimeofday(struct timeval *to, struct timezone *zone)
{
	return __vdso_gettimeofday(to, zone);
}

int64_t legacy_time(int64_t *to)
{
	return __vdso_time(to);
}

int legacy_getcpu(uint32_t *cpu, uint32_t *node, void *unused)
{
	return __vdso_getcpu(cpu, node, unused);
}

/* The names without a prefix, which programs may look up as well. */
int clock_gettime(int, struct timespec *) __attribute__((weak, alias("__vdso_clock_gettime")));
int gettimeofday(struct timeval *, struct timezone *) __attribute__((weak, alias("__vdso_gettimeofday")));
int64_t time(int64_t *) __attribute__((weak, alias("__vdso_time")));
int clock_getres(int, struct timespec *) __attribute__((weak, alias("__vdso_clock_getres")));
int getcpu(uint32_t *, uint32_t *, void *) __attribute__((weak, alias("__vdso_getcpu")));
