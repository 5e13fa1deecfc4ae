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
 * ends, NUL-terminated. The text may be UTF-16 with or without a byte order mark, UTF-8 or ASCII; of a whole
 * EFI_LOAD_OPTION the optional data is read. Line ends, tabs and NULs between words become blanks. Bytes after a NUL
 * that are not text are dropped, as is half a UTF-16 unit at the end. Half a surrogate pair is not text. The content of
 * `to` means something only when OPTIONS_TEXT is returned.
 */
enum options_kind options_to_text(const void *options, size_t size, char *to, size_t room);

/*
 * Write up to `most` UTF-16 units from `from`, or up to a NUL, to `to` as UTF-8; cut to fit, NUL-terminated. Half a
 * surrogate pair becomes "?". Returns the length.
 */
size_t options_utf8(const uint8_t *from, size_t most, char *to, size_t room);

/*
 * Write text in UTF-8 to `to` as UTF-16; cut to fit `most` units, NUL-terminated. Bytes that are not UTF-8 become
 * U+FFFD. Returns the length in units, without the NUL.
 */
size_t options_utf16(const char *from, uint16_t *to, size_t most);

/*
 * Return the start of the words after the program's own name, as the UEFI shell passes it: one word, perhaps in quotes.
 */
const char *options_after_word(const char *text);

/*
 * Return the start of the words after the program's name; `text` itself when it does not begin with that name. `path`
 * is the path of the program's file, in UTF-8 with slashes of either kind. The name may be the whole path or its last
 * part, in upper or lower case, and may be followed by a query (iPXE: "ankeos.efi?mac=1"). A single word that ends with
 * .efi is taken for the name, too, for firmware that does not say what the file is called.
 */
const char *options_after_name(const char *text, const char *path);

/*
 * Return the start of the words after "@N", which chooses a profile of the boot file, and store N; `text` itself, and
 * nothing stored, when it does not begin so. N is decimal and below 10,000.
 */
const char *options_after_profile(const char *text, unsigned *ret_profile);

/*
 * Return whether the words name a disk with a root file system. AnkeOS mounts no disk as its root, so such words are
 * meant for another system.
 */
bool options_are_foreign(const char *text);
