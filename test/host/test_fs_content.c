/*
 * Contents of files against a plain array of bytes: random reads, writes and truncations, of files that start empty and
 * of files that lie in an archive, aligned or not; and what mmap(2) gets of them.
 */
#include "test/host/fs_user.h"

#define MODEL_BYTES (400 * KIB)
#define PLACE_BYTES (300 * KIB + 123)

static uint8_t model[MODEL_BYTES];
static uint64_t model_size;

static int start(void **state)
{
	(void)state;
	fs_start();
	return 0;
}

static int end(void **state)
{
	(void)state;
	fs_end();
	return 0;
}

/* A file whose content lies `offset` bytes into the archive's memory; SIZE_MAX: an empty one. */
static struct file *open_file(uint64_t offset)
{
	struct file *file;

	memset(model, 0, sizeof(model));
	model_size = 0;
	assert_int_equal(path_open(&fs_base, "file", O_CREAT | O_RDWR, 0644, &file), 0);
	if (offset == UINT64_MAX)
		return file;
	/* What lies around the file must never be seen, nor written. */
	memset(fs_machine->memory, 0xee, MIB);
	for (uint64_t i = 0; i < PLACE_BYTES; i++)
		fs_machine->memory[offset + i] = (char)(model[i] = (uint8_t)(i * 7 + i / 255));
	model_size = PLACE_BYTES;
	tmpfs_use_in_place(file->node, paddr(FS_BASE + offset), PLACE_BYTES);
	return file;
}

static void check_mapping(struct file *file, uint64_t page, bool write)
{
	struct memory_object *object;
	enum status status;
	paddr_t pa;
	uint8_t *bytes;

	assert_int_equal(file_object(file, &object), 0);
	status = write ? object->ops->write_frame(object, page, &pa) : object->ops->frame(object, page, &pa);
	if (page * PAGE_SIZE >= model_size) {
		assert_int_equal(status, ERR_RANGE);
		return;
	}
	assert_int_equal(status, OK);
	bytes = (uint8_t *)(store_host_direct + pa.raw);
	for (uint64_t i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(bytes[i], page * PAGE_SIZE + i < model_size ? model[page * PAGE_SIZE + i] : 0);
	/* Through a shared mapping even what is behind the end can be written. */
	if (write) {
		for (uint64_t i = 0; i < PAGE_SIZE; i += 97) {
			bytes[i] ^= 0x55;
			if (page * PAGE_SIZE + i < model_size)
				model[page * PAGE_SIZE + i] ^= 0x55;
		}
	}
	/* What lies in place is mapped there, read or written, and nobody counts it. */
	if (pa.raw >= FS_BASE + MIB) {
		assert_true(frame_refs(&machine_frames, FRAME_4K, pa) >= 2);
		assert_false(frame_put(&machine_frame_cache, FRAME_4K, pa));
	}
	/* The tail that was written must be gone once the file is longer; for now it may be seen. */
	if (write && page == (model_size - 1) / PAGE_SIZE)
		memset(bytes + (model_size - 1) % PAGE_SIZE + 1, 0, PAGE_SIZE - 1 - (model_size - 1) % PAGE_SIZE);
}

static void one_step(struct file *file, struct random *r)
{
	static uint8_t buffer[20000];
	uint64_t offset = random_below(r, MODEL_BYTES - sizeof(buffer));
	size_t size = 1 + random_below(r, random_below(r, 2) ? 300 : sizeof(buffer) - 1);
	int64_t done;

	switch (random_below(r, 8)) {
	case 0:
	case 1:
		for (size_t i = 0; i < size; i++)
			buffer[i] = model[offset + i] = (uint8_t)random_next(r);
		user_set(0, buffer, size);
		done = WITH_USER_IO(io, 0, size, file_pwrite(file, &io, offset));
		assert_int_equal(done, size);
		if (offset + size > model_size)
			model_size = offset + size;
		break;
	case 2:
		if (random_below(r, 10))
			break;
		assert_int_equal(node_truncate(file->node, offset), 0);
		if (offset < model_size)
			memset(model + offset, 0, model_size - offset);
		model_size = offset;
		break;
	case 3:
		check_mapping(file, random_below(r, MODEL_BYTES / PAGE_SIZE), random_below(r, 2));
		break;
	default:
		done = WITH_USER_IO(io, 0, size, file_pread(file, &io, offset));
		assert_int_equal(done, offset >= model_size         ? 0
				       : offset + size > model_size ? (int64_t)(model_size - offset)
								    : (int64_t)size);
		user_get(0, buffer, done > 0 ? (size_t)done : 0);
		assert_memory_equal(buffer, model + offset, (size_t)done);
	}
	assert_int_equal(file->node->size, model_size);
}

static void random_steps(uint64_t offset, const char *name)
{
	struct random r = random_start(name);
	struct file *file = open_file(offset);

	for (int i = 0; i < 3000; i++)
		one_step(file, &r);
	if (offset != UINT64_MAX) {
		for (uint64_t i = 0; i < MIB; i++)
			if (i < offset || i >= offset + PLACE_BYTES)
				assert_int_equal((uint8_t)fs_machine->memory[i], 0xee);
	}
	file_put(file);
	assert_int_equal(path_unlink(&fs_base, "file"), 0);
}

static void an_empty_file_is_like_an_array(void **state)
{
	(void)state;
	random_steps(UINT64_MAX, "empty");
}

static void an_aligned_file_in_place_is_like_an_array(void **state)
{
	(void)state;
	random_steps(8 * PAGE_SIZE, "aligned");
}

static void an_unaligned_file_in_place_is_like_an_array(void **state)
{
	(void)state;
	random_steps(5 * PAGE_SIZE + 1236, "unaligned");
}

/* Reading and mapping an aligned file takes no frame but for its last, partial page. */
static void an_aligned_file_is_not_copied(void **state)
{
	struct file *file = open_file(8 * PAGE_SIZE);
	struct memory_object *object;
	uint64_t frames = frame_free_count(&machine_frames);
	paddr_t pa;

	(void)state;
	assert_int_equal(WITH_USER_IO(io, 0, 200 * KIB, file_read(file, &io)), 200 * KIB);
	assert_int_equal(file_object(file, &object), 0);
	for (uint64_t page = 0; page < PLACE_BYTES / PAGE_SIZE; page++) {
		assert_int_equal(object->ops->frame(object, page, &pa), OK);
		assert_int_equal(pa.raw, FS_BASE + (8 + page) * PAGE_SIZE);
	}
	assert_int_equal(frame_free_count(&machine_frames), frames);
	check_mapping(file, PLACE_BYTES / PAGE_SIZE, false);
	assert_int_equal(frame_free_count(&machine_frames), frames - 1);
	/* Nor does writing, by a call or through a mapping. */
	check_mapping(file, 1, true);
	check_mapping(file, 1, false);
	assert_int_equal(frame_free_count(&machine_frames), frames - 1);
	file_put(file);
}

static void holes_cost_nothing_and_limits_hold(void **state)
{
	struct file *file = open_file(UINT64_MAX);
	uint64_t frames = frame_free_count(&machine_frames);
	struct linux_stat stat;

	(void)state;
	assert_int_equal(node_truncate(file->node, 1ULL << 62), 0);
	assert_int_equal(frame_free_count(&machine_frames), frames);
	assert_int_equal(WITH_USER_IO(io, 0, 1, file_pwrite(file, &io, (1ULL << 62) + 5)), 1);
	assert_int_equal(frame_free_count(&machine_frames), frames - 1);
	node_stat(file->node, &stat);
	assert_int_equal(stat.blocks, 8);
	assert_int_equal(node_truncate(file->node, 1ULL << 63), -EFBIG);
	assert_int_equal(WITH_USER_IO(io, 0, 1, file_pwrite(file, &io, INT64_MAX)), -EINVAL);
	assert_int_equal(WITH_USER_IO(io, 0, 1, file_pwrite(file, &io, 1ULL << 63)), -EINVAL);
	assert_int_equal(WITH_USER_IO(io, 0, 9, file_pwrite(file, &io, INT64_MAX - 1)), -EINVAL);
	assert_int_equal(WITH_USER_IO(io, 0, 1, file_pwrite(file, &io, INT64_MAX - 1)), 1);
	assert_int_equal(file_seek(file, -1, SEEK_SET), -EINVAL);
	assert_int_equal(file_seek(file, 0, SEEK_END), INT64_MAX);
	assert_int_equal(file_seek(file, 1, SEEK_CUR), -EINVAL);
	assert_int_equal(file_seek(file, 7, SEEK_SET), 7);
	assert_int_equal(file_seek(file, 7, 9), -EINVAL);
	assert_int_equal(node_truncate(file->node, 0), 0);
	assert_int_equal(frame_free_count(&machine_frames), frames);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 5, file_pwrite(file, &io, 0)), -EFAULT);
	assert_int_equal(file->node->size, 0);
	file_put(file);
}

static void out_of_memory_changes_nothing(void **state)
{
	struct file *file = open_file(UINT64_MAX);
	uint64_t frames = frame_free_count(&machine_frames);

	(void)state;
	for (uint64_t n = 1;; n++) {
		int64_t done;

		fs_heap_fail_in = n;
		done = WITH_USER_IO(io, 0, 1, file_pwrite(file, &io, 1ULL << 40));
		fs_heap_fail_in = 0;
		if (done == 1)
			break;
		assert_int_equal(done, -ENOMEM);
		assert_int_equal(file->node->size, 0);
		assert_int_equal(frame_free_count(&machine_frames), frames);
	}
	assert_int_equal(node_truncate(file->node, 0), 0);
	frame_fail_nth(&machine_frame_cache, 1);
	assert_int_equal(WITH_USER_IO(io, 0, 1, file_pwrite(file, &io, 0)), -ENOMEM);
	assert_int_equal(file->node->size, 0);
	frame_fail_nth(&machine_frame_cache, 3);
	assert_int_equal(WITH_USER_IO(io, 0, 5 * PAGE_SIZE, file_pwrite(file, &io, 0)), 2 * PAGE_SIZE);
	frame_fail_nth(&machine_frame_cache, 0);
	file_put(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_file_is_like_an_array),
		TEST(an_aligned_file_in_place_is_like_an_array),
		TEST(an_unaligned_file_in_place_is_like_an_array),
		TEST(an_aligned_file_is_not_copied),
		TEST(holes_cost_nothing_and_limits_hold),
		TEST(out_of_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
