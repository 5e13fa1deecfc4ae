/* What the benchmark's operations read: see bench.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/user/bench/bench.h"

#define COUNTERS "/sys/kernel/ankeos/counters"

static enum meter chosen;
/* What the counter is read as, above what it says; and what each reading adds to it. */
static uint64_t readings, cost;

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* The number after `label`. Returns 0, or -1 when there is none; *ret is unchanged then. */
static int number_after(const char *text, const char *label, uint64_t *ret)
{
	const char *at = strstr(text, label);

	if (!at)
		return -1;
	*ret = strtoull(at + strlen(label), NULL, 10);
	return 0;
}

static int read_counter(enum meter meter, uint64_t *ret)
{
	char text[1024];
	uint64_t by_address, by_context;
	int fd = open(COUNTERS, O_RDONLY);
	ssize_t length;

	if (fd < 0)
		return -1;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length < 0)
		return -1;
	text[length] = '\0';
	if (meter == METER_CR3)
		return number_after(text, "CR3: ", ret);
	if (number_after(text, "invalidations: ", &by_address) || number_after(text, "by INVLPG, ", &by_context))
		return -1;
	*ret = by_address + by_context;
	return 0;
}

/* What a reading adds to the counter: the least of some, as a timer's tick falls into one or the other. Or -1. */
static int measure_cost(enum meter wanted)
{
	uint64_t first, second;

	cost = UINT64_MAX;
	for (int i = 0; i < 8; i++) {
		if (read_counter(wanted, &first) || read_counter(wanted, &second))
			return -1;
		if (second - first < cost)
			cost = second - first;
	}
	return 0;
}

int meter_choose(enum meter wanted)
{
	if (wanted != METER_TICKS) {
		mkdir("/sys", 0755);
		mount("sysfs", "/sys", "sysfs", 0, NULL);
		if (measure_cost(wanted))
			return -1;
	}
	chosen = wanted;
	readings = 0;
	return 0;
}

uint64_t meter_read(void)
{
	uint64_t count;

	if (chosen == METER_TICKS)
		return read_tsc();
	if (read_counter(chosen, &count))
		failed(COUNTERS, -1);
	return count - cost * readings++;
}
