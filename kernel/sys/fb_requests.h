/*
 * ioctl(2) of /dev/fb0; fb_requests.c says what there is.
 */
#pragma once

#include "kernel/dev/framebuffer.h"
#include "kernel/mm/user/user_io.h"

/*
 * Do a request about the screen `fb`; `io` is at the request's argument. Returns 0; -EINVAL (a mode or a place that the
 * screen does not have, or what is refused), -ENOTTY (no request of a framebuffer), or copy_errno()'s error.
 */
int64_t fb_request(const struct framebuffer *fb, unsigned request, struct user_io *io);
