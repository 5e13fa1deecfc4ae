/*
 * The functions that the compiler calls in the debug build (-fsanitize=undefined) where a program's behaviour is
 * undefined: each of them panics with file, line, column and values. The names, and the structures that the compiler
 * lays out, are those of the sanitizer's run-time library (LLVM, compiler-rt/lib/ubsan/ubsan_handlers.h).
 */
#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/format.h"
#include "kernel/lib/panic.h"

#if DEBUG || defined(UBSAN_TEST)

#define VALUE_TEXT 32

struct location {
	const char *file;
	uint32_t line;
	uint32_t column;
};

enum type_kind { TYPE_INTEGER = 0, TYPE_FLOAT = 1, TYPE_UNKNOWN = 0xffff };

struct type {
	uint16_t kind; /* enum type_kind */
	uint16_t info; /* for an integer: bit 0 is "signed", the bits above it the logarithm of its size in bits */
	char name[];
};

/* A value as the compiler passes it: of up to 64 bits the value itself, else a pointer to it. */
typedef uintptr_t value_t;

struct overflow_data {
	struct location at;
	const struct type *type;
};

struct shift_data {
	struct location at;
	const struct type *left;
	const struct type *right;
};

struct bounds_data {
	struct location at;
	const struct type *array;
	const struct type *index;
};

struct mismatch_data {
	struct location at;
	const struct type *type;
	uint8_t log_alignment;
	uint8_t access; /* index into `accesses` below */
};

struct value_data {
	struct location at;
	const struct type *type;
};

struct argument_data {
	struct location at;
	struct location attribute;
	int32_t number;
};

struct builtin_data {
	struct location at;
	uint8_t kind;
};

__attribute__((noreturn, format(printf, 2, 3))) static void undefined(const struct location *at, const char *format,
								      ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	format_v(text, sizeof(text), format, args);
	va_end(args);
	panic("undefined behaviour: %s (%s:%u:%u)", text, at->file, at->line, at->column);
}

static unsigned bits_of(const struct type *type)
{
	return 1U << (type->info >> 1);
}

static bool is_signed(const struct type *type)
{
	return type->kind == TYPE_INTEGER && type->info & 1;
}

/* Write the value as text into `buffer`, and return `buffer`. */
static const char *value_format(const struct type *type, value_t value, char buffer[VALUE_TEXT])
{
	unsigned bits = bits_of(type);
	uint64_t raw = value;

	if (type->kind != TYPE_INTEGER)
		format_s(buffer, VALUE_TEXT, "a value");
	else if (bits > 64)
		format_s(buffer, VALUE_TEXT, "0x%016llx%016llx", (unsigned long long)((const uint64_t *)value)[1],
			 (unsigned long long)*(const uint64_t *)value);
	else if (!is_signed(type))
		format_s(buffer, VALUE_TEXT, "%llu",
			 (unsigned long long)(bits == 64 ? raw : raw & ((1ULL << bits) - 1)));
	else
		format_s(buffer, VALUE_TEXT, "%lld", (long long)((int64_t)(raw << (64 - bits)) >> (64 - bits)));
	return buffer;
}

static void overflow(const struct overflow_data *data, const char *operation, value_t left, value_t right)
{
	char first[VALUE_TEXT], second[VALUE_TEXT];

	undefined(&data->at, "%s %s %s does not fit %s", value_format(data->type, left, first), operation,
		  value_format(data->type, right, second), data->type->name);
}

void __ubsan_handle_add_overflow(const struct overflow_data *data, value_t left, value_t right);
void __ubsan_handle_sub_overflow(const struct overflow_data *data, value_t left, value_t right);
void __ubsan_handle_mul_overflow(const struct overflow_data *data, value_t left, value_t right);
void __ubsan_handle_divrem_overflow(const struct overflow_data *data, value_t left, value_t right);
void __ubsan_handle_negate_overflow(const struct overflow_data *data, value_t value);
void __ubsan_handle_shift_out_of_bounds(const struct shift_data *data, value_t left, value_t right);
void __ubsan_handle_out_of_bounds(const struct bounds_data *data, value_t index);
void __ubsan_handle_type_mismatch_v1(const struct mismatch_data *data, value_t pointer);
void __ubsan_handle_pointer_overflow(const struct location *at, value_t base, value_t result);
void __ubsan_handle_load_invalid_value(const struct value_data *data, value_t value);
void __ubsan_handle_vla_bound_not_positive(const struct value_data *data, value_t bound);
void __ubsan_handle_nonnull_arg(const struct argument_data *data);
void __ubsan_handle_nonnull_return_v1(const void *data, const struct location *at);
void __ubsan_handle_invalid_builtin(const struct builtin_data *data);
void __ubsan_handle_builtin_unreachable(const struct location *at);
void __ubsan_handle_missing_return(const struct location *at);

void __ubsan_handle_add_overflow(const struct overflow_data *data, value_t left, value_t right)
{
	overflow(data, "+", left, right);
}

void __ubsan_handle_sub_overflow(const struct overflow_data *data, value_t left, value_t right)
{
	overflow(data, "-", left, right);
}

void __ubsan_handle_mul_overflow(const struct overflow_data *data, value_t left, value_t right)
{
	overflow(data, "*", left, right);
}

void __ubsan_handle_divrem_overflow(const struct overflow_data *data, value_t left, value_t right)
{
	overflow(data, "/", left, right);
}

void __ubsan_handle_negate_overflow(const struct overflow_data *data, value_t value)
{
	char text[VALUE_TEXT];

	undefined(&data->at, "- (%s) does not fit %s", value_format(data->type, value, text), data->type->name);
}

void __ubsan_handle_shift_out_of_bounds(const struct shift_data *data, value_t left, value_t right)
{
	char first[VALUE_TEXT], second[VALUE_TEXT];

	undefined(&data->at, "%s of type %s shifted by %s", value_format(data->left, left, first), data->left->name,
		  value_format(data->right, right, second));
}

void __ubsan_handle_out_of_bounds(const struct bounds_data *data, value_t index)
{
	char text[VALUE_TEXT];

	undefined(&data->at, "index %s of %s", value_format(data->index, index, text), data->array->name);
}

void __ubsan_handle_type_mismatch_v1(const struct mismatch_data *data, value_t pointer)
{
	static const char *const accesses[] = { "load", "store", "reference", "member access", "member call" };
	const char *access = data->access < sizeof(accesses) / sizeof(accesses[0]) ? accesses[data->access] : "use";

	if (!pointer)
		undefined(&data->at, "%s through a null pointer to %s", access, data->type->name);
	if (pointer & ((1ULL << data->log_alignment) - 1))
		undefined(&data->at, "%s at %#llx, which is not aligned for %s", access, (unsigned long long)pointer,
			  data->type->name);
	undefined(&data->at, "%s at %#llx, where there is no room for %s", access, (unsigned long long)pointer,
		  data->type->name);
}

void __ubsan_handle_pointer_overflow(const struct location *at, value_t base, value_t result)
{
	undefined(at, "pointer %#llx moved to %#llx", (unsigned long long)base, (unsigned long long)result);
}

void __ubsan_handle_load_invalid_value(const struct value_data *data, value_t value)
{
	char text[VALUE_TEXT];

	undefined(&data->at, "%s is no value of %s", value_format(data->type, value, text), data->type->name);
}

void __ubsan_handle_vla_bound_not_positive(const struct value_data *data, value_t bound)
{
	char text[VALUE_TEXT];

	undefined(&data->at, "an array of %s elements", value_format(data->type, bound, text));
}

void __ubsan_handle_nonnull_arg(const struct argument_data *data)
{
	undefined(&data->at, "argument %d must not be null", data->number);
}

void __ubsan_handle_nonnull_return_v1(const void *data, const struct location *at)
{
	(void)data;
	undefined(at, "null returned, which must not be");
}

void __ubsan_handle_invalid_builtin(const struct builtin_data *data)
{
	undefined(&data->at, "0 given to a builtin that counts its zeros");
}

void __ubsan_handle_builtin_unreachable(const struct location *at)
{
	undefined(at, "code that cannot be reached was");
}

void __ubsan_handle_missing_return(const struct location *at)
{
	undefined(at, "a function ends without its value");
}

#endif
