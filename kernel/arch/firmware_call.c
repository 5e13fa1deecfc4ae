/*
 * Turns a fault in the firmware's runtime code into a failed call.
 */
#include "kernel/arch/firmware_call.h"

#include "kernel/arch/cpu.h"

extern uint64_t firmware_call_stack;
extern const char firmware_call_abort[];

bool firmware_call_fault(struct trap_frame *frame)
{
	/*
	 * Outside a call firmware_call_stack is 0. During a call only the firmware's code runs in the lower half, so a
	 * fault of code in the upper half is the kernel's own.
	 */
	if (!firmware_call_stack || frame->rip >> 63)
		return false;
	frame->rip = (uintptr_t)firmware_call_abort;
	frame->rsp = firmware_call_stack;
	frame->rflags = RFLAGS_CLEAR;
	return true;
}
