/*
 * Gives a person time to read the message about a failure: a boot manager that gets an error clears the screen.
 */
#include "efi/loader.h"

#define READING_TIME (3 * 10000000) /* three seconds, in units of 100 ns */

void loader_let_read(struct loader *l)
{
	EFI_EVENT events[2] = { NULL, NULL };
	SIMPLE_INPUT_INTERFACE *in = l->system->ConIn;
	EFI_INPUT_KEY key;
	UINTN which = 0;

	if (loader_in_shell(l) || EFI_ERROR(l->boot->CreateEvent(EVT_TIMER, TPL_APPLICATION, NULL, NULL, &events[0])))
		return;
	/* Keys that were typed before do not count as "I have read it". */
	while (in && !EFI_ERROR(in->ReadKeyStroke(in, &key)))
		;
	events[1] = in ? in->WaitForKey : NULL;
	if (!EFI_ERROR(l->boot->SetTimer(events[0], TimerRelative, READING_TIME)) &&
	    !EFI_ERROR(l->boot->WaitForEvent(events[1] ? 2 : 1, events, &which)) && which == 1)
		in->ReadKeyStroke(in, &key);
	l->boot->CloseEvent(events[0]);
}
