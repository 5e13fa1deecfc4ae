/*
 * Searches the command line. Keeps nothing.
 */
#include "kernel/lib/cmdline.h"

#include "kernel/lib/string.h"

struct word {
	const char *start;
	size_t size;
};

/* The next word from *at on, quotes kept; false at the end or at "--". */
static bool next_word(const char **at, struct word *ret)
{
	const char *p = *at;
	bool quoted = false;

	while (*p == ' ' || *p == '\t' || *p == '\n')
		p++;
	ret->start = p;
	for (; *p && (quoted || (*p != ' ' && *p != '\t' && *p != '\n')); p++)
		if (*p == '"')
			quoted = !quoted;
	ret->size = (size_t)(p - ret->start);
	*at = p;
	return ret->size && !(ret->size == 2 && ret->start[0] == '-' && ret->start[1] == '-');
}

/* Does the word name `key`? *ret_value is what follows "=", or NULL. */
static bool word_is(const struct word *w, const char *key, const char **ret_value)
{
	size_t n = strlen(key);

	if (w->size < n || strncmp(w->start, key, n) != 0)
		return false;
	*ret_value = NULL;
	if (w->size > n && w->start[n] == '=')
		*ret_value = w->start + n + 1;
	return w->size == n || *ret_value;
}

bool cmdline_has(const char *cmdline, const char *key)
{
	const char *value;
	struct word w;

	while (next_word(&cmdline, &w))
		if (word_is(&w, key, &value))
			return true;
	return false;
}

bool cmdline_get(const char *cmdline, const char *key, char *buffer, size_t size)
{
	const char *value;
	struct word w;
	bool found = false;

	while (next_word(&cmdline, &w)) {
		const char *end = w.start + w.size;
		size_t n = 0;

		if (!word_is(&w, key, &value) || !value)
			continue;
		found = true;
		for (; value < end; value++)
			if (*value != '"' && n + 1 < size)
				buffer[n++] = *value;
		if (size)
			buffer[n] = '\0';
	}
	return found;
}

long cmdline_number(const char *cmdline, const char *key, long otherwise)
{
	char text[24];
	const char *p = text;
	long value = 0, sign = 1, base = 10;

	if (!cmdline_get(cmdline, key, text, sizeof(text)))
		return otherwise;
	if (*p == '-') {
		sign = -1;
		p++;
	}
	if (p[0] == '0' && (p[1] | 32) == 'x') {
		base = 16;
		p += 2;
	}
	if (!*p)
		return otherwise;
	for (; *p; p++) {
		int c = *p | 32, digit = c >= 'a' ? c - 'a' + 10 : *p - '0';

		if (digit < 0 || digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (long)digit, &value))
			return otherwise;
	}
	return sign * value;
}

const char *cmdline_init_words(const char *cmdline)
{
	struct word w;

	while (next_word(&cmdline, &w))
		;
	while (*cmdline == ' ')
		cmdline++;
	return cmdline;
}
