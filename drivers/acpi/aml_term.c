#include "aml_term.h"

#include <lib/string.h>

#define ROOT_PREFIX        '\\'
#define PARENT_PREFIX      '^'
#define NULL_NAME          0x00
#define DUAL_NAME          0x2e
#define MULTI_NAME         0x2f
#define OPERANDS_NEVER     0xff /* no term begins with this byte */
#define LENGTH_BYTES(lead) ((lead) >> 6)

bool aml_take(struct aml_reader *reader, uint32_t nr_bytes)
{
    if (nr_bytes > reader->end - reader->at)
        return false;
    reader->at += nr_bytes;
    return true;
}

bool aml_take_byte(struct aml_reader *reader, uint8_t *byte)
{
    if (reader->at >= reader->end)
        return false;
    *byte = reader->bytes[reader->at++];
    return true;
}

/* ACPI 6.5 20.2.4: the length counts from its own first byte. */
bool aml_take_length(struct aml_reader *reader, uint32_t *end)
{
    uint32_t start = reader->at, length;
    uint8_t lead, byte;

    if (!aml_take_byte(reader, &lead))
        return false;
    length = LENGTH_BYTES(lead) == 0 ? lead & 0x3f : lead & 0x0f;
    for (unsigned i = 0; i < LENGTH_BYTES(lead); i++) {
        if (!aml_take_byte(reader, &byte))
            return false;
        length |= (uint32_t)byte << (4 + 8 * i);
    }
    if (length < reader->at - start || length > reader->end - start)
        return false;
    *end = start + length;
    return true;
}

static bool is_name_character(uint8_t c, bool is_lead)
{
    return (c >= 'A' && c <= 'Z') || c == '_' || (!is_lead && c >= '0' && c <= '9');
}

bool aml_is_name_start(uint8_t byte)
{
    return is_name_character(byte, true) || byte == ROOT_PREFIX || byte == PARENT_PREFIX || byte == DUAL_NAME ||
           byte == MULTI_NAME;
}

static bool take_segments(struct aml_reader *reader, struct aml_name *name)
{
    uint8_t count = 1, first;

    if (!aml_take_byte(reader, &first))
        return false;
    if (first == NULL_NAME)
        return true;
    if (first == DUAL_NAME)
        count = 2;
    else if (first == MULTI_NAME && !aml_take_byte(reader, &count))
        return false;
    else if (first != MULTI_NAME)
        reader->at--;
    name->nr_segments = count;
    name->segments = reader->bytes + reader->at;
    if (!aml_take(reader, count * AML_NAME_LENGTH))
        return false;
    for (unsigned i = 0; i < count * AML_NAME_LENGTH; i++)
        if (!is_name_character(name->segments[i], i % AML_NAME_LENGTH == 0))
            return false;
    return true;
}

bool aml_take_name(struct aml_reader *reader, struct aml_name *name)
{
    *name = (struct aml_name){.segments = reader->bytes};
    if (reader->at < reader->end && reader->bytes[reader->at] == ROOT_PREFIX) {
        name->is_absolute = true;
        reader->at++;
    }
    for (; reader->at < reader->end && reader->bytes[reader->at] == PARENT_PREFIX; reader->at++)
        name->nr_parents++;
    return take_segments(reader, name);
}

/* How many terms follow an op code of one byte as its operands: targets are terms too, and no target is the term Zero.
 */
static uint8_t nr_operands(uint8_t op)
{
    static const char table[] = /* from Store to Mid, ACPI 6.5 20.2.5.4 */
        "2133311"               /* 70 Store RefOf Add Concat Subtract Increment Decrement */
        "3433"                  /* 77 Multiply Divide ShiftLeft ShiftRight */
        "33333"                 /* 7b And Nand Or Nor Xor */
        "2221"                  /* 80 Not FindSetLeftBit FindSetRightBit DerefOf */
        "33213"                 /* 84 ConcatRes Mod Notify SizeOf Index */
        "-----1-"               /* 89 Match, fields; 8e ObjectType; 8f field */
        "221"                   /* 90 LAnd LOr LNot */
        "222"                   /* 93 LEqual LGreater LLess */
        "2222"                  /* 96 ToBuffer ToDecimalString ToHexString ToInteger */
        "--324"                 /* 9c ToString CopyObject Mid */
        "0";                    /* 9f Continue */
    const uint8_t first = 0x70;

    if (op >= 0x60 && op <= 0x6e) /* Local0 to Arg6 */
        return 0;
    if (op == AML_ZERO || op == AML_ONE || op == AML_ONES || op == AML_NOOP || op == 0xa5 || op == 0xcc)
        return 0; /* ... Noop, Break, BreakPoint */
    if (op == AML_RETURN)
        return 1;
    if (op < first || op - first >= (int)sizeof(table) - 1 || table[op - first] == '-')
        return OPERANDS_NEVER;
    return (uint8_t)(table[op - first] - '0');
}

static uint8_t nr_extended_operands(uint8_t op)
{
    static const struct {
        uint8_t op, nr_operands;
    } table[] = {
        {0x12, 2} /* CondRefOf */, {0x1f, 6} /* LoadTable */, {0x20, 2} /* Load */,  {0x21, 1} /* Stall */,
        {0x22, 1} /* Sleep */,     {0x24, 1} /* Signal */,    {0x25, 2} /* Wait */,  {0x26, 1} /* Reset */,
        {0x27, 1} /* Release */,   {0x28, 2} /* FromBCD */,   {0x29, 2} /* ToBCD */, {0x30, 0} /* Revision */,
        {0x31, 0} /* Debug */,     {0x33, 0} /* Timer */,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
        if (table[i].op == op)
            return table[i].nr_operands;
    return OPERANDS_NEVER;
}

static bool skip_string(struct aml_reader *reader)
{
    uint8_t byte;

    do {
        if (!aml_take_byte(reader, &byte))
            return false;
    } while (byte != 0);
    return true;
}

static bool skip_sized(struct aml_reader *reader)
{
    uint32_t end;

    if (!aml_take_length(reader, &end))
        return false;
    reader->at = end;
    return true;
}

/* Goes over an op code and what stands in it; *operands is how many terms follow. */
static bool skip_op(struct aml_reader *reader, uint8_t *operands)
{
    struct aml_name name;
    uint8_t op;

    *operands = 0;
    if (!aml_take_byte(reader, &op))
        return false;
    if (aml_is_name_start(op)) {
        reader->at--;
        return aml_take_name(reader, &name);
    }
    switch (op) {
    case AML_BYTE:
        return aml_take(reader, sizeof(uint8_t));
    case AML_WORD:
        return aml_take(reader, sizeof(uint16_t));
    case AML_DWORD:
        return aml_take(reader, sizeof(uint32_t));
    case AML_QWORD:
        return aml_take(reader, sizeof(uint64_t));
    case AML_STRING:
        return skip_string(reader);
    case AML_BUFFER:
    case AML_PACKAGE:
    case AML_VAR_PACKAGE:
        return skip_sized(reader);
    case AML_EXTENDED:
        if (!aml_take_byte(reader, &op))
            return false;
        *operands = nr_extended_operands(op);
        break;
    default:
        *operands = nr_operands(op);
        break;
    }
    return *operands != OPERANDS_NEVER;
}

bool aml_skip_terms(struct aml_reader *reader, unsigned count)
{
    /* Each op takes a byte, so count stays below six times the bytes there are. */
    for (uint8_t operands; count > 0; count += operands) {
        count--;
        if (!skip_op(reader, &operands))
            return false;
    }
    return true;
}
