/*
 * Formats text as printf does, without floating point, into the caller's buffer. Prints nothing, allocates nothing,
 * knows no locale.
 */
#include "kernel/lib/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/printable.h"
#include "kernel/lib/string.h"

/* Eight or two bytes of text, at any address: a store of one such word is one instruction, memcpy() would be a call. */
typedef uint64_t word64 __attribute__((aligned(1), may_alias));
typedef uint16_t word16 __attribute__((aligned(1), may_alias));

struct output {
	char *buffer;
	size_t size;
	size_t length; /* bytes of the whole text, those that did not fit the buffer included */
	bool quoted;   /* show the text of %s and %c as printable.h says */
};

struct conversion {
	bool left, zero, alternate, plus, space, upper;
	int width;
	int precision; /* -1: the format gives none */
	int bytes;     /* size of an integer argument: 1, 2, 4 or 8 */
};

static void put(struct output *o, char c)
{
	if (o->length + 1 < o->size)
		o->buffer[o->length] = c;
	o->length++;
}

/*
 * Reserve the next `count` bytes of output, and return their address. *ret_fit is how many of them fit into the buffer;
 * the text's length grows by `count` in any case.
 */
static char *claim(struct output *o, size_t count, size_t *ret_fit)
{
	size_t room = o->length + 1 < o->size ? o->size - 1 - o->length : 0;
	char *at = room ? o->buffer + o->length : NULL;

	*ret_fit = count < room ? count : room;
	o->length += count;
	return at;
}

static void pad(struct output *o, char c, int count)
{
	size_t fit;
	char *at;

	if (count <= 0)
		return;
	at = claim(o, (size_t)count, &fit);
	if (fit)
		memset(at, c, fit);
}

/* Put text[0, size) as it is. */
static void put_plain(struct output *o, const char *text, size_t size)
{
	size_t fit;
	char *at = claim(o, size, &fit);

	if (fit)
		memcpy(at, text, fit);
}

/* Put text[0, size). If o->quoted is set, each control character is put as printable.h says, so that it is visible. */
static void put_bytes(struct output *o, const char *text, int size)
{
	char shown[PRINTABLE_MOST];
	size_t count, taken;

	if (!o->quoted) {
		put_plain(o, text, (size_t)size);
		return;
	}
	while (size > 0) {
		count = printable_next(text, (size_t)size, shown, &taken);
		for (size_t i = 0; i < count; i++)
			put(o, shown[i]);
		text += taken;
		size -= (int)taken;
	}
}

static int shown_length(const struct output *o, const char *text, int size)
{
	struct output counted = { .quoted = o->quoted };

	if (!o->quoted)
		return size;
	put_bytes(&counted, text, size);
	return (int)counted.length;
}

static void put_text(struct output *o, const struct conversion *c, const char *text, int size)
{
	int room = c->width ? c->width - shown_length(o, text, size) : 0;

	if (!c->left)
		pad(o, ' ', room);
	put_bytes(o, text, size);
	if (c->left)
		pad(o, ' ', room);
}

/* Put a string. With a precision the string need not end with NUL: no more bytes than the precision says are read. */
static void put_string(struct output *o, const struct conversion *c, const char *s)
{
	if (!s)
		s = "(null)";
	put_text(o, c, s, (int)(c->precision < 0 ? strlen(s) : strnlen(s, (size_t)c->precision)));
}

static void put_number(struct output *o, const struct conversion *c, uint64_t value, unsigned base, const char *prefix)
{
	const char *digits = c->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24], *end = text + sizeof(text), *first = end; /* room for the 22 octal digits of a 64-bit number */
	int n, zeros, width = c->width;

	/* C17 7.21.6.1, "The fprintf function": the number 0 with precision 0 has no digits. */
	if (value || c->precision != 0)
		do
			*--first = digits[value % base];
		while (value /= base);
	n = (int)(end - first);
	for (const char *p = prefix; *p; p++)
		width--;
	zeros = c->precision > n ? c->precision - n : 0;
	if (c->zero && !c->left && c->precision < 0 && width > n)
		zeros = width - n;
	/* "#o" asks that the first digit is 0: one that precision or padding added is enough. */
	if (base == 8 && c->alternate && !zeros && !(n && *first == '0'))
		zeros = 1;
	if (!c->left)
		pad(o, ' ', width - n - zeros);
	for (const char *p = prefix; *p; p++)
		put(o, *p);
	pad(o, '0', zeros);
	put_plain(o, first, (size_t)n);
	if (c->left)
		pad(o, ' ', width - n - zeros);
}

#define WIDTH_MOST 65535

/* Take a width or a precision from the format, or for `*` from the arguments; limited to WIDTH_MOST. */
static int take_number(const char **format, va_list *args)
{
	int n = 0;

	if (**format == '*') {
		++*format;
		n = va_arg(*args, int);
		return n > WIDTH_MOST ? WIDTH_MOST : n < -WIDTH_MOST ? -WIDTH_MOST : n;
	}
	for (; **format >= '0' && **format <= '9'; ++*format) {
		n = n * 10 + (**format - '0');
		if (n > WIDTH_MOST)
			n = WIDTH_MOST;
	}
	return n;
}

/* Take a conversion's flags, width, precision and length; *format is then at the conversion's letter. */
static struct conversion parse(const char **format, va_list *args)
{
	struct conversion c = { .precision = -1, .bytes = 4 };

	for (;; ++*format) {
		if (**format == '-')
			c.left = true;
		else if (**format == '0')
			c.zero = true;
		else if (**format == '#')
			c.alternate = true;
		else if (**format == '+')
			c.plus = true;
		else if (**format == ' ')
			c.space = true;
		else
			break;
	}
	c.width = take_number(format, args);
	if (c.width < 0) {
		c.left = true;
		c.width = -c.width;
	}
	if (**format == '.') {
		++*format;
		c.precision = take_number(format, args);
	}
	for (;; ++*format) {
		if (**format == 'h')
			c.bytes = c.bytes > 1 ? c.bytes / 2 : 1;
		else if (**format == 'l' || **format == 'z' || **format == 't')
			c.bytes = 8;
		else
			break;
	}
	return c;
}

static void put_signed(struct output *o, const struct conversion *c, int64_t value)
{
	const char *sign = c->plus ? "+" : c->space ? " " : "";

	if (c->bytes == 1)
		value = (signed char)value;
	else if (c->bytes == 2)
		value = (short)value;
	if (value < 0)
		put_number(o, c, -(uint64_t)value, 10, "-");
	else
		put_number(o, c, (uint64_t)value, 10, sign);
}

static void put_unsigned(struct output *o, const struct conversion *c, uint64_t value, char letter)
{
	const char *prefix = "";

	if (c->bytes < 8)
		value &= (1ULL << 8 * c->bytes) - 1;
	if (c->alternate && value && (letter == 'x' || letter == 'X'))
		prefix = letter == 'x' ? "0x" : "0X";
	put_number(o, c, value, letter == 'u' ? 10 : letter == 'o' ? 8 : 16, prefix);
}

/*
 * Do a conversion without flags, width and precision, such as %d or %lu, at half the cost of the general code; most
 * conversions are of this kind. *format points just after the %. Returns false, with nothing done, for any other
 * conversion.
 */
static bool convert_plain(struct output *o, const char **format, va_list *args)
{
	const char *letter = *format, *string;
	char digits[FORMAT_ROOM + 1];
	uint64_t value;
	int64_t number;
	bool wide;

	while (*letter == 'l')
		letter++;
	wide = letter > *format;
	switch (*letter) {
	case 'd':
		number = wide ? va_arg(*args, long long) : va_arg(*args, int);
		digits[0] = '-';
		value = number < 0 ? -(uint64_t)number : (uint64_t)number;
		put_plain(o, digits + (number >= 0),
			  (size_t)(format_decimal(digits + 1, value) - digits) - (number >= 0));
		break;
	case 'u':
		value = wide ? va_arg(*args, unsigned long long) : va_arg(*args, unsigned int);
		put_plain(o, digits, (size_t)(format_decimal(digits, value) - digits));
		break;
	case 's':
		if (o->quoted || wide)
			return false;
		string = va_arg(*args, const char *);
		if (!string)
			string = "(null)";
		put_plain(o, string, strlen(string));
		break;
	default:
		return false;
	}
	*format = letter + 1;
	return true;
}

static void convert(struct output *o, const char **format, va_list *args)
{
	const char *start = *format - 1;
	struct conversion c = parse(format, args);
	char letter = **format, character;

	switch (letter) {
	case 'd':
	case 'i':
		put_signed(o, &c, c.bytes == 8 ? va_arg(*args, long long) : va_arg(*args, int));
		break;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		c.upper = letter == 'X';
		put_unsigned(o, &c, c.bytes == 8 ? va_arg(*args, unsigned long long) : va_arg(*args, unsigned int),
			     letter);
		break;
	case 'p':
		c.bytes = 8;
		put_number(o, &c, (uintptr_t)va_arg(*args, void *), 16, "0x");
		break;
	case 's':
		put_string(o, &c, va_arg(*args, const char *));
		break;
	case 'c':
		character = (char)va_arg(*args, int);
		put_text(o, &c, &character, 1);
		break;
	case '%':
		put(o, '%');
		break;
	default:
		/* Show a conversion that this printf does not know unchanged. */
		for (const char *p = start; p < *format; p++)
			put(o, *p);
		return;
	}
	++*format;
}

static size_t format_all(struct output o, const char *format, va_list args)
{
	va_list rest;

	va_copy(rest, args);
	while (*format) {
		const char *start = format;

		while (*format && *format != '%')
			format++;
		if (format > start)
			put_plain(&o, start, (size_t)(format - start));
		if (!*format++)
			break;
		if (!convert_plain(&o, &format, &rest))
			convert(&o, &format, &rest);
	}
	va_end(rest);
	if (o.size)
		o.buffer[o.length < o.size ? o.length : o.size - 1] = '\0';
	return o.length;
}

size_t format_v(char *buffer, size_t size, const char *format, va_list args)
{
	return format_all((struct output){ .buffer = buffer, .size = size }, format, args);
}

size_t format_quoted_v(char *buffer, size_t size, const char *format, va_list args)
{
	return format_all((struct output){ .buffer = buffer, .size = size, .quoted = true }, format, args);
}

size_t format_s(char *buffer, size_t size, const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = format_v(buffer, size, format, args);
	va_end(args);
	return length;
}

char *format_decimal(char *at, uint64_t number)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
				    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	char text[2 * FORMAT_ROOM], *const end = text + FORMAT_ROOM, *first = end;

	/* Most numbers have one digit. */
	if (number < 10) {
		*at = (char)('0' + number);
		return at + 1;
	}
	do
		*(word16 *)(first -= 2) = *(const word16 *)(pairs + 2 * (number % 100));
	while (number /= 100);
	first += *first == '0';
	/* Copy FORMAT_ROOM bytes, whatever follows the digits: a fixed count needs no branches for the length. */
	for (size_t i = 0; i < FORMAT_ROOM; i += 8)
		*(word64 *)(at + i) = *(const word64 *)(first + i);
	return at + (end - first);
}

/* Return the eight hexadecimal digits of a number as they lie in memory, the first in the lowest byte. */
static uint64_t eight_digits(uint32_t number)
{
	uint64_t digits = number, letters;

	/* Spread the number: a digit's value in each byte. */
	digits = (digits << 16 | digits) & 0x0000ffff0000ffff;
	digits = (digits << 8 | digits) & 0x00ff00ff00ff00ff;
	digits = (digits << 4 | digits) & 0x0f0f0f0f0f0f0f0f;
	/* Adding 6 carries into a byte's bit 4 where the digit is a letter. */
	letters = (digits + 0x0606060606060606) >> 4 & 0x0101010101010101;
	return __builtin_bswap64(digits + 0x3030303030303030 + letters * ('a' - '9' - 1));
}

char *format_hex(char *at, uint64_t number, unsigned least)
{
	unsigned count = (unsigned)(67 - __builtin_clzll(number | 1)) / 4;

	if (count < least)
		count = least;
	if (count > 8) {
		*(word64 *)at = eight_digits((uint32_t)(number >> 32)) >> 8 * (16 - count);
		*(word64 *)(at + count - 8) = eight_digits((uint32_t)number);
	} else {
		*(word64 *)at = eight_digits((uint32_t)number) >> 8 * (8 - count);
	}
	return at + count;
}

char *format_size(char buffer[16], unsigned long long bytes)
{
	static const char units[][4] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned unit = 0;
	unsigned long long whole = bytes, rest = 0;

	for (; whole >= 1024 && unit < 6; unit++) {
		rest = whole % 1024;
		whole /= 1024;
	}
	if (rest && unit)
		format_s(buffer, 16, "%llu.%llu %s", whole, rest * 10 / 1024, units[unit]);
	else
		format_s(buffer, 16, "%llu %s", whole, units[unit]);
	return buffer;
}
