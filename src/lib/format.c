/* Formatted output into a buffer. A specification is read into struct spec, then written to struct sink, which counts
 * everything and stores what fits. The usual specifications, a conversion letter with at most an l before it, go past
 * all of that: log lines are made of them. */
#include <lib/format.h>

#include <base/errno.h>
#include <lib/string.h>
#include <limits.h>

struct sink {
    char *buffer;
    size_t room; /* bytes the buffer takes, without the terminator */
    size_t length;
};

enum length_modifier { LENGTH_INT, LENGTH_CHAR, LENGTH_SHORT, LENGTH_LONG };

struct spec {
    bool left, zero, plus, space, alternate;
    bool has_precision;
    enum length_modifier length;
    size_t width, precision;
};

#define DIGITS_MAX 23 /* 2^64 - 1 in octal, and the zero %#o puts in front */

static inline void put_bytes(struct sink *sink, const char *bytes, size_t length)
{
    if (sink->length < sink->room) {
        size_t room = sink->room - sink->length;
        memcpy(sink->buffer + sink->length, bytes, length < room ? length : room);
    }
    sink->length += length;
}

static inline void put_fill(struct sink *sink, char byte, size_t count)
{
    if (count == 0)
        return;
    if (sink->length < sink->room) {
        size_t room = sink->room - sink->length;
        memset(sink->buffer + sink->length, byte, count < room ? count : room);
    }
    sink->length += count;
}

/* Writes the digits of value so that they end at end; returns where they begin. */
static char *digits_decimal(char *end, uint64_t value)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return end;
}

static char *digits_shifted(char *end, uint64_t value, unsigned bits, const char *digits)
{
    do {
        *--end = digits[value & ((1u << bits) - 1)];
        value >>= bits;
    } while (value);
    return end;
}

/* Writes prefix and digits with the padding C17 7.21.6.1 asks for: the precision is the least number of digits, and
 * switches the 0 flag off. */
static void put_number(struct sink *sink, const struct spec *spec, const char *prefix, size_t prefix_length,
                       const char *digits, size_t nr_digits)
{
    size_t zeros = spec->has_precision && spec->precision > nr_digits ? spec->precision - nr_digits : 0;
    size_t length = prefix_length + zeros + nr_digits;
    size_t fill = spec->width > length ? spec->width - length : 0;

    if (fill > 0 && spec->zero && !spec->left && !spec->has_precision) {
        zeros += fill;
        fill = 0;
    }
    if (!spec->left)
        put_fill(sink, ' ', fill);
    if (prefix_length > 0)
        put_bytes(sink, prefix, prefix_length);
    put_fill(sink, '0', zeros);
    put_bytes(sink, digits, nr_digits);
    if (spec->left)
        put_fill(sink, ' ', fill);
}

static void put_signed(struct sink *sink, const struct spec *spec, int64_t value)
{
    char buffer[DIGITS_MAX], *end = buffer + sizeof(buffer), *digits = end;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    const char *sign = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

    if (value != 0 || !spec->has_precision || spec->precision > 0)
        digits = digits_decimal(end, magnitude);
    put_number(sink, spec, sign, *sign ? 1 : 0, digits, (size_t)(end - digits));
}

static void put_unsigned(struct sink *sink, struct spec *spec, uint64_t value, char conversion)
{
    char buffer[DIGITS_MAX], *end = buffer + sizeof(buffer), *digits = end;
    const char *prefix = "";
    size_t prefix_length = 0;

    if (value != 0 || !spec->has_precision || spec->precision > 0) {
        if (conversion == 'u')
            digits = digits_decimal(end, value);
        else if (conversion == 'o')
            digits = digits_shifted(end, value, 3, "01234567");
        else
            digits = digits_shifted(end, value, 4, conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef");
    }
    if (spec->alternate && conversion == 'o' && (digits == end || *digits != '0')) {
        /* "increases the precision": one more digit, a zero */
        size_t nr_digits = (size_t)(end - digits);
        if (!spec->has_precision || spec->precision <= nr_digits)
            *--digits = '0';
    } else if (spec->alternate && conversion != 'u' && conversion != 'o' && value != 0) {
        prefix = conversion == 'X' ? "0X" : "0x";
        prefix_length = 2;
    }
    put_number(sink, spec, prefix, prefix_length, digits, (size_t)(end - digits));
}

static void put_string(struct sink *sink, const struct spec *spec, const char *text, size_t length)
{
    size_t fill = spec->width > length ? spec->width - length : 0;

    if (!spec->left)
        put_fill(sink, ' ', fill);
    put_bytes(sink, text, length);
    if (spec->left)
        put_fill(sink, ' ', fill);
}

/* Reads digits; a number that does not fit in an int is more than any output may be long. */
static const char *read_count(const char *at, size_t *count)
{
    size_t value = 0;

    for (; *at >= '0' && *at <= '9'; at++) {
        if (value <= INT_MAX)
            value = value * 10 + (size_t)(*at - '0');
    }
    *count = value;
    return at;
}

static const char *read_flags(const char *at, struct spec *spec)
{
    for (;; at++) {
        switch (*at) {
        case '-':
            spec->left = true;
            break;
        case '0':
            spec->zero = true;
            break;
        case '+':
            spec->plus = true;
            break;
        case ' ':
            spec->space = true;
            break;
        case '#':
            spec->alternate = true;
            break;
        default:
            return at;
        }
    }
}

/* Integers of the kernel's ABI: long, long long, size_t, ptrdiff_t and intmax_t are all 64 bits. */
static const char *read_length(const char *at, struct spec *spec)
{
    switch (*at) {
    case 'h':
        spec->length = at[1] == 'h' ? LENGTH_CHAR : LENGTH_SHORT;
        return at[1] == 'h' ? at + 2 : at + 1;
    case 'l':
        spec->length = LENGTH_LONG;
        return at[1] == 'l' ? at + 2 : at + 1;
    case 'z':
    case 't':
    case 'j':
        spec->length = LENGTH_LONG;
        return at + 1;
    default:
        return at;
    }
}

struct arguments {
    va_list list;
};

/* Reads flags, width, precision and length modifier; at is behind the %. Returns where the conversion letter is. */
static const char *read_spec(const char *at, struct spec *spec, struct arguments *arguments)
{
    *spec = (struct spec){0};
    at = read_flags(at, spec);
    if (*at == '*') {
        int64_t width = va_arg(arguments->list, int);
        spec->left |= width < 0;
        spec->width = (size_t)(width < 0 ? -width : width);
        at++;
    } else {
        at = read_count(at, &spec->width);
    }
    if (*at == '.') {
        at++;
        spec->has_precision = true;
        if (*at == '*') {
            int precision = va_arg(arguments->list, int);
            spec->has_precision = precision >= 0;
            spec->precision = precision >= 0 ? (size_t)precision : 0;
            at++;
        } else {
            at = read_count(at, &spec->precision);
        }
    }
    return read_length(at, spec);
}

static int64_t next_signed(const struct spec *spec, struct arguments *arguments)
{
    switch (spec->length) {
    case LENGTH_CHAR:
        return (signed char)va_arg(arguments->list, int);
    case LENGTH_SHORT:
        return (short)va_arg(arguments->list, int);
    case LENGTH_LONG:
        return va_arg(arguments->list, long);
    default:
        return va_arg(arguments->list, int);
    }
}

static uint64_t next_unsigned(const struct spec *spec, struct arguments *arguments)
{
    switch (spec->length) {
    case LENGTH_CHAR:
        return (unsigned char)va_arg(arguments->list, unsigned);
    case LENGTH_SHORT:
        return (unsigned short)va_arg(arguments->list, unsigned);
    case LENGTH_LONG:
        return va_arg(arguments->list, unsigned long);
    default:
        return va_arg(arguments->list, unsigned);
    }
}

/* Writes one conversion; false where the letter is none of ours. */
static bool put_conversion(struct sink *sink, struct spec *spec, char conversion, struct arguments *arguments)
{
    const char *text;
    char byte;

    switch (conversion) {
    case 'd':
    case 'i':
        put_signed(sink, spec, next_signed(spec, arguments));
        return true;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        put_unsigned(sink, spec, next_unsigned(spec, arguments), conversion);
        return true;
    case 'p':
        spec->alternate = true;
        put_unsigned(sink, spec, (uint64_t)(uintptr_t)va_arg(arguments->list, void *), 'x');
        return true;
    case 's':
        text = va_arg(arguments->list, const char *);
        if (!text)
            text = "(null)";
        put_string(sink, spec, text, spec->has_precision ? strnlen(text, spec->precision) : strlen(text));
        return true;
    case 'c':
        byte = (char)va_arg(arguments->list, int);
        put_string(sink, spec, &byte, 1);
        return true;
    case '%':
        put_bytes(sink, "%", 1);
        return true;
    default:
        return false;
    }
}

/* The short way for %s %d %u %x %ld %lu %lx. at is behind the %; returns where the text goes on, or NULL for any other.
 */
static inline const char *put_plain(struct sink *sink, const char *at, struct arguments *arguments)
{
    char buffer[DIGITS_MAX], *end = buffer + sizeof(buffer), *digits;
    bool is_long = *at == 'l';
    int64_t number;

    at += is_long;
    switch (*at) {
    case 's': {
        const char *text;

        if (is_long)
            return NULL;
        text = va_arg(arguments->list, const char *);
        if (!text)
            text = "(null)";
        put_bytes(sink, text, strlen(text));
        return at + 1;
    }
    case 'd':
        number = is_long ? va_arg(arguments->list, long) : va_arg(arguments->list, int);
        digits = digits_decimal(end, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
        if (number < 0)
            *--digits = '-';
        break;
    case 'u':
        digits =
            digits_decimal(end, is_long ? va_arg(arguments->list, unsigned long) : va_arg(arguments->list, unsigned));
        break;
    case 'x':
        digits =
            digits_shifted(end, is_long ? va_arg(arguments->list, unsigned long) : va_arg(arguments->list, unsigned), 4,
                           "0123456789abcdef");
        break;
    default:
        return NULL;
    }
    put_bytes(sink, digits, (size_t)(end - digits));
    return at + 1;
}

/* at is behind the %. */
static NOINLINE const char *put_specified(struct sink *sink, const char *at, struct arguments *arguments)
{
    struct spec spec;
    const char *conversion = read_spec(at, &spec, arguments);

    if (*conversion && put_conversion(sink, &spec, *conversion, arguments))
        return conversion + 1;
    put_bytes(sink, "%", 1); /* not one of ours: shown as it is written */
    return at;
}

/* Copies up to the next % or the end; returns where that is. Byte by byte: what stands between two conversions is
 * short. */
static inline const char *put_literal(struct sink *sink, const char *format)
{
    size_t length = sink->length;

    for (; *format && *format != '%'; format++, length++) {
        if (length < sink->room)
            sink->buffer[length] = *format;
    }
    sink->length = length;
    return format;
}

static void put_format(struct sink *sink, const char *format, struct arguments *arguments)
{
    for (;;) {
        const char *after;

        format = put_literal(sink, format);
        if (!*format)
            return;
        after = put_plain(sink, format + 1, arguments);
        format = after ? after : put_specified(sink, format + 1, arguments);
    }
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list list)
{
    struct sink sink = {buffer, size > 0 ? size - 1 : 0, 0};
    struct arguments arguments;

    va_copy(arguments.list, list);
    put_format(&sink, format, &arguments);
    va_end(arguments.list);
    if (size > 0)
        buffer[sink.length < sink.room ? sink.length : sink.room] = '\0';
    return sink.length <= INT_MAX ? (int)sink.length : -EOVERFLOW;
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list list;
    int length;

    va_start(list, format);
    length = vsnprintf(buffer, size, format, list);
    va_end(list);
    return length;
}
