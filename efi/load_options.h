/*
 * Converts UEFI's LoadOptions to text. Firmware and boot managers pass all kinds of bytes in them: mostly words for the
 * program, but also words for other programs, or no text. Calls no firmware function.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum options_kind {
	OPTIONS_EMPTY,   /* nothing but NULs and blanks */
	OPTIONS_TEXT,    /* words to take as the command line */
	OPTIONS_BINARY,  /* no text in any encoding that is known here */
	OPTIONS_FOREIGN, /* words that name a disk to boot from, and so are meant for another system */
	OPTIONS_LONG,    /* more text than there is room for */
};

/*
 * Write the text among the `size` bytes of LoadOptions to `to`, which has `room` bytes: UTF-8, without blanks at its
 * ends, NUL-terminated. Known are UTF-16 with and without a byte order mark, UTF-8 and ASCII, and a whole
 * EFI_LOAD_OPTION, whose optional data is then read. Line ends, tabs and NULs between words become blanks; bytes behind
 * a NUL that are no text are cut off, as is half a UTF-16 unit at the end. Half a surrogate pair is no text. The
 * content of `to` means something only when OPTIONS_TEXT is returned.
 */
enum options_kind options_to_text(const void *options, size_t size, char *to, size_t room);

/*
 * Write up to `most` UTF-16 units from `from`, or up to a NUL, to `to` as UTF-8; cut to fit, NUL-terminated. Half a
 * surrogate pair becomes "?". Returns the length.
 */
size_t options_utf8(const uint8_t *from, size_t most, char *to, size_t room);

/*
 * Return the start of the words behind the program's own name, as the UEFI shell gives it: one word, perhaps in quotes.
 */
const char *options_after_word(const char *text);

/*
 * Return the start of the words behind the program's name; `text` itself when it does not begin with that name. `path`
 * is the path of the program's file, in UTF-8 with slashes of either kind. The whole path or its last part counts as
 * the name, in upper or lower case, also with a query behind it (iPXE: "ankeos.efi?mac=1"). So does a single word that
 * ends with .efi, for firmware that does not say what the file is called.
 */
const char *options_after_name(const char *text, const char *path);

/* Return whether the words name a disk with the root file system: AnkeOS uses none, so they are not meant for it. */
bool options_are_foreign(const char *text);
