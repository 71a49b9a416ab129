/* Memory and string functions.
 *
 * Blocks up to 16 bytes are moved by two accesses that may overlap, blocks up to REP_MIN by eight-byte words, larger
 * ones by rep stosq and rep movsq: those cost one step for eight bytes on every x86-64, where the byte forms are fast
 * on CPUs with ERMS only (SDM 1, 7.3.9.3) and slow under an emulator. The tail is one more word that ends where the
 * block ends and may overlap what is already done.
 *
 * Not instrumented by the address sanitizer: each function says what it touches, before it does. Strings are read
 * first, and then said to have been. */
#include <lib/string.h>

#include <base/compiler.h>
#include <base/kasan.h>

/* From here on the rep forms win over their start-up time, about 30 cycles. */
#define REP_MIN 128

struct PACKED unaligned16 {
    uint16_t value;
} MAY_ALIAS;
struct PACKED unaligned32 {
    uint32_t value;
} MAY_ALIAS;
struct PACKED unaligned64 {
    uint64_t value;
} MAY_ALIAS;

static inline uint16_t load16(const void *from)
{
    return ((const struct unaligned16 *)from)->value;
}

static inline uint32_t load32(const void *from)
{
    return ((const struct unaligned32 *)from)->value;
}

static inline uint64_t load64(const void *from)
{
    return ((const struct unaligned64 *)from)->value;
}

static inline void store16(void *to, uint16_t value)
{
    ((struct unaligned16 *)to)->value = value;
}

static inline void store32(void *to, uint32_t value)
{
    ((struct unaligned32 *)to)->value = value;
}

static inline void store64(void *to, uint64_t value)
{
    ((struct unaligned64 *)to)->value = value;
}

/* Sets up to 16 bytes. */
static inline void set_small(char *to, uint64_t pattern, size_t length)
{
    if (length >= 8) {
        store64(to, pattern);
        store64(to + length - 8, pattern);
    } else if (length >= 4) {
        store32(to, (uint32_t)pattern);
        store32(to + length - 4, (uint32_t)pattern);
    } else if (length >= 2) {
        store16(to, (uint16_t)pattern);
        store16(to + length - 2, (uint16_t)pattern);
    } else if (length == 1) {
        *to = (char)pattern;
    }
}

void *memset(void *to, int byte, size_t length)
{
    uint64_t pattern = (uint8_t)byte * 0x0101010101010101u;
    char *at = to;

    kasan_check_write(to, length, KASAN_FRAME);
    if (length <= 16) {
        set_small(at, pattern, length);
    } else if (length < REP_MIN) {
        char *last = at + length - 8;

        for (; at < last; at += 8)
            store64(at, pattern);
        store64(last, pattern);
    } else {
        size_t words = length / 8;

        store64(at + length - 8, pattern);
        __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
    }
    return to;
}

/* Copies up to 16 bytes; everything is loaded before anything is stored, so the blocks may overlap. */
static inline void copy_small(char *to, const char *from, size_t length)
{
    if (length >= 8) {
        uint64_t first = load64(from), last = load64(from + length - 8);
        store64(to, first);
        store64(to + length - 8, last);
    } else if (length >= 4) {
        uint32_t first = load32(from), last = load32(from + length - 4);
        store32(to, first);
        store32(to + length - 4, last);
    } else if (length >= 2) {
        uint16_t first = load16(from), last = load16(from + length - 2);
        store16(to, first);
        store16(to + length - 2, last);
    } else if (length == 1) {
        *to = *from;
    }
}

/* Copies more than 16 bytes from the lowest address up: right where the blocks do not overlap, or to lies below from.
 * The last word is loaded first, before a store can reach it, and stored last. */
static inline void copy_upwards(char *to, const char *from, size_t length)
{
    char *last = to + length - 8;
    uint64_t tail = load64(from + length - 8);

    if (length < REP_MIN) {
        for (; to < last; to += 8, from += 8)
            store64(to, load64(from));
    } else {
        size_t words = length / 8;
        __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    }
    store64(last, tail);
}

/* Copies more than 16 bytes from the highest address down, for to above from. No std; rep movsq: it runs at a byte a
 * cycle, and a fault in it would enter the handlers with the direction flag set. */
static inline void copy_downwards(char *to, const char *from, size_t length)
{
    uint64_t head = load64(from);
    size_t left = length;

    for (; left > 8; left -= 8)
        store64(to + left - 8, load64(from + left - 8));
    store64(to, head);
}

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    kasan_check_read(from, length, KASAN_FRAME);
    kasan_check_write(to, length, KASAN_FRAME);
    if (length <= 16)
        copy_small(to, from, length);
    else
        copy_upwards(to, from, length);
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    kasan_check_read(from, length, KASAN_FRAME);
    kasan_check_write(to, length, KASAN_FRAME);
    if (length <= 16)
        copy_small(to, from, length);
    else if ((uintptr_t)to - (uintptr_t)from >= length) /* below from, or beyond its end */
        copy_upwards(to, from, length);
    else
        copy_downwards(to, from, length);
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    const unsigned char *left = a, *right = b;

    kasan_check_read(a, length, KASAN_FRAME);
    kasan_check_read(b, length, KASAN_FRAME);
    for (; length >= 8; left += 8, right += 8, length -= 8) {
        uint64_t x = load64(left), y = load64(right);
        if (x != y)
            return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
    }
    for (; length > 0; left++, right++, length--) {
        if (*left != *right)
            return *left - *right;
    }
    return 0;
}

size_t strlen(const char *s)
{
    const char *end = s;

    while (*end)
        end++;
    kasan_check_read(s, (size_t)(end - s) + 1, KASAN_FRAME);
    return (size_t)(end - s);
}

size_t strnlen(const char *s, size_t limit)
{
    size_t length = 0;

    while (length < limit && s[length])
        length++;
    kasan_check_read(s, length < limit ? length + 1 : limit, KASAN_FRAME);
    return length;
}

int strcmp(const char *a, const char *b)
{
    const char *start = a;

    while (*a && *a == *b) {
        a++;
        b++;
    }
    kasan_check_read(start, (size_t)(a - start) + 1, KASAN_FRAME);
    kasan_check_read(b - (a - start), (size_t)(a - start) + 1, KASAN_FRAME);
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t limit)
{
    for (; limit > 0; a++, b++, limit--) {
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++) {
        if (!*s)
            return NULL;
    }
    return (char *)s;
}

char *strrchr(const char *s, int c)
{
    const char *found = NULL;

    for (;; s++) {
        if (*s == (char)c)
            found = s;
        if (!*s)
            return (char *)found;
    }
}

char *strstr(const char *s, const char *wanted)
{
    size_t length = strlen(wanted);

    for (;; s++) {
        if (strncmp(s, wanted, length) == 0)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}

size_t strlcpy(char *restrict to, const char *restrict from, size_t size)
{
    size_t length = strlen(from);

    if (size > 0) {
        size_t copied = length < size ? length : size - 1;
        memcpy(to, from, copied);
        to[copied] = '\0';
    }
    return length;
}
