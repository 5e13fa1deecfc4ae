/*
 * The terminal of the virtio console, hvc0.
 */
#pragma once

#include "kernel/fs/tty.h"

/*
 * Make the terminal if the console is there and has none. Returns whether it was made; when there is no memory the log
 * says so. hvc_line: return the terminal, or NULL.
 */
bool hvc_line_make(void);
struct tty *hvc_line(void);

/* Take what is typed from now on, and let text wait in the queue; hvc_line_disconnect() ends that. */
void hvc_line_connect(void);
void hvc_line_disconnect(void);
