/*
 * Checks and interprets programs of the classic Berkeley packet filter. A program has an accumulator A, an index X and
 * BPF_MEMORY words of memory, all of 32 bits.
 */
#include "kernel/lib/bpf.h"

/* Instruction classes and their parts (with the numbers that programs for Linux have). */
enum {
	LD = 0x00,
	LDX = 0x01,
	ST = 0x02,
	STX = 0x03,
	ALU = 0x04,
	JMP = 0x05,
	RET = 0x06,
	MISC = 0x07,

	IMM = 0x00,
	ABS = 0x20,
	MEM = 0x60,
	LEN = 0x80,

	ADD = 0x00,
	SUB = 0x10,
	MUL = 0x20,
	DIV = 0x30,
	OR = 0x40,
	AND = 0x50,
	LSH = 0x60,
	RSH = 0x70,
	NEG = 0x80,
	XOR = 0xa0,

	JA = 0x00,
	JEQ = 0x10,
	JGT = 0x20,
	JGE = 0x30,
	JSET = 0x40,

	X = 0x08, /* the second operand is X, not the constant */
	RET_A = 0x10,
	TAX = 0x00,
	TXA = 0x80,

	CLASS = 0x07,
	WORD = 4,
};

/* Return whether an instruction is known, and its constant is in range; jumps and memory are checked elsewhere. */
static bool is_known(const struct bpf_instruction *at, size_t size)
{
	switch (at->code) {
	case LD | ABS:
		return !(at->k % WORD) && size >= WORD && at->k <= size - WORD;
	case ALU | DIV:
		return at->k != 0;
	case ALU | LSH:
	case ALU | RSH:
		return at->k < 32;
	case LD | MEM:
	case LDX | MEM:
	case ST:
	case STX:
		return at->k < BPF_MEMORY;
	case LD | IMM:
	case LDX | IMM:
	case LD | LEN:
	case LDX | LEN:
	case RET:
	case RET | RET_A:
	case MISC | TAX:
	case MISC | TXA:
	case ALU | NEG:
	case ALU | ADD:
	case ALU | ADD | X:
	case ALU | SUB:
	case ALU | SUB | X:
	case ALU | MUL:
	case ALU | MUL | X:
	case ALU | DIV | X:
	case ALU | AND:
	case ALU | AND | X:
	case ALU | OR:
	case ALU | OR | X:
	case ALU | XOR:
	case ALU | XOR | X:
	case ALU | LSH | X:
	case ALU | RSH | X:
	case JMP | JA:
	case JMP | JEQ:
	case JMP | JEQ | X:
	case JMP | JGT:
	case JMP | JGT | X:
	case JMP | JGE:
	case JMP | JGE | X:
	case JMP | JSET:
	case JMP | JSET | X:
		return true;
	}
	return false;
}

/*
 * Check an instruction's jumps and its use of memory. `left`: how many instructions follow. *stored: a bit for each
 * word that is stored on every way to this instruction; on return, on every way to the next one. stored_at[i]: a bit
 * for each word that is stored on all ways that jump to the instruction i places behind this one.
 */
static bool check_ways(const struct bpf_instruction *at, size_t left, uint16_t *stored, uint16_t *stored_at)
{
	switch (at->code & CLASS) {
	case JMP:
		if (at->code == (JMP | JA)) {
			if (at->k >= left)
				return false;
			stored_at[at->k + 1] &= *stored;
		} else {
			if (at->if_true >= left || at->if_false >= left)
				return false;
			stored_at[at->if_true + 1] &= *stored;
			stored_at[at->if_false + 1] &= *stored;
		}
		/* Control does not fall through a jump to the next instruction: all ways from here are noted above. */
		*stored = UINT16_MAX;
		return true;
	case ST:
	case STX:
		*stored |= (uint16_t)(1U << at->k);
		return true;
	case LD:
	case LDX:
		return at->code != (LD | MEM) && at->code != (LDX | MEM) ? true : *stored >> at->k & 1;
	}
	return true;
}

bool bpf_check(const struct bpf_instruction *program, size_t count, size_t size, uint16_t *scratch)
{
	uint16_t stored = 0;

	if (!count || count > BPF_MOST)
		return false;
	for (size_t i = 0; i < count; i++)
		scratch[i] = UINT16_MAX;
	for (size_t i = 0; i < count; i++) {
		stored &= scratch[i];
		if (!is_known(&program[i], size) || !check_ways(&program[i], count - i - 1, &stored, &scratch[i]))
			return false;
	}
	return (program[count - 1].code & CLASS) == RET;
}

/* Compute A after an arithmetic instruction. Returns false, with A as before, for a division by 0. */
static bool compute(const struct bpf_instruction *at, uint32_t x, uint32_t *a)
{
	uint32_t b = at->code & X ? x : at->k;

	switch (at->code & ~(CLASS | X)) {
	case ADD:
		*a += b;
		break;
	case SUB:
		*a -= b;
		break;
	case MUL:
		*a *= b;
		break;
	case DIV:
		if (!b)
			return false;
		*a /= b;
		break;
	case OR:
		*a |= b;
		break;
	case AND:
		*a &= b;
		break;
	case XOR:
		*a ^= b;
		break;
	case LSH:
		*a <<= b & 31;
		break;
	case RSH:
		*a >>= b & 31;
		break;
	case NEG:
		*a = -*a;
		break;
	}
	return true;
}

/* Return how many instructions a jump passes over. */
static uint32_t distance(const struct bpf_instruction *at, uint32_t a, uint32_t x)
{
	uint32_t b = at->code & X ? x : at->k;
	bool holds = false;

	switch (at->code & ~(CLASS | X)) {
	case JA:
		return at->k;
	case JEQ:
		holds = a == b;
		break;
	case JGT:
		holds = a > b;
		break;
	case JGE:
		holds = a >= b;
		break;
	case JSET:
		holds = a & b;
		break;
	}
	return holds ? at->if_true : at->if_false;
}

uint32_t bpf_run(const struct bpf_instruction *program, const uint32_t *data, size_t size)
{
	uint32_t memory[BPF_MEMORY], a = 0, x = 0;

	for (const struct bpf_instruction *at = program;; at++) {
		uint32_t *to = (at->code & CLASS) == LDX ? &x : &a;

		switch (at->code) {
		case RET:
			return at->k;
		case RET | RET_A:
			return a;
		case LD | ABS:
			a = data[at->k / WORD];
			continue;
		case LD | IMM:
		case LDX | IMM:
			*to = at->k;
			continue;
		case LD | LEN:
		case LDX | LEN:
			*to = (uint32_t)size;
			continue;
		case LD | MEM:
		case LDX | MEM:
			*to = memory[at->k];
			continue;
		case ST:
			memory[at->k] = a;
			continue;
		case STX:
			memory[at->k] = x;
			continue;
		case MISC | TAX:
			x = a;
			continue;
		case MISC | TXA:
			a = x;
			continue;
		}
		if ((at->code & CLASS) == JMP)
			at += distance(at, a, x);
		else if (!compute(at, x, &a))
			return 0;
	}
}
