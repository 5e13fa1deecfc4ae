/*
 * The console port of a virtio console (Virtual I/O Device 1.1, "Console Device"): hvc0, as Linux names it. Only the
 * first such device is used. While there is none, all functions do nothing.
 */
#pragma once

#include "kernel/dev/pci/pci.h"
#include "kernel/lib/log.h"

extern const struct pci_driver hvc_driver;

bool hvc_present(void);

/*
 * Look for the device and make it a console of the log, if console=hvc0 is on the command line, or if there is neither
 * serial port nor screen. Otherwise do nothing: the device is found after the first program has started. Call in the
 * kernel context.
 */
void hvc_find(const char *cmdline);

/* Return whether /dev/console is hvc0: the device is a console of the log, and the last console= names no other one. */
bool hvc_leads(void);

/* Return the next byte that was typed, or -1 when none waits. */
int hvc_read(void);

/* Write a program's text. Call hvc_room() first: text that does not fit is dropped. Only an echo needs no such call. */
void hvc_write_raw(const char *text, size_t size);

/*
 * From now on writers do not wait for the device. wake: called when room has grown, or all text is sent; take: called
 * when something was typed, and must read it by hvc_read(). Both may be called in interrupt handlers. The caller then
 * calls hvc_serve() once, for what was typed before: a device whose buffers are all full does not interrupt.
 */
void hvc_start_queue(void (*wake)(void), void (*take)(void));

/*
 * Do what the device's interrupt asks for: take what was typed, and send what waits. Call with interrupts off.
 * hvc_is_polled: return whether the device has no interrupt: then hvc_serve() must be called from time to time.
 */
void hvc_serve(void *unused);
bool hvc_is_polled(void);

/*
 * Send all text that waits, and wait for the device at each write from now on; a device that takes nothing for 3 s
 * loses the text. May be called in interrupt handlers, in a panic, and at power-off.
 */
void hvc_end_queue(void);

/* Do for this device what serial_room(), serial_waiting() and so on (kernel/dev/serial.h) do for a serial port. */
size_t hvc_room(void);
size_t hvc_waiting(void);
bool hvc_is_idle(void);
void hvc_stop(void);
void hvc_go(void);
void hvc_drop(void);
