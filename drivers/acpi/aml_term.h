/* The pieces of ACPI byte code: lengths, names, and how far a term reaches. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#include "aml.h"

/* Reads forward; never behind end. */
struct aml_reader {
    const uint8_t *bytes;
    uint32_t at, end;
};

/* A name as it is written (ACPI 6.5 20.2.2). */
struct aml_name {
    bool is_absolute;
    unsigned nr_parents; /* of '^' */
    unsigned nr_segments;
    const uint8_t *segments; /* nr_segments * AML_NAME_LENGTH bytes */
};

/* Each returns false, with the reader anywhere up to its end, where the bytes are not what is asked for. */
MUST_CHECK bool aml_take_byte(struct aml_reader *reader, uint8_t *byte);
MUST_CHECK bool aml_take(struct aml_reader *reader, uint32_t nr_bytes);
/* *end is where what the length covers ends: at or before the reader's end. */
MUST_CHECK bool aml_take_length(struct aml_reader *reader, uint32_t *end);
MUST_CHECK bool aml_take_name(struct aml_reader *reader, struct aml_name *name);
bool aml_is_name_start(uint8_t byte);
/* Goes over `count` terms, operands and all. */
MUST_CHECK bool aml_skip_terms(struct aml_reader *reader, unsigned count);

/* Op codes (ACPI 6.5 20.3); EXTENDED stands before those with two bytes. */
enum {
    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_ALIAS = 0x06,
    AML_NAME_OP = 0x08,
    AML_BYTE = 0x0a,
    AML_WORD = 0x0b,
    AML_DWORD = 0x0c,
    AML_STRING = 0x0d,
    AML_QWORD = 0x0e,
    AML_SCOPE = 0x10,
    AML_BUFFER = 0x11,
    AML_PACKAGE = 0x12,
    AML_VAR_PACKAGE = 0x13,
    AML_METHOD_OP = 0x14,
    AML_EXTERNAL = 0x15,
    AML_EXTENDED = 0x5b,
    AML_ARG0 = 0x68,
    AML_STORE = 0x70,
    AML_AND = 0x7b,
    AML_OR = 0x7d,
    AML_CREATE_DWORD_FIELD = 0x8a,
    AML_CREATE_WORD_FIELD = 0x8b,
    AML_CREATE_BYTE_FIELD = 0x8c,
    AML_CREATE_BIT_FIELD = 0x8d,
    AML_CREATE_QWORD_FIELD = 0x8f,
    AML_LAND = 0x90,
    AML_LOR = 0x91,
    AML_LNOT = 0x92,
    AML_LEQUAL = 0x93,
    AML_LGREATER = 0x94,
    AML_LLESS = 0x95,
    AML_IF = 0xa0,
    AML_ELSE = 0xa1,
    AML_WHILE = 0xa2,
    AML_NOOP = 0xa3,
    AML_RETURN = 0xa4,
    AML_ONES = 0xff,
};

enum {
    AML_EXT_MUTEX = 0x01,
    AML_EXT_EVENT = 0x02,
    AML_EXT_CREATE_FIELD = 0x13,
    AML_EXT_REGION = 0x80,
    AML_EXT_FIELD = 0x81,
    AML_EXT_DEVICE = 0x82,
    AML_EXT_PROCESSOR = 0x83,
    AML_EXT_POWER_RESOURCE = 0x84,
    AML_EXT_THERMAL_ZONE = 0x85,
    AML_EXT_INDEX_FIELD = 0x86,
    AML_EXT_BANK_FIELD = 0x87,
    AML_EXT_DATA_REGION = 0x88,
};
