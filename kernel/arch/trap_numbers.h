/*
 * The numbers of the vectors, for C and assembly (Intel SDM vol. 3A, "Exception and Interrupt Vectors").
 */
#pragma once

#define TRAP_DE  0
#define TRAP_DB  1
#define TRAP_NMI 2
#define TRAP_BP  3
#define TRAP_OF  4
#define TRAP_BR  5
#define TRAP_UD  6
#define TRAP_NM  7
#define TRAP_DF  8
#define TRAP_SS  12
#define TRAP_GP  13
#define TRAP_PF  14
#define TRAP_MF  16
#define TRAP_AC  17
#define TRAP_MC  18
#define TRAP_XM  19

/* Vectors from this one on are interrupts of devices. */
#define TRAP_EXTERNAL 32

#define TRAP_VECTORS 256

/* The value that a frame made by SYSCALL has in place of a vector. */
#define TRAP_SYSCALL 256
