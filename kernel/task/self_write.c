/*
 * Executes, at another address, a copy of an instruction that writes to its own page. Corrects what depends on the
 * address: in the copy the distance of an operand that is relative to RIP; after the execution RIP itself, and what
 * CALL and PUSHF have put on the stack.
 */
#include "kernel/task/self_write.h"

#include "kernel/lib/string.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/mm/user/user_space.h"
#include "kernel/task/process.h"
#include "kernel/task/space_work.h"

#define NEAR     (1ULL << 30) /* bytes that the copy may be away, so that 32-bit distances still reach their targets */
#define DISTANCE (1ULL << 20) /* bytes between the places that are tried */
#define TRIES    64

/* ---- decoding: just enough to find a distance (Intel SDM vol. 2A, "Instruction Format") ---- */

static bool is_prefix(uint8_t byte)
{
	static const uint8_t prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3 };

	for (size_t i = 0; i < sizeof(prefixes); i++)
		if (byte == prefixes[i])
			return true;
	return false;
}

/* Return whether an instruction with this opcode of one byte has a ModRM byte. */
static bool has_modrm(uint8_t opcode)
{
	if (opcode < 0x40)
		return (opcode & 7) < 4;
	return opcode == 0x62 || opcode == 0x63 || opcode == 0x69 || opcode == 0x6b || (opcode & 0xf0) == 0x80 ||
	       (opcode & 0xfe) == 0xc0 || (opcode & 0xfe) == 0xc6 || (opcode & 0xf4) == 0xd0 || opcode == 0x8f ||
	       (opcode >= 0xd8 && opcode <= 0xdf) || (opcode & 0xf6) == 0xf6;
}

/* What an instruction needs to be executed elsewhere. */
struct decoded {
	size_t distance; /* index of four bytes that are a distance from the instruction's end; 0: there is none */
	bool calls;      /* the instruction pushes the address behind it */
	bool pushes_flags;
};

/* Decode the instruction in `code`, of INSTRUCTION_MOST bytes. */
static struct decoded decode(const uint8_t *code)
{
	struct decoded d = { 0 };
	bool modrm = true;
	uint8_t opcode;
	size_t at = 0;

	while (at < INSTRUCTION_MOST - 6 && is_prefix(code[at]))
		at++;
	if ((code[at] & 0xf0) == 0x40)
		at++;
	opcode = code[at++];
	/* 0xc5 and 0xc4 begin VEX of two and three bytes, 0x62 EVEX: the opcode and a ModRM byte follow each. */
	if (opcode == 0xc5) {
		at += 2;
	} else if (opcode == 0xc4) {
		at += 3;
	} else if (opcode == 0x62) {
		at += 4;
	} else if (opcode == 0x0f) {
		opcode = code[at++];
		if (opcode == 0x38 || opcode == 0x3a)
			at++;
	} else {
		modrm = has_modrm(opcode);
		d.pushes_flags = opcode == 0x9c;
		d.calls = opcode == 0xe8 || (opcode == 0xff && (code[at] & 0x38) == 0x10);
		if (opcode == 0xe8)
			d.distance = at;
	}
	/* A ModRM byte of Mod 0 and R/M 5 is followed by a distance from RIP. */
	if (modrm && (code[at] & 0xc7) == 0x05)
		d.distance = at + 1;
	return d;
}

/* ---- the copy ---- */

/* Map a page less than NEAR bytes away from `va`. Returns OK, ERR_NO_MEMORY, or ERR_FAULT when none is free there. */
static enum status map_near(struct user_space *space, vaddr_t va, vaddr_t *ret)
{
	for (unsigned i = 1; i <= TRIES; i++) {
		const vaddr_t hint = align_down(i % 2 ? va - i * DISTANCE : va + i * DISTANCE, PAGE_SIZE);
		enum status status =
			user_map(space, hint, PAGE_SIZE, USER_READ | USER_WRITE | USER_EXEC, 0, NULL, 0, ret);

		if (status != OK)
			return status;
		if (*ret - va < NEAR || va - *ret < NEAR)
			return OK;
		(void)!user_unmap(space, *ret, PAGE_SIZE);
	}
	return ERR_FAULT;
}

/*
 * Read INSTRUCTION_MOST bytes from `rip` on. Bytes that cannot be read are set to 0: they lie behind the instruction,
 * since the CPU has fetched all of the instruction. Returns OK, or the error of the copy when no byte can be read.
 */
static enum status read_instruction(uint64_t rip, uint8_t code[INSTRUCTION_MOST])
{
	size_t copied = 0;
	enum status status;

	for (size_t i = 0; i < INSTRUCTION_MOST; i++)
		code[i] = 0;
	status = copy_from_user_some(code, user_pointer(rip), INSTRUCTION_MOST, &copied);
	return copied ? OK : status;
}

enum status self_write_begin(struct trap_frame *frame, vaddr_t va)
{
	struct task *task = task_current();
	struct user_space *space = task->process->space;
	const struct area *area = area_find(&space->areas, va);
	uint8_t code[INSTRUCTION_MOST];
	struct decoded d;
	enum status status;
	vaddr_t at;

	if (!area || (area->rights & (USER_WRITE | USER_EXEC)) != (USER_WRITE | USER_EXEC))
		return ERR_NOT_FOUND;
	if (space_wait(space) != 0)
		return ERR_NOT_FOUND;
	status = read_instruction(frame->rip, code);
	if (status == OK)
		status = map_near(space, frame->rip, &at);
	if (status != OK)
		return status;
	d = decode(code);
	if (d.distance && d.distance + 4 <= INSTRUCTION_MOST) {
		uint32_t distance;

		memcpy(&distance, code + d.distance, sizeof(distance));
		distance += (uint32_t)(frame->rip - at);
		memcpy(code + d.distance, &distance, sizeof(distance));
	}
	status = copy_to_user(user_pointer(at), code, sizeof(code));
	if (status != OK) {
		(void)!user_unmap(space, at, PAGE_SIZE);
		return status;
	}
	task->self_write = (struct self_write){
		.from = frame->rip,
		.at = at,
		.calls = d.calls,
		.pushes_flags = d.pushes_flags,
		.traced = frame->rflags & RFLAGS_TF,
	};
	frame->rip = at;
	frame->rflags |= RFLAGS_TF;
	return OK;
}

/*
 * Correct the word that the instruction has pushed. Failures are ignored: the instruction has just written to that
 * page, so that it is mapped, unless another task has unmapped it meanwhile.
 */
static void correct_stack(const struct trap_frame *frame, const struct self_write *s)
{
	uint64_t word;

	if (get_user_u64(user_pointer(frame->rsp), &word) != OK)
		return;
	if (s->calls)
		word += s->from - s->at;
	else if (!s->traced)
		word &= ~RFLAGS_TF;
	(void)!put_user_u64(user_pointer(frame->rsp), word);
}

bool self_write_end(struct trap_frame *frame)
{
	struct task *task = task_current();
	const struct self_write s = task->self_write;
	const bool done = frame->rip != s.at;

	task->self_write.at = 0;
	if (done && (s.calls || s.pushes_flags))
		correct_stack(frame, &s);
	if (frame->rip - s.at <= INSTRUCTION_MOST)
		frame->rip += s.from - s.at;
	if (!s.traced)
		frame->rflags &= ~RFLAGS_TF;
	/* Another task of the process may be working on the space's areas: the page is unmapped when that is done. */
	if (space_wait(task->process->space) == 0)
		(void)!user_unmap(task->process->space, s.at, PAGE_SIZE);
	return !s.traced;
}
