/*
 * A fuzzer without a fuzzing engine: runs over each file of a directory as it is, then over damaged copies of it. Finds
 * less than libFuzzer does, in a second and with any compiler. usage: FUZZER DIRECTORY [COPIES]; SEED repeats a run.
 */
#include <dirent.h>
#include <string.h>

#include "test/fuzz/fuzz.h"
#include "test/host/random.h"

#define INPUT_MOST 65536

/* Flip a bit, set a byte, copy a piece to another place, cut the end off. */
static size_t damage(struct random *r, uint8_t *data, size_t size)
{
	size_t from, to, length;

	if (!size)
		return 0;
	/* Half of the damage at the beginning: headers are there. */
	to = random_below(r, random_below(r, 2) && size > 400 ? 400 : size);
	switch (random_below(r, 8)) {
	case 0:
		from = random_below(r, size);
		length = random_below(r, size - (from > to ? from : to));
		memmove(data + to, data + from, length);
		return size;
	case 1:
		return random_below(r, 8) ? size : to;
	case 2:
	case 3:
		data[to] = (uint8_t)random_next(r);
		return size;
	default:
		data[to] ^= (uint8_t)(1 << random_below(r, 8));
		return size;
	}
}

static void run_file(const char *path, struct random *r, long copies)
{
	static uint8_t original[INPUT_MOST], copy[INPUT_MOST];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		exit(1);
	}
	size = fread(original, 1, sizeof(original), file);
	fclose(file);
	LLVMFuzzerTestOneInput(original, size);
	for (long i = 0; i < copies; i++) {
		size_t left = size;

		memcpy(copy, original, size);
		for (uint64_t n = 1 + random_below(r, 4); n > 0; n--)
			left = damage(r, copy, left);
		LLVMFuzzerTestOneInput(copy, left);
	}
}

int main(int argc, char **argv)
{
	long copies = argc > 2 ? strtol(argv[2], NULL, 0) : 5000;
	struct dirent *entry;
	struct random r;
	char path[4096];
	int files = 0;
	DIR *directory;

	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY [COPIES]\n", argv[0]);
		return 1;
	}
	r = random_start(argv[0]);
	directory = opendir(argv[1]);
	if (!directory) {
		perror(argv[1]);
		return 1;
	}
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		run_file(path, &r, copies);
		files++;
	}
	closedir(directory);
	printf("%s: %d files and %ld damaged copies of each\n", argv[0], files, copies);
	return files ? 0 : 1;
}
