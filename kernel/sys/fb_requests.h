/*
 * Serves the requests of ioctl(2) on /dev/fb0. The top of fb_requests.c lists them.
 */
#pragma once

#include "kernel/dev/framebuffer.h"
#include "kernel/mm/user/user_io.h"

/*
 * Do a request about the screen `fb`; `io` is at the request's argument. Returns 0; -EINVAL (a mode or a place that the
 * screen does not have, or what is refused), -ENOTTY (no request of a framebuffer), or copy_errno()'s error.
 */
int64_t fb_request(const struct framebuffer *fb, unsigned request, struct user_io *io);
