/* Numbers and words out of text. */
#include <lib/parse.h>

#include <base/errno.h>

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 99;
}

/* Reads the prefix and says the base. A lone 0 is octal's zero: its digit is not skipped. */
static unsigned read_base(const char **text)
{
    const char *at = *text;

    if (at[0] != '0')
        return 10;
    if (at[1] == 'x' || at[1] == 'X') {
        *text += 2;
        return 16;
    }
    if (at[1] == 'b' || at[1] == 'B') {
        *text += 2;
        return 2;
    }
    return 8;
}

static unsigned suffix_shift(char c)
{
    switch (c) {
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    default:
        return 0;
    }
}

int parse_u64(const char *text, uint64_t *value)
{
    unsigned base = read_base(&text), shift;
    uint64_t result = 0;
    bool overflows = false;

    if (digit_value(*text) >= base)
        return -EINVAL;
    for (; digit_value(*text) < base; text++) {
        overflows |= __builtin_mul_overflow(result, (uint64_t)base, &result);
        overflows |= __builtin_add_overflow(result, (uint64_t)digit_value(*text), &result);
    }
    shift = suffix_shift(*text);
    if (shift > 0)
        text++;
    if (*text)
        return -EINVAL;
    if (overflows || result > UINT64_MAX >> shift)
        return -ERANGE;
    *value = result << shift;
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Takes one word from *from, without its quotes, to *to, which is never ahead of *from. False for an unclosed quote. */
static bool take_word(char **from, char **to)
{
    char *read = *from, *write = *to, quote = '\0';

    for (; *read && (quote || !is_blank(*read)); read++) {
        if (quote ? *read == quote : *read == '\'' || *read == '"')
            quote = quote ? '\0' : *read;
        else
            *write++ = *read;
    }
    *from = read;
    *to = write;
    return !quote;
}

int split_words(char *line, char **words, int limit)
{
    char *from = line, *to = line;
    int count = 0;

    for (;;) {
        bool is_last;

        while (is_blank(*from))
            from++;
        if (!*from)
            break;
        if (count == limit)
            return -E2BIG;
        words[count++] = to;
        if (!take_word(&from, &to))
            return -EINVAL;
        is_last = !*from;
        if (!is_last)
            from++; /* the blank goes before the terminator may take its place */
        *to++ = '\0';
        if (is_last)
            break;
    }
    words[count] = NULL;
    return count;
}
