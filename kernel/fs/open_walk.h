/*
 * Looks up paths in open sections (kernel/sync/open_section.h), but only plain ones, as programs open again and again.
 * Takes no references and allocates no memory. The caller is in a section, inside the gate `node_names`.
 */
#pragma once

#include "kernel/fs/path.h"

/*
 * Find the place that a path leads to; *ret has no references, and is good until the section ends. base->pause is not
 * used. Returns false for a path that the caller must look up with the kernel lock: it has "." or "..", a symbolic link
 * or a slash at its end, several mounts on one place, leaves tmpfs, or leads to an error.
 */
bool open_walk(const struct path_base *base, const char *path, struct place *ret);
