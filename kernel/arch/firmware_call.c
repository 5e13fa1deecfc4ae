/*
 * Turns a fault in the firmware's runtime code into a failed call.
 */
#include "kernel/arch/firmware_call.h"

extern uint64_t firmware_call_stack;
extern const char firmware_call_abort[];

bool firmware_call_fault(struct trap_frame *frame)
{
	if (!firmware_call_stack)
		return false;
	frame->rip = (uintptr_t)firmware_call_abort;
	frame->rsp = firmware_call_stack;
	return true;
}
