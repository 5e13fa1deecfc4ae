/*
 * Chooses the serial port; see serial_choice.h. Ports in memory are left alone: only those at I/O ports are driven.
 */
#include "kernel/dev/serial_choice.h"

#include "kernel/dev/pci/pci.h"
#include "kernel/dev/serial_internal.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/digit.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define LEGACY_PORTS   4
#define BAUD_MAX       115200
#define CLASS_SERIAL   0x0700 /* base class and subclass of a serial controller */
#define PORTS_OF_16550 8
#define WORD_MOST      48

/* What console= or earlycon= asks for: the first I/O port, and what 115,200 baud is divided by. */
struct wanted {
	uint16_t base;
	uint16_t divisor;
};

static const struct {
	uint16_t base;
	int isa;
} legacy[LEGACY_PORTS] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

/* Return the index in `legacy` of a port, or LEGACY_PORTS. */
static unsigned legacy_index(uint16_t base)
{
	unsigned i = 0;

	while (i < LEGACY_PORTS && legacy[i].base != base)
		i++;
	return i;
}

unsigned serial_number(void)
{
	return serial.present ? legacy_index(serial.base) : 0;
}

int serial_isa(void)
{
	unsigned i = legacy_index(serial.base);

	return i < LEGACY_PORTS ? legacy[i].isa : -1;
}

void serial_find_first(void)
{
	for (unsigned i = 0; i < LEGACY_PORTS; i++)
		if (serial_start(legacy[i].base, 1))
			return;
}

/* Take a number, hexadecimal after "0x", from *at on. Returns false when there is none, or when it is beyond `most`. */
static bool take_number(const char **at, uint32_t most, uint32_t *ret)
{
	const char *p = *at;
	uint32_t base = 10, value = 0, digit;

	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	if (digit_value(*p) >= base)
		return false;
	while ((digit = digit_value(*p)) < base) {
		value = value * base + digit;
		if (value > most)
			return false;
		p++;
	}
	*at = p;
	*ret = value;
	return true;
}

/*
 * Read "ttySN,SPEED" or "uart8250,io,ADDRESS,SPEED". The speed may be missing, and parity and bits may follow it.
 * Returns false when the text is no such word, or names a speed that the chip does not have.
 */
static bool read_word(const char *text, struct wanted *ret)
{
	struct wanted w = { .divisor = 1 };
	uint32_t value;

	if (strncmp(text, "ttyS", 4) == 0) {
		text += 4;
		if (!take_number(&text, LEGACY_PORTS - 1, &value))
			return false;
		w.base = legacy[value].base;
	} else {
		const char *io = strncmp(text, "uart8250,io,", 12) == 0 ? text + 12 : text + 8;

		if (io == text + 8 && strncmp(text, "uart,io,", 8) != 0)
			return false;
		if (!take_number(&io, UINT16_MAX - PORTS_OF_16550, &value) || !value)
			return false;
		w.base = (uint16_t)value;
		text = io;
	}
	if (*text == ',') {
		text++;
		if (!take_number(&text, BAUD_MAX, &value) || value < 2 || BAUD_MAX % value)
			return false;
		w.divisor = (uint16_t)(BAUD_MAX / value);
	} else if (*text) {
		return false;
	}
	*ret = w;
	return true;
}

static bool is_serial_word(const char *text)
{
	return strncmp(text, "ttyS", 4) == 0 || strncmp(text, "uart", 4) == 0;
}

enum key { EARLYCON, CONSOLE };

/* Find the last value of the key on the command line that names a serial port. Returns false when there is none. */
static bool find_last(const char *cmdline, enum key key, char ret[WORD_MOST])
{
	char text[WORD_MOST];
	bool found = false;

	while (key == CONSOLE ? cmdline_next(&cmdline, "console", text, sizeof(text))
			      : cmdline_next(&cmdline, "earlycon", text, sizeof(text))) {
		if (!is_serial_word(text))
			continue;
		memcpy(ret, text, sizeof(text));
		found = true;
	}
	return found;
}

/* Use the port of a word, or say why not. */
static void use_word(const char *key, const char *text)
{
	uint16_t before = serial.present ? serial.base : 0;
	struct wanted w;

	if (!read_word(text, &w)) {
		log_err("%s=%s: not ttyS0 to ttyS3, or uart8250,io,ADDRESS, with a baud rate that divides 115200\n",
			key, text);
		return;
	}
	if (before == w.base && w.divisor == 1)
		return;
	if (serial_start(w.base, w.divisor))
		return;
	/*
	 * When there was no port before either, say nothing yet: serial_find_more() may still find one that the ACPI
	 * tables name, or a PCI card's.
	 */
	if (before && serial_start(before, 1))
		log_err("%s=%s: there is no such port\n", key, text);
}

void serial_choose(const char *cmdline)
{
	char word[WORD_MOST];

	if (find_last(cmdline, EARLYCON, word))
		use_word("earlycon", word);
	if (find_last(cmdline, CONSOLE, word))
		use_word("console", word);
}

/* Use the first port that the ACPI tables name. */
static bool use_acpi(void)
{
	const struct acpi_info *acpi = irq_acpi();

	for (unsigned i = 0; i < acpi->serial_count; i++)
		if (serial_start(acpi->serials[i], 1))
			return true;
	return false;
}

/* Use the first PCI card with a serial port at I/O ports. */
static bool use_pci(void)
{
	for (struct pci_function *f = pci_functions(); f; f = f->next) {
		if (f->broken || f->class >> 8 != CLASS_SERIAL)
			continue;
		for (unsigned i = 0; i < PCI_BARS; i++) {
			if (f->bars[i].kind != PCI_BAR_IO || !f->bars[i].address || f->bars[i].address > UINT16_MAX)
				continue;
			pci_write(f, PCI_COMMAND, (pci_read(f, PCI_COMMAND) & UINT16_MAX) | PCI_COMMAND_IO);
			if (serial_start((uint16_t)f->bars[i].address, 1)) {
				pci_log(f, "the serial port\n");
				return true;
			}
		}
	}
	return false;
}

void serial_find_more(const char *cmdline)
{
	char word[WORD_MOST];

	if (serial.present || (!use_acpi() && !(find_last(cmdline, CONSOLE, word) && use_pci())))
		return;
	log_read(serial_sink.write);
	log_info("serial port: at I/O port %#x\n", serial.base);
}
