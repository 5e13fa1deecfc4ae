"""Short texts, packed: what scripts/mksymbols and scripts/mklines share; kernel/report/packed_text.c unpacks it.

Codes below 128 are characters, others stand for a pair of codes. The pairs are found as in byte-pair encoding (Gage,
"A New Algorithm for Data Compression", 1994).
"""

import collections

FIRST_PAIR = 128
MOST_PAIRS = 128
PAIR_COST = 2  # bytes of a pair in the table: it must save more


def compress(names):
    """Return (list of names as lists of codes, list of pairs)."""
    texts = []
    for name in names:
        text = list(name.encode("utf-8"))
        texts.append([code if code < FIRST_PAIR else ord("?") for code in text])
    pairs = []
    while len(pairs) < MOST_PAIRS:
        counts = collections.Counter()
        for text in texts:
            counts.update(zip(text, text[1:]))
        # The smallest of the most frequent ones, so that no order of counting shows in the output.
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if best is None or counts[best] <= PAIR_COST:
            break
        code = FIRST_PAIR + len(pairs)
        pairs.append(best)
        texts = [replace(text, best, code) for text in texts]
    return texts, pairs


def replace(text, pair, code):
    """Return the text with each occurrence of the pair as one code."""
    result = []
    at = 0
    while at < len(text):
        if tuple(text[at : at + 2]) == pair:
            result.append(code)
            at += 2
        else:
            result.append(text[at])
            at += 1
    return result


def varint(value):
    """Little-endian, 7 bits a byte, with bit 7 set in all but the last (as DWARF's ULEB128)."""
    result = bytearray()
    while value >= 128:
        result.append(value & 127 | 128)
        value >>= 7
    result.append(value)
    return result


def zigzag(value):
    """A signed number as an unsigned one: 0, -1, 1, -2, …"""
    return 2 * value if value >= 0 else -2 * value - 1


def pair_bytes(pairs):
    """The table of pairs: their number, and the two codes of each."""
    return bytes([len(pairs)]) + bytes(code for pair in pairs for code in pair)


def assembly(table, maker, source, name):
    """An assembly file that defines kernel_NAME and kernel_NAME_end around the table, in section .NAME."""
    lines = [
        "/* Made by scripts/%s from %s: do not edit. */" % (maker, source),
        '\t.section .%s, "a", @progbits' % name,
        "\t.globl\tkernel_%s, kernel_%s_end" % (name, name),
        "\t.hidden\tkernel_%s, kernel_%s_end" % (name, name),
        "kernel_%s:" % name,
    ]
    for at in range(0, len(table), 16):
        lines.append("\t.byte\t" + ",".join("%d" % byte for byte in table[at : at + 16]))
    lines += ["kernel_%s_end:" % name, '\t.section .note.GNU-stack, "", @progbits']
    return "\n".join(lines) + "\n"
