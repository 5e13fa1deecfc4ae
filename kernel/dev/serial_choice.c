/*
 * Finds the serial ports and chooses the consoles; see serial_choice.h. Ports in memory are left alone: only those at
 * I/O ports are driven.
 */
#include "kernel/dev/serial_choice.h"

#include "kernel/dev/pci/pci.h"
#include "kernel/dev/serial_internal.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/digit.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define BAUD_MAX       115200
#define CLASS_SERIAL   0x0700 /* base class and subclass of a serial controller */
#define PORTS_OF_16550 8
#define WORD_MOST      48

/* What console= or earlycon= asks for. */
struct wanted {
	unsigned number; /* the N of ttySN; SERIAL_PORTS: the port at `base` is meant */
	uint16_t base;
	uint16_t divisor; /* what 115,200 baud is divided by */
};

static const struct {
	uint16_t base;
	int isa;
} legacy[LEGACY_PORTS] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

static struct serial_port *leading; /* see serial_leading(). Guard: tasks only, which the kernel does not preempt */

struct serial_port *serial_leading(void)
{
	return leading && leading->present ? leading : NULL;
}

/* Start the port of a PC with this number, unless it is present. Returns the port, or NULL when it is not there. */
static struct serial_port *start_legacy(unsigned number, uint16_t divisor)
{
	struct serial_port *port = &serial_ports[number];

	if (port->present && port->divisor == divisor)
		return port;
	port->base = legacy[number].base;
	port->isa = legacy[number].isa;
	return serial_start(port, divisor) ? port : NULL;
}

/*
 * Start the port at an address, which gets a number of its own unless it is one of a PC's or has been found before.
 * Returns the port, or NULL when it is not there or all numbers are taken.
 */
static struct serial_port *start_at(uint16_t base, uint16_t divisor)
{
	struct serial_port *port;

	for (unsigned i = 0; i < LEGACY_PORTS; i++)
		if (legacy[i].base == base)
			return start_legacy(i, divisor);
	for (unsigned i = LEGACY_PORTS; i < SERIAL_PORTS; i++) {
		port = &serial_ports[i];
		if (port->present && port->base != base)
			continue;
		if (port->present && port->divisor == divisor)
			return port;
		port->base = base;
		port->isa = -1;
		return serial_start(port, divisor) ? port : NULL;
	}
	log_warn("serial port at %#x: left alone, there are %u others\n", base, SERIAL_PORTS);
	return NULL;
}

/* Make a port a console, the one that leads. */
static void make_console(struct serial_port *port)
{
	port->console = true;
	leading = port;
}

void serial_find_first(void)
{
	for (unsigned i = 0; i < LEGACY_PORTS; i++) {
		struct serial_port *port = start_legacy(i, 1);

		if (port) {
			make_console(port);
			return;
		}
	}
}

void serial_find_rest(void)
{
	for (unsigned i = 0; i < LEGACY_PORTS; i++)
		if (!serial_ports[i].present)
			(void)start_legacy(i, 1);
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
	struct wanted w = { .number = SERIAL_PORTS, .divisor = 1 };
	uint32_t value;

	if (strncmp(text, "ttyS", 4) == 0) {
		text += 4;
		if (!take_number(&text, SERIAL_PORTS - 1, &value))
			return false;
		w.number = value;
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

static const char *const keys[] = { [EARLYCON] = "earlycon", [CONSOLE] = "console" };

/*
 * Get the next word of the key that names a serial port, from *at on, and set *at behind it. Returns false when there
 * is none.
 */
static bool next_word(const char **at, enum key key, char ret[WORD_MOST])
{
	while (key == CONSOLE ? cmdline_next(at, "console", ret, WORD_MOST)
			      : cmdline_next(at, "earlycon", ret, WORD_MOST))
		if (is_serial_word(ret))
			return true;
	return false;
}

/*
 * Return the port that is wanted, started at the wanted speed, or NULL when it is not there or has not been found yet.
 */
static struct serial_port *start_wanted(const struct wanted *w)
{
	struct serial_port *port;

	if (w->number < LEGACY_PORTS)
		return start_legacy(w->number, w->divisor);
	if (w->number == SERIAL_PORTS)
		return start_at(w->base, w->divisor);
	port = &serial_ports[w->number];
	return port->present && (port->divisor == w->divisor || serial_start(port, w->divisor)) ? port : NULL;
}

/*
 * Make the ports consoles that the key's words name and that have been found, and no others. Changes nothing, and
 * returns false, when there is no such port.
 */
static bool choose_named(const char *cmdline, enum key key)
{
	bool named[SERIAL_PORTS] = { false }, found = false;
	char word[WORD_MOST];
	struct wanted w;

	for (const char *at = cmdline; next_word(&at, key, word);) {
		struct serial_port *port = read_word(word, &w) ? start_wanted(&w) : NULL;

		if (!port)
			continue;
		named[serial_number(port)] = found = true;
		make_console(port);
	}
	for (unsigned i = 0; found && i < SERIAL_PORTS; i++)
		serial_ports[i].console = named[i];
	return found;
}

void serial_choose(const char *cmdline)
{
	if (!choose_named(cmdline, CONSOLE))
		(void)choose_named(cmdline, EARLYCON);
}

/* Start the ports that the ACPI tables name. */
static void add_acpi(void)
{
	const struct acpi_info *acpi = irq_acpi();

	for (unsigned i = 0; i < acpi->serial_count; i++)
		(void)start_at(acpi->serials[i], 1);
}

/* Start the ports of PCI cards with a serial port at I/O ports. */
static void add_pci(void)
{
	for (struct pci_function *f = pci_functions(); f; f = f->next) {
		if (f->broken || f->class >> 8 != CLASS_SERIAL)
			continue;
		for (unsigned i = 0; i < PCI_BARS; i++) {
			struct serial_port *port;

			if (f->bars[i].kind != PCI_BAR_IO || !f->bars[i].address || f->bars[i].address > UINT16_MAX)
				continue;
			pci_write(f, PCI_COMMAND, (pci_read(f, PCI_COMMAND) & UINT16_MAX) | PCI_COMMAND_IO);
			port = start_at((uint16_t)f->bars[i].address, 1);
			if (port)
				pci_log(f, "serial port ttyS%u\n", serial_number(port));
		}
	}
}

/* Return whether console= names a port that is not there, and may be one of a PCI card. */
static bool asks_for_more(const char *cmdline)
{
	char word[WORD_MOST];
	struct wanted w;

	for (const char *at = cmdline; next_word(&at, CONSOLE, word);)
		if (read_word(word, &w) && (!serial_leading() || w.number >= LEGACY_PORTS) && !start_wanted(&w))
			return true;
	return false;
}

/* Log which words of a key name no port, or one that is not there. */
static void log_missing(const char *cmdline, enum key key)
{
	char word[WORD_MOST];
	struct wanted w;

	for (const char *at = cmdline; next_word(&at, key, word);) {
		if (!read_word(word, &w))
			log_err("%s=%s: not ttyS0 to ttyS%u, or uart8250,io,ADDRESS, with a baud rate that divides "
				"115200\n",
				keys[key], word, SERIAL_PORTS - 1);
		else if (!start_wanted(&w))
			log_err("%s=%s: there is no such port\n", keys[key], word);
	}
}

static struct serial_port *late; /* where write_late() sends text. Guard: only during serial_find_more() */

static void write_late(const char *text, size_t size)
{
	serial_send_message(late, text, size);
}

void serial_find_more(const char *cmdline)
{
	bool was_console[SERIAL_PORTS];

	for (unsigned i = 0; i < SERIAL_PORTS; i++)
		was_console[i] = serial_ports[i].console;
	add_acpi();
	if (asks_for_more(cmdline))
		add_pci();
	(void)choose_named(cmdline, CONSOLE);
	for (unsigned i = 0; i < SERIAL_PORTS && !serial_leading(); i++)
		if (serial_ports[i].present)
			make_console(&serial_ports[i]);
	for (unsigned i = 0; i < SERIAL_PORTS; i++) {
		late = &serial_ports[i];
		if (!late->console || was_console[i])
			continue;
		log_read(write_late);
		log_info("serial port ttyS%u: at I/O port %#x\n", i, late->base);
	}
	log_missing(cmdline, EARLYCON);
	log_missing(cmdline, CONSOLE);
}
