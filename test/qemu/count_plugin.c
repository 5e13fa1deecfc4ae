/*
 * A plugin of QEMU that counts the guest's instructions, of all CPUs together, between two marks (make bench-smp). A
 * mark is a long NOP with a displacement that no compiler makes: MARK_BEGIN begins counting, MARK_END ends it and
 * writes one line with the count to the file out=. A halted CPU executes nothing, so idling is not counted.
 *
 * begin=OFFSET:BYTES and end=OFFSET:BYTES, in hexadecimal digits, are marks in programs that have none, as a boot has two
 * of: the code that begins with these bytes, at this offset in a page. Only the first beginning counts.
 *
 * The interface is declared here, as far as it is used, because Debian has QEMU's header in the source package only
 * (QEMU's manual, "QEMU TCG Plugins").
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSION    1 /* of the interface; QEMU 4.2 to 8.2 accept it */
#define CPUS_MOST  256
#define MARK_SIZE  7
#define MARK_BEGIN "\x0f\x1f\x80\x01\x4b\x4e\x41"
#define MARK_END   "\x0f\x1f\x80\x02\x4b\x4e\x41"
#define CODE_MOST  32 /* bytes of a mark that begin= or end= gives */
#define CODE_LEAST 4  /* of them in one block */

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

typedef void translated_fn(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void executed_fn(unsigned cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_fn *translated);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, executed_fn *executed,
					  enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed_fn *executed,
					    enum qemu_plugin_cb_flags flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t at);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

extern int qemu_plugin_version;
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv);

int qemu_plugin_version = VERSION;

/* Instructions that each CPU has executed so far. Each in a cache line of its own, which its CPU's thread writes. */
static struct {
	_Alignas(64) uint64_t count;
} cpus[CPUS_MOST];

/* Code that is a mark; `size` 0: none was given. */
struct code {
	uint64_t offset;
	size_t size;
	uint8_t bytes[CODE_MOST];
};

static struct code first, last; /* begin= and end= */
static bool begun;              /* `first` has begun to run */

static uint64_t at_begin; /* the sum of all counts at the last MARK_BEGIN */
static int out = -1;

static uint64_t sum(void)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < CPUS_MOST; i++)
		all += __atomic_load_n(&cpus[i].count, __ATOMIC_RELAXED);
	return all;
}

static void count(unsigned cpu, void *instructions)
{
	cpus[cpu].count += (uintptr_t)instructions;
}

static void begin(unsigned cpu, void *unused)
{
	(void)cpu, (void)unused;
	at_begin = sum();
}

static void end(unsigned cpu, void *unused)
{
	(void)cpu, (void)unused;
	dprintf(out, "%llu\n", (unsigned long long)(sum() - at_begin));
}

static void begin_once(unsigned cpu, void *unused)
{
	if (!begun)
		begin(cpu, unused);
	begun = true;
}

/* Does `code` begin at this instruction of the block? Of code that goes on behind the block, the block's part decides. */
static bool is_code(const struct qemu_plugin_tb *tb, size_t at, const struct code *code)
{
	size_t seen = 0;

	if (!code->size || (qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, at)) & 0xfff) != code->offset)
		return false;
	for (; at < qemu_plugin_tb_n_insns(tb) && seen < code->size; at++) {
		const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, at);
		size_t size = qemu_plugin_insn_size(insn);

		if (size > code->size - seen)
			size = code->size - seen;
		if (memcmp(qemu_plugin_insn_data(insn), code->bytes + seen, size) != 0)
			return false;
		seen += size;
	}
	return seen >= CODE_LEAST;
}

/* Read OFFSET:BYTES. */
static void read_code(const char *text, struct code *ret)
{
	char *at, pair[3] = { 0 };

	ret->offset = strtoull(text, &at, 16);
	for (at += *at == ':'; at[0] && at[1] && ret->size < CODE_MOST; at += 2) {
		memcpy(pair, at, 2);
		ret->bytes[ret->size++] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

/* QEMU has translated a block of instructions: it is to be counted as a whole each time that it begins to run. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	const size_t length = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, count, QEMU_PLUGIN_CB_NO_REGS, (void *)(uintptr_t)length);
	for (size_t i = 0; i < length; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const void *bytes = qemu_plugin_insn_data(insn);

		if (is_code(tb, i, &first))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin_once, QEMU_PLUGIN_CB_NO_REGS, NULL);
		if (is_code(tb, i, &last))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, QEMU_PLUGIN_CB_NO_REGS, NULL);
		if (qemu_plugin_insn_size(insn) != MARK_SIZE)
			continue;
		if (!memcmp(bytes, MARK_BEGIN, MARK_SIZE))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, QEMU_PLUGIN_CB_NO_REGS, NULL);
		if (!memcmp(bytes, MARK_END, MARK_SIZE))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = open(argv[i] + 4, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (!strncmp(argv[i], "begin=", 6))
			read_code(argv[i] + 6, &first);
		if (!strncmp(argv[i], "end=", 4))
			read_code(argv[i] + 4, &last);
	}
	if (out < 0) {
		fprintf(stderr, "count_plugin: out=FILE is missing, or cannot be written\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
