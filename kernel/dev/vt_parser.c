/*
 * Parses the bytes that a terminal gets, with a state that is kept from one byte to the next. A table of states and
 * kinds of bytes decides what is a character, a control or a sequence. What these do is decided by text_console.c and
 * text_sequence.c.
 *
 * Control characters inside a sequence take effect, too. CAN and SUB end a sequence without effect, and ESC starts the
 * next one (ECMA-48; DEC STD 070, "Code Extension Layer").
 */
#include "kernel/dev/vt_parser.h"

enum { BEL = 0x07, CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f };

enum kind {
	KIND_CONTROL,
	KIND_BELL,
	KIND_CANCEL,
	KIND_ESCAPE,
	KIND_INTERMEDIATE, /* 0x20 to 0x2f */
	KIND_DIGIT,
	KIND_COLON,
	KIND_SEMICOLON,
	KIND_PREFIX, /* < = > ? */
	KIND_FINAL,  /* 0x40 to 0x7e */
	KIND_DELETE,
	KIND_HIGH, /* above 0x7f: part of UTF-8, and of no sequence */
	KINDS,
};

enum state {
	STATE_TEXT,
	STATE_ESCAPE, /* after ESC and perhaps intermediate bytes */
	STATE_START,  /* after ESC [ */
	STATE_PARAMETERS,
	STATE_INTERMEDIATES, /* after parameters */
	STATE_IGNORE,        /* in a sequence that is malformed */
	STATE_COMMAND_START, /* after ESC ] */
	STATE_COMMAND,       /* in an operating system command, which ends with ST or BEL */
	STATE_PALETTE,       /* in Linux's ESC ] P, which has seven digits and no end mark */
	STATE_STRING,        /* in a string of another kind, which ends with ST */
	STATES,
};

enum action {
	DO_NOTHING,
	DO_TEXT,
	DO_CONTROL,
	DO_BEGIN, /* ESC has arrived: start a sequence */
	DO_INTERMEDIATE,
	DO_PREFIX,
	DO_DIGIT,
	DO_NEXT,
	DO_SUB,
	DO_ESCAPE, /* an escape sequence ends, or something longer starts, as with ESC [ */
	DO_SEQUENCE,
	DO_COMMAND, /* take the first byte of an operating system command */
	DO_STRING,
	DO_AGAIN, /* change the state, then look at the same byte again */
};

struct step {
	uint8_t action, next;
};

/* The steps for control characters inside an unfinished sequence, where they have the same effect as in text. */
#define IN_SEQUENCE(state)                                                                      \
	[KIND_CONTROL] = { DO_CONTROL, state }, [KIND_BELL] = { DO_CONTROL, state },            \
	[KIND_CANCEL] = { DO_NOTHING, STATE_TEXT }, [KIND_ESCAPE] = { DO_BEGIN, STATE_ESCAPE }, \
	[KIND_DELETE] = { DO_NOTHING, state }, [KIND_HIGH] = { DO_AGAIN, STATE_TEXT }

/*
 * The steps inside a string, except for KIND_FINAL: each state lists that itself, because the first byte of a command
 * says which command it is.
 */
#define IN_STRING(state, bell_action, bell_next)                                                \
	[KIND_CONTROL] = { DO_STRING, state }, [KIND_BELL] = { bell_action, bell_next },        \
	[KIND_CANCEL] = { DO_NOTHING, STATE_TEXT }, [KIND_ESCAPE] = { DO_BEGIN, STATE_ESCAPE }, \
	[KIND_INTERMEDIATE... KIND_PREFIX] = { DO_STRING, state }, [KIND_DELETE... KIND_HIGH] = { DO_STRING, state }

static const struct step steps[STATES][KINDS] = {
	[STATE_TEXT] = {
		[KIND_CONTROL] = { DO_CONTROL, STATE_TEXT },
		[KIND_BELL] = { DO_CONTROL, STATE_TEXT },
		[KIND_CANCEL] = { DO_NOTHING, STATE_TEXT },
		[KIND_ESCAPE] = { DO_BEGIN, STATE_ESCAPE },
		[KIND_INTERMEDIATE ... KIND_FINAL] = { DO_TEXT, STATE_TEXT },
		[KIND_DELETE] = { DO_NOTHING, STATE_TEXT },
		[KIND_HIGH] = { DO_TEXT, STATE_TEXT },
	},
	[STATE_ESCAPE] = {
		IN_SEQUENCE(STATE_ESCAPE),
		[KIND_INTERMEDIATE] = { DO_INTERMEDIATE, STATE_ESCAPE },
		[KIND_DIGIT ... KIND_FINAL] = { DO_ESCAPE, STATE_TEXT },
	},
	[STATE_START] = {
		IN_SEQUENCE(STATE_START),
		[KIND_INTERMEDIATE] = { DO_INTERMEDIATE, STATE_INTERMEDIATES },
		[KIND_DIGIT] = { DO_DIGIT, STATE_PARAMETERS },
		[KIND_COLON] = { DO_SUB, STATE_PARAMETERS },
		[KIND_SEMICOLON] = { DO_NEXT, STATE_PARAMETERS },
		[KIND_PREFIX] = { DO_PREFIX, STATE_PARAMETERS },
		[KIND_FINAL] = { DO_SEQUENCE, STATE_TEXT },
	},
	[STATE_PARAMETERS] = {
		IN_SEQUENCE(STATE_PARAMETERS),
		[KIND_INTERMEDIATE] = { DO_INTERMEDIATE, STATE_INTERMEDIATES },
		[KIND_DIGIT] = { DO_DIGIT, STATE_PARAMETERS },
		[KIND_COLON] = { DO_SUB, STATE_PARAMETERS },
		[KIND_SEMICOLON] = { DO_NEXT, STATE_PARAMETERS },
		[KIND_PREFIX] = { DO_NOTHING, STATE_IGNORE },
		[KIND_FINAL] = { DO_SEQUENCE, STATE_TEXT },
	},
	[STATE_INTERMEDIATES] = {
		IN_SEQUENCE(STATE_INTERMEDIATES),
		[KIND_INTERMEDIATE] = { DO_INTERMEDIATE, STATE_INTERMEDIATES },
		[KIND_DIGIT ... KIND_PREFIX] = { DO_NOTHING, STATE_IGNORE },
		[KIND_FINAL] = { DO_SEQUENCE, STATE_TEXT },
	},
	[STATE_IGNORE] = {
		IN_SEQUENCE(STATE_IGNORE),
		[KIND_INTERMEDIATE ... KIND_PREFIX] = { DO_NOTHING, STATE_IGNORE },
		[KIND_FINAL] = { DO_NOTHING, STATE_TEXT },
	},
	[STATE_COMMAND_START] = {
		IN_STRING(STATE_COMMAND, DO_NOTHING, STATE_TEXT),
		[KIND_FINAL] = { DO_COMMAND, STATE_COMMAND },
	},
	[STATE_COMMAND] = {
		IN_STRING(STATE_COMMAND, DO_NOTHING, STATE_TEXT),
		[KIND_FINAL] = { DO_STRING, STATE_COMMAND },
	},
	[STATE_PALETTE] = {
		IN_STRING(STATE_PALETTE, DO_STRING, STATE_PALETTE),
		[KIND_FINAL] = { DO_STRING, STATE_PALETTE },
	},
	[STATE_STRING] = {
		IN_STRING(STATE_STRING, DO_STRING, STATE_STRING),
		[KIND_FINAL] = { DO_STRING, STATE_STRING },
	},
};

static enum kind kind_of(uint8_t byte)
{
	switch (byte) {
	case BEL:
		return KIND_BELL;
	case CAN:
	case SUB:
		return KIND_CANCEL;
	case ESC:
		return KIND_ESCAPE;
	case DEL:
		return KIND_DELETE;
	case ':':
		return KIND_COLON;
	case ';':
		return KIND_SEMICOLON;
	}
	if (byte < 0x20)
		return KIND_CONTROL;
	if (byte < 0x30)
		return KIND_INTERMEDIATE;
	if (byte < 0x3a)
		return KIND_DIGIT;
	if (byte < 0x40)
		return KIND_PREFIX;
	return byte < 0x7f ? KIND_FINAL : KIND_HIGH;
}

static void begin(struct vt_parser *parser)
{
	parser->prefix = parser->intermediate = 0;
	parser->count = 1;
	parser->sub = 0;
	parser->length = 0;
	for (int i = 0; i < VT_PARAMETERS; i++)
		parser->parameter[i] = 0;
}

/* Add a digit to the last parameter. Parameters beyond the array are counted, so that their digits are dropped. */
static void digit(struct vt_parser *parser, uint8_t byte)
{
	uint16_t *parameter = &parser->parameter[parser->count - 1];
	uint32_t value;

	if (parser->count > VT_PARAMETERS)
		return;
	value = *parameter * 10U + (byte - '0');
	*parameter = (uint16_t)(value < VT_PARAMETER_MAX ? value : VT_PARAMETER_MAX);
}

static void next_parameter(struct vt_parser *parser, bool sub)
{
	if (parser->count > VT_PARAMETERS)
		return;
	if (sub && parser->count < VT_PARAMETERS)
		parser->sub |= (uint16_t)(1U << parser->count);
	parser->count++;
}

/* Take the last byte of an escape sequence, or the byte after ESC that starts something longer. */
static enum vt_event escape(struct vt_parser *parser, uint8_t byte)
{
	parser->final = byte;
	if (parser->intermediate)
		return VT_ESCAPE;
	switch (byte) {
	case '[':
		parser->state = STATE_START;
		return VT_END;
	case ']':
		parser->state = STATE_COMMAND_START;
		return VT_END;
	case 'P': /* these start strings: device control, start of string, privacy message, application command */
	case 'X':
	case '^':
	case '_':
		parser->state = STATE_STRING;
		return VT_END;
	case '\\': /* the end mark of a string, whose ESC has ended the string already */
		return VT_END;
	default:
		return VT_ESCAPE;
	}
}

static void string(struct vt_parser *parser)
{
	uint16_t most = parser->state == STATE_PALETTE ? 7 : VT_STRING_MAX;

	if (++parser->length >= most)
		parser->state = STATE_TEXT;
}

/*
 * Take the first byte of a command. Two commands of Linux, which terminfo's entry `linux` contains, have no end mark: P
 * sets a colour, R resets the colours.
 */
static void command(struct vt_parser *parser, uint8_t byte)
{
	if (byte == 'P')
		parser->state = STATE_PALETTE;
	else if (byte == 'R')
		parser->state = STATE_TEXT;
}

static enum vt_event sequence(struct vt_parser *parser, uint8_t byte)
{
	parser->final = byte;
	if (parser->count > VT_PARAMETERS)
		parser->count = VT_PARAMETERS;
	return VT_SEQUENCE;
}

/*
 * Take one byte of a sequence, or an ASCII byte of text. *ret_again: the byte must be fed again. Returns VT_END when
 * nothing is complete yet.
 */
static enum vt_event step(struct vt_parser *parser, uint8_t byte, bool *ret_again)
{
	struct step to = steps[parser->state][kind_of(byte)];

	parser->state = to.next;
	switch ((enum action)to.action) {
	case DO_TEXT:
		parser->code_point = byte;
		return VT_PRINT;
	case DO_CONTROL:
		parser->final = byte;
		return VT_CONTROL;
	case DO_BEGIN:
		begin(parser);
		break;
	case DO_INTERMEDIATE:
		parser->intermediate = byte;
		break;
	case DO_PREFIX:
		parser->prefix = byte;
		break;
	case DO_DIGIT:
		digit(parser, byte);
		break;
	case DO_NEXT:
	case DO_SUB:
		next_parameter(parser, to.action == DO_SUB);
		break;
	case DO_ESCAPE:
		return escape(parser, byte);
	case DO_SEQUENCE:
		return sequence(parser, byte);
	case DO_COMMAND:
		command(parser, byte);
		break;
	case DO_STRING:
		string(parser);
		break;
	case DO_AGAIN:
		*ret_again = true;
		break;
	case DO_NOTHING:
		break;
	}
	return VT_END;
}

/* Take a byte of a character of several bytes, or one that cuts such a character short. */
static enum vt_event high(struct vt_parser *parser, uint8_t byte, bool *ret_again)
{
	enum utf8_result result = utf8_feed(&parser->utf8, byte, &parser->code_point);

	*ret_again = result == UTF8_BAD_BUT;
	return result == UTF8_MORE ? VT_END : VT_PRINT;
}

enum vt_event vt_parser_next(struct vt_parser *parser, const char **text, const char *end)
{
	enum vt_event event = VT_END;

	while (*text < end && event == VT_END) {
		uint8_t byte = (uint8_t) * *text;
		bool again = false;

		if (parser->state == STATE_TEXT && (byte > DEL || parser->utf8.missing))
			event = high(parser, byte, &again);
		else
			event = step(parser, byte, &again);
		if (!again)
			++*text;
	}
	return event;
}
