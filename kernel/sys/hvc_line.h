/*
 * The terminal of the virtio console, hvc0.
 */
#pragma once

#include "kernel/fs/tty.h"

/*
 * hvc_line_make() makes the terminal, if there is a virtio console whose terminal has not been made, and returns
 * whether it did; the log says when there is no memory. hvc_line() returns the terminal, or NULL.
 */
bool hvc_line_make(void);
struct tty *hvc_line(void);

/*
 * hvc_line_connect() passes what is typed to the terminal from now on, and lets text to be shown wait in a queue;
 * hvc_line_disconnect() ends that.
 */
void hvc_line_connect(void);
void hvc_line_disconnect(void);
