/* The functions that -fsanitize= makes GCC 12 and clang 14 call, and the words for what they found. Each comes twice:
 * as such, and with _abort at the end where the code cannot go on. The layouts are the compilers' interface, as their
 * output shows it.
 *
 * Compiled without sanitizers. No lock, no allocation: any context. */
#include "ubsan_finding.h"

#include <base/assert.h>
#include <lib/format.h>

enum { TYPE_INTEGER = 0, TYPE_FLOAT = 1 };

struct ubsan_type {
    uint16_t kind;
    uint16_t info; /* of integers: bit 0 is signed, above it log2 of the bits */
    char name[];   /* in quotes */
};

struct type_mismatch {
    struct ubsan_place place;
    const struct ubsan_type *type;
    uint8_t log2_alignment;
    uint8_t access; /* index into access_words */
};

struct operation { /* overflow, division, variable length, invalid value */
    struct ubsan_place place;
    const struct ubsan_type *type;
};

struct shift {
    struct ubsan_place place;
    const struct ubsan_type *left, *right;
};

struct bounds {
    struct ubsan_place place;
    const struct ubsan_type *array, *index;
};

struct place_only {
    struct ubsan_place place;
};

struct builtin {
    struct ubsan_place place;
    uint8_t kind; /* 0 ctz, 1 clz */
};

struct null_argument {
    struct ubsan_place place, attribute;
    int32_t argument; /* from 1 */
};

struct null_return {
    struct ubsan_place attribute;
};

struct alignment_assumption {
    struct ubsan_place place, assumption;
    const struct ubsan_type *type;
};

static_assert(offsetof(struct type_mismatch, log2_alignment) == 24 && offsetof(struct shift, right) == 24 &&
                  offsetof(struct null_argument, argument) == 32,
              "the compilers' layout");

static const char *const access_words[] = {
    "load of",
    "store to",
    "reference bound to",
    "member access within",
    "member call on",
    "constructor call on",
    "downcast of",
    "downcast of",
    "upcast of",
    "cast to virtual base of",
    "non-null binding to",
    "dynamic operation on",
};

#define VALUE_MAX 48

static unsigned type_bits(const struct ubsan_type *type)
{
    return 1u << (type->info >> 1);
}

static bool type_is_signed(const struct ubsan_type *type)
{
    return (type->info & 1) != 0;
}

/* A value of up to 64 bits is in the handle itself; a handle of a longer one points to it. */
static int64_t signed_value(const struct ubsan_type *type, uintptr_t handle)
{
    unsigned unused = type_bits(type) < 64 ? 64 - type_bits(type) : 0;

    return (int64_t)((uint64_t)handle << unused) >> unused;
}

static const char *format_value(char *buffer, const struct ubsan_type *type, uintptr_t handle)
{
    const uint64_t *wide = (const uint64_t *)handle;

    if (type->kind != TYPE_INTEGER)
        snprintf(buffer, VALUE_MAX, "a value that is no integer");
    else if (type_bits(type) > 64)
        snprintf(buffer, VALUE_MAX, "0x%lx%016lx", wide[1], wide[0]);
    else if (type_is_signed(type))
        snprintf(buffer, VALUE_MAX, "%ld", signed_value(type, handle));
    else
        snprintf(buffer, VALUE_MAX, "%lu", (uint64_t)handle);
    return buffer;
}

static bool is_negative(const struct ubsan_type *type, uintptr_t handle)
{
    return type_is_signed(type) && type_bits(type) <= 64 && signed_value(type, handle) < 0;
}

static void say_type_mismatch(char *words, const struct type_mismatch *data, uintptr_t address)
{
    const char *access = data->access < ARRAY_SIZE(access_words) ? access_words[data->access] : "access to";
    uint64_t alignment = (uint64_t)1 << (data->log2_alignment & 63);

    if (address == 0)
        snprintf(words, UBSAN_WORDS_MAX, "NULL pointer: %s %s", access, data->type->name);
    else if ((address & (alignment - 1)) != 0)
        snprintf(words, UBSAN_WORDS_MAX, "misaligned pointer: %s %s at 0x%lx, which needs an alignment of %lu", access,
                 data->type->name, address, alignment);
    else
        snprintf(words, UBSAN_WORDS_MAX, "object too small: %s %s at 0x%lx", access, data->type->name, address);
}

static void say_overflow(char *words, const struct operation *data, const char *operator, uintptr_t left,
                         uintptr_t right)
{
    char a[VALUE_MAX], b[VALUE_MAX];

    snprintf(words, UBSAN_WORDS_MAX, "%s integer overflow: %s %s %s does not fit %s",
             type_is_signed(data->type) ? "signed" : "unsigned", format_value(a, data->type, left), operator,
             format_value(b, data->type, right), data->type->name);
}

static void say_negate_overflow(char *words, const struct operation *data, uintptr_t value)
{
    char a[VALUE_MAX];

    snprintf(words, UBSAN_WORDS_MAX, "%s integer overflow: -(%s) does not fit %s",
             type_is_signed(data->type) ? "signed" : "unsigned", format_value(a, data->type, value), data->type->name);
}

static void say_division(char *words, const struct operation *data, uintptr_t left, uintptr_t right)
{
    char a[VALUE_MAX];

    if (data->type->kind == TYPE_INTEGER && !is_negative(data->type, right))
        snprintf(words, UBSAN_WORDS_MAX, "division by zero: %s / 0", format_value(a, data->type, left));
    else
        snprintf(words, UBSAN_WORDS_MAX, "division overflow: %s / -1 does not fit %s",
                 format_value(a, data->type, left), data->type->name);
}

static void say_shift(char *words, const struct shift *data, uintptr_t left, uintptr_t right)
{
    char a[VALUE_MAX], b[VALUE_MAX];

    format_value(a, data->left, left);
    format_value(b, data->right, right);
    if (is_negative(data->right, right))
        snprintf(words, UBSAN_WORDS_MAX, "bad shift: the count %s is negative", b);
    else if (type_bits(data->right) > 64 || (uint64_t)right >= type_bits(data->left))
        snprintf(words, UBSAN_WORDS_MAX, "bad shift: the count %s is too large for %s of %u bits", b, data->left->name,
                 type_bits(data->left));
    else if (is_negative(data->left, left))
        snprintf(words, UBSAN_WORDS_MAX, "bad shift: of the negative value %s to the left", a);
    else
        snprintf(words, UBSAN_WORDS_MAX, "bad shift: %s << %s does not fit %s", a, b, data->left->name);
}

static void say_bounds(char *words, const struct bounds *data, uintptr_t index)
{
    char a[VALUE_MAX];

    snprintf(words, UBSAN_WORDS_MAX, "array index out of bounds: %s in %s", format_value(a, data->index, index),
             data->array->name);
}

static void say_unreachable(char *words, const struct place_only *data)
{
    (void)data;
    snprintf(words, UBSAN_WORDS_MAX, "unreachable code was reached");
}

static void say_missing_return(char *words, const struct place_only *data)
{
    (void)data;
    snprintf(words, UBSAN_WORDS_MAX, "a function ended without returning a value");
}

static void say_length(char *words, const struct operation *data, uintptr_t length)
{
    char a[VALUE_MAX];

    snprintf(words, UBSAN_WORDS_MAX, "array length is not positive: %s", format_value(a, data->type, length));
}

static void say_invalid_value(char *words, const struct operation *data, uintptr_t value)
{
    char a[VALUE_MAX];

    snprintf(words, UBSAN_WORDS_MAX, "invalid value: %s is not valid for %s", format_value(a, data->type, value),
             data->type->name);
}

static void say_builtin(char *words, const struct builtin *data)
{
    snprintf(words, UBSAN_WORDS_MAX, "zero passed to %s, which has no answer for it",
             data->kind == 0 ? "__builtin_ctz" : "__builtin_clz");
}

static void say_null_argument(char *words, const struct null_argument *data)
{
    snprintf(words, UBSAN_WORDS_MAX, "NULL pointer: argument %d must not be NULL", data->argument);
}

static void say_null_return(char *words)
{
    snprintf(words, UBSAN_WORDS_MAX, "NULL pointer: returned by a function that never returns NULL");
}

static void say_pointer_overflow(char *words, const struct place_only *data, uintptr_t base, uintptr_t result)
{
    (void)data;
    if (base == 0)
        snprintf(words, UBSAN_WORDS_MAX, "NULL pointer: an offset of 0x%lx was added to it", (uint64_t)result);
    else
        snprintf(words, UBSAN_WORDS_MAX, "pointer overflow: 0x%lx became 0x%lx", (uint64_t)base, (uint64_t)result);
}

static void say_alignment(char *words, const struct alignment_assumption *data, uintptr_t pointer, uintptr_t alignment,
                          uintptr_t offset)
{
    (void)data;
    snprintf(words, UBSAN_WORDS_MAX, "misaligned pointer: 0x%lx - 0x%lx was assumed to have an alignment of %lu",
             (uint64_t)pointer, (uint64_t)offset, (uint64_t)alignment);
}

#define CALLER (&(struct ubsan_caller){__builtin_return_address(0), __builtin_frame_address(0)})

/* HANDLER_AT(name, (parameters), &place, function that says what was found, (its arguments after words)) */
#define HANDLER_AT(name, parameters, at, say, ...) \
    COLD void __ubsan_handle_##name parameters;    \
    void __ubsan_handle_##name parameters          \
    {                                              \
        char words[UBSAN_WORDS_MAX];               \
                                                   \
        if (!ubsan_begin())                        \
            return;                                \
        say(words __VA_OPT__(, ) __VA_ARGS__);     \
        ubsan_report(at, CALLER, false, words);    \
        ubsan_end();                               \
    }                                              \
    FATAL_HANDLER(name##_abort, parameters, at, say, __VA_ARGS__)

#define FATAL_HANDLER(name, parameters, at, say, ...)    \
    NORETURN COLD void __ubsan_handle_##name parameters; \
    void __ubsan_handle_##name parameters                \
    {                                                    \
        char words[UBSAN_WORDS_MAX];                     \
                                                         \
        say(words __VA_OPT__(, ) __VA_ARGS__);           \
        ubsan_report(at, CALLER, true, words);           \
        __builtin_unreachable();                         \
    }

#define HANDLER(name, parameters, say, ...) HANDLER_AT(name, parameters, &data->place, say, data, ##__VA_ARGS__)

HANDLER(type_mismatch_v1, (struct type_mismatch * data, uintptr_t address), say_type_mismatch, address)
HANDLER(add_overflow, (struct operation * data, uintptr_t left, uintptr_t right), say_overflow, "+", left, right)
HANDLER(sub_overflow, (struct operation * data, uintptr_t left, uintptr_t right), say_overflow, "-", left, right)
HANDLER(mul_overflow, (struct operation * data, uintptr_t left, uintptr_t right), say_overflow, "*", left, right)
HANDLER(negate_overflow, (struct operation * data, uintptr_t value), say_negate_overflow, value)
HANDLER(divrem_overflow, (struct operation * data, uintptr_t left, uintptr_t right), say_division, left, right)
HANDLER(shift_out_of_bounds, (struct shift * data, uintptr_t left, uintptr_t right), say_shift, left, right)
HANDLER(out_of_bounds, (struct bounds * data, uintptr_t index), say_bounds, index)
HANDLER(vla_bound_not_positive, (struct operation * data, uintptr_t length), say_length, length)
HANDLER(load_invalid_value, (struct operation * data, uintptr_t value), say_invalid_value, value)
HANDLER(invalid_builtin, (struct builtin * data), say_builtin)
HANDLER(nonnull_arg, (struct null_argument * data), say_null_argument)
HANDLER(nullability_arg, (struct null_argument * data), say_null_argument)
HANDLER(pointer_overflow, (struct place_only * data, uintptr_t base, uintptr_t result), say_pointer_overflow, base,
        result)
HANDLER(alignment_assumption,
        (struct alignment_assumption * data, uintptr_t pointer, uintptr_t alignment, uintptr_t offset), say_alignment,
        pointer, alignment, offset)
HANDLER_AT(nonnull_return_v1, (struct null_return * data UNUSED, struct ubsan_place *place), place, say_null_return)
HANDLER_AT(nullability_return_v1, (struct null_return * data UNUSED, struct ubsan_place *place), place, say_null_return)

/* There is no code behind these in either form. */
FATAL_HANDLER(builtin_unreachable, (struct place_only * data), &data->place, say_unreachable, data)
FATAL_HANDLER(missing_return, (struct place_only * data), &data->place, say_missing_return, data)
