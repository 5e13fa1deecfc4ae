/*
 * What gzip(1) packs comes out as it was, piece by piece; what is damaged is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/lib/gzip.h"
#include "test/host/random.h"

/* What has been unpacked. */
static struct {
	struct gzip gzip; /* must be the first member */
	uint8_t bytes[2 << 20];
	size_t size, most; /* bytes so far; it wants no more than `most` */
} work;

static bool keep(struct gzip *gzip, const uint8_t *bytes, size_t size)
{
	assert_ptr_equal(gzip, &work.gzip);
	assert_true(size && size <= INFLATE_HISTORY + INFLATE_PIECE);
	if (size > work.most - work.size)
		return false;
	memcpy(work.bytes + work.size, bytes, size);
	work.size += size;
	assert_int_equal(gzip->unpacked, work.size);
	return true;
}

static enum status unpack_most(const void *packed, size_t size, size_t most, uint64_t *ret_packed,
			       const char **ret_what)
{
	work.size = 0;
	work.most = most;
	return gzip_unpack(&work.gzip, packed, size, keep, ret_packed, ret_what);
}

static enum status unpack(const void *packed, size_t size, uint64_t *ret_packed, const char **ret_what)
{
	return unpack_most(packed, size, sizeof(work.bytes), ret_packed, ret_what);
}

/* `data` as `gzip OPTIONS` packs it; freed by the caller. */
static uint8_t *pack(const char *options, const void *data, size_t size, size_t *ret_size)
{
	char in[] = "/tmp/ankeos-inflate-XXXXXX", command[256];
	size_t room = size + size / 8 + 65536;
	uint8_t *packed = malloc(room);
	int file = mkstemp(in);
	FILE *pipe;

	assert_true(file >= 0 && packed);
	assert_int_equal(write(file, data, size), size);
	close(file);
	snprintf(command, sizeof(command), "gzip -c %s %s", options, in);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	*ret_size = fread(packed, 1, room, pipe);
	assert_int_equal(pclose(pipe), 0);
	unlink(in);
	return packed;
}

/* Content with runs, repetitions near and far, and noise: all kinds of blocks and lengths. */
static uint8_t *content(struct random *r, size_t size, unsigned kind)
{
	uint8_t *data = malloc(size + 1);

	for (size_t at = 0; at < size;) {
		size_t run = 1 + random_below(r, 300), back = 1 + random_below(r, 33000);

		for (; run && at < size; run--, at++)
			data[at] = kind == 0                                ? (uint8_t)random_next(r)
				   : kind == 1                              ? 'a'
				   : back <= at && random_below(r, 100) > 2 ? data[at - back]
									    : (uint8_t)random_below(r, kind * 8);
	}
	return data;
}

static void expect_unpacks(const uint8_t *packed, size_t packed_size, const uint8_t *data, size_t size)
{
	const char *what = NULL;
	uint64_t used = 7;

	if (unpack(packed, packed_size, &used, &what) != OK)
		fail_msg("%s", what);
	assert_int_equal(used, packed_size);
	assert_int_equal(work.size, size);
	assert_memory_equal(work.bytes, data, size);
	/* Who wants less gets no more, and that is no fault of the data. */
	used = 7;
	if (size)
		assert_int_equal(unpack_most(packed, packed_size, size - 1, &used, &what), ERR_RANGE);
	assert_int_equal(used, 7);
	assert_null(what);
}

static void what_gzip_packs_comes_out(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 100, 4096, 70000, 1 << 20 };
	static const char *const options[] = { "-1", "-6n", "-9" };
	struct random r = random_start("inflate");

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (unsigned kind = 0; kind < 12; kind++) {
			uint8_t *data = content(&r, sizes[i], kind);
			size_t packed_size;
			uint8_t *packed = pack(options[kind % 3], data, sizes[i], &packed_size);
			uint64_t used;
			const char *what;

			expect_unpacks(packed, packed_size, data, sizes[i]);
			/* What follows is left alone, and not needed. */
			memset(packed + packed_size, 0xff, 100);
			assert_int_equal(unpack(packed, packed_size + 100, &used, &what), OK);
			assert_int_equal(used, packed_size);
			free(packed);
			free(data);
		}
	}
}

/* Each byte of the text is one of the file, or all of `packed` is a size. */
static void expect_refused(const uint8_t *packed, size_t size, const char *why)
{
	uint8_t *exact = malloc(size ? size : 1);
	const char *what = NULL;
	uint64_t used;

	memcpy(exact, packed, size);
	assert_int_equal(unpack(exact, size, &used, &what), ERR_FORMAT);
	if (!strstr(what, why))
		fail_msg("expected \"%s\", saw \"%s\"", why, what);
	free(exact);
}

#define HEADER             "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
#define REFUSED(text, why) expect_refused((const uint8_t *)(text), sizeof(text) - 1, why)

static void damage_is_named(void **state)
{
	static const char hello[] = HEADER "\x01\x05\x00\xfa\xffhello\x86\xa6\x10\x36\x05\x00\x00\x00";
	char bad[sizeof(hello)];

	(void)state;
	expect_unpacks((const uint8_t *)hello, sizeof(hello) - 1, (const uint8_t *)"hello", 5);
	for (size_t size = 0; size < sizeof(hello) - 1; size++)
		expect_refused((const uint8_t *)hello, size, size < 2 ? "no gzip header" : "early");
	memcpy(bad, hello, sizeof(hello));
	bad[sizeof(HEADER) - 1 + 5] = 'j';
	REFUSED(bad, "checksum");
	/* What came out before is the caller's. */
	assert_int_equal(work.size, 5);
	assert_memory_equal(work.bytes, "jello", 5);
	memcpy(bad, hello, sizeof(hello));
	bad[sizeof(hello) - 2] = 1;
	REFUSED(bad, "another size");
	REFUSED("PK" HEADER, "no gzip header");
	REFUSED("\x1f\x8b\x07\x00\x00\x00\x00\x00\x00\x03", "unknown kind");
	REFUSED("\x1f\x8b\x08\x80\x00\x00\x00\x00\x00\x03", "unknown kind");
	REFUSED("\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\x03\xff\xff", "header ends early");
	REFUSED("\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03name", "header ends early");
	REFUSED("\x1f\x8b\x08\x02\x00\x00\x00\x00\x00\x03\x01", "header ends early");
	REFUSED(HEADER "\x07", "a kind that does not exist");
	REFUSED(HEADER "\x01\x05\x00\xfb\xffhello", "complement");
	/* Fixed codes: length 3, distance 1, at the very start. Then symbols 286, and distance 30. */
	REFUSED(HEADER "\x03\x02\x00\x00", "before the start");
	REFUSED(HEADER "\x1b\x03\x00\x00", "length that does not exist");
	REFUSED(HEADER "\x4b\x04\x3e\x00\x00", "distance that does not exist");
	/* Own codes: 31 distances; no code at all for the lengths; one that is used up twice over. */
	REFUSED(HEADER "\x05\x1f\x00\x00", "too many codes");
	REFUSED(HEADER "\x05\x00\x00\x00\x00\x00\x00", "stands for nothing");
	REFUSED(HEADER "\x05\xe0\xff\xff\xff\xff\xff\xff\xff\xff\xff", "do not fit");
}

/* Any damaged copy is unpacked or refused, and nothing beyond it is touched (the sanitizer looks). */
static void damaged_copies_stay_inside(void **state)
{
	struct random r = random_start("inflate damage");
	uint64_t accepted = 0;

	(void)state;
	for (unsigned kind = 2; kind < 10; kind++) {
		uint8_t *data = content(&r, 3000, kind);
		size_t size;
		uint8_t *packed = pack("-n", data, 3000, &size);

		for (int round = 0; round < 3000; round++) {
			size_t kept = random_below(&r, 10) ? size : random_below(&r, size);
			uint8_t *copy = malloc(kept ? kept : 1);
			const char *what = NULL;
			uint64_t used;

			memcpy(copy, packed, kept);
			for (uint64_t n = random_below(&r, 4) + 1; n && kept > 10; n--)
				copy[10 + random_below(&r, kept - 10)] ^= (uint8_t)(1 << random_below(&r, 8));
			if (unpack(copy, kept, &used, &what) == OK) {
				assert_true(used <= kept);
				accepted++;
			}
			free(copy);
		}
		free(packed);
		free(data);
	}
	/* Two flips of one bit leave it whole; the checksum finds nearly all else. */
	assert_in_range(accepted, 0, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_gzip_packs_comes_out),
		cmocka_unit_test(damage_is_named),
		cmocka_unit_test(damaged_copies_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
