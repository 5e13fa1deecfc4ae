/*
 * Programs of the classic Berkeley packet filter, as far as seccomp(2) has them: checked once, and then interpreted. A
 * checked program ends, since it only jumps forwards, and reads nothing but the data that it gets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPF_MOST   4096 /* the most instructions of a program */
#define BPF_MEMORY 16   /* words that a program may store */

/* An instruction: Linux's struct sock_filter. */
struct bpf_instruction {
	uint16_t code;
	uint8_t if_true, if_false; /* how many instructions a conditional jump passes over */
	uint32_t k;
};

/*
 * Check a program of `count` instructions for data of `size` bytes. `scratch` has room for `count` elements. Returns
 * whether it may run: all instructions are known, jumps and loads stay within the program and the data, words are
 * stored before they are loaded, nothing is divided by a constant 0, and the last instruction is a return.
 */
bool bpf_check(const struct bpf_instruction *program, size_t count, size_t size, uint16_t *scratch);

/* Run a checked program on data of `size` bytes, and return its result; 0 when it divides by 0. */
uint32_t bpf_run(const struct bpf_instruction *program, const uint32_t *data, size_t size);
