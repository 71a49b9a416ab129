/* lib/string.h against the host's C library: every small size at every alignment, large ones and contents at random. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#define memcpy  keel_memcpy
#define memmove keel_memmove
#define memset  keel_memset
#define memcmp  keel_memcmp
#define strlen  keel_strlen
#define strnlen keel_strnlen
#define strcmp  keel_strcmp
#define strncmp keel_strncmp
#define strchr  keel_strchr
#define strrchr keel_strrchr
#define strstr  keel_strstr
#define strlcpy keel_strlcpy
#include <lib/string.h>
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr
#undef strlcpy

#define ARENA 1024

static unsigned char ours[ARENA], theirs[ARENA];

static void fill_both(void)
{
    for (unsigned i = 0; i < ARENA; i++)
        ours[i] = theirs[i] = (unsigned char)rand();
}

static void check_set(size_t at, size_t length, int byte)
{
    fill_both();
    assert_ptr_equal(keel_memset(ours + at, byte, length), ours + at);
    memset(theirs + at, byte, length);
    assert_memory_equal(ours, theirs, ARENA);
}

static void check_move(size_t to, size_t from, size_t length)
{
    fill_both();
    assert_ptr_equal(keel_memmove(ours + to, ours + from, length), ours + to);
    memmove(theirs + to, theirs + from, length);
    assert_memory_equal(ours, theirs, ARENA);
}

static void check_copy(size_t to, size_t from, size_t length)
{
    unsigned char source[ARENA];

    fill_both();
    memcpy(source, ours, ARENA);
    assert_ptr_equal(keel_memcpy(ours + to, source + from, length), ours + to);
    memcpy(theirs + to, source + from, length);
    assert_memory_equal(ours, theirs, ARENA);
}

static void every_size_and_alignment(void **state)
{
    for (size_t length = 0; length <= 150; length++) {
        for (size_t offset = 0; offset < 9; offset++) {
            check_set(16 + offset, length, (int)(length * 7 + offset) - 300);
            check_copy(16 + offset, 40, length);
            check_copy(16, 16 + offset, length);
        }
    }
}

static void every_overlap(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 3, 5, 8, 9, 15, 16, 17, 24, 31, 33, 64, 127, 128, 129, 200, 256, 300};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (size_t from = 280; from <= 420; from++)
            check_move(350, from, lengths[i]);
    }
}

static void random_blocks(void **state)
{
    for (unsigned i = 0; i < 3000; i++) {
        size_t length = (size_t)rand() % 600, a = (size_t)rand() % (ARENA - 600), b = (size_t)rand() % (ARENA - 600);
        check_set(a, length, rand());
        check_copy(a, b, length);
        check_move(a, b, length);
    }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void compare(void **state)
{
    for (unsigned i = 0; i < 20000; i++) {
        size_t length = (size_t)rand() % 40, at = (size_t)rand() % 8;

        fill_both();
        if (length > 0 && i % 4)
            theirs[at + (size_t)rand() % length] ^= (unsigned char)(1 << rand() % 8);
        assert_int_equal(sign(keel_memcmp(ours + at, theirs + at, length)),
                         sign(memcmp(ours + at, theirs + at, length)));
    }
}

/* Short strings over a small alphabet, with bytes above 127, so that equal prefixes and matches are common. */
static void random_string(char *text, size_t limit)
{
    size_t length = (size_t)rand() % limit;

    for (size_t i = 0; i < length; i++)
        text[i] = "aab\xe4"[rand() % 4];
    text[length] = '\0';
}

static size_t offset_of(const char *base, const char *found)
{
    return found ? (size_t)(found - base) : SIZE_MAX;
}

static void strings(void **state)
{
    for (unsigned i = 0; i < 50000; i++) {
        char a[20], b[6], copied[24];
        size_t limit = (size_t)rand() % 22, size = (size_t)rand() % 22;
        int c = "ab\xe4z\0"[rand() % 5];

        random_string(a, sizeof(a));
        random_string(b, sizeof(b));
        assert_int_equal(keel_strlen(a), strlen(a));
        assert_int_equal(keel_strnlen(a, limit), strnlen(a, limit));
        assert_int_equal(sign(keel_strcmp(a, b)), sign(strcmp(a, b)));
        assert_int_equal(sign(keel_strncmp(a, b, limit)), sign(strncmp(a, b, limit)));
        assert_int_equal(offset_of(a, keel_strchr(a, c)), offset_of(a, strchr(a, c)));
        assert_int_equal(offset_of(a, keel_strrchr(a, c)), offset_of(a, strrchr(a, c)));
        assert_int_equal(offset_of(a, keel_strstr(a, b)), offset_of(a, strstr(a, b)));
        memset(copied, 'x', sizeof(copied));
        assert_int_equal(keel_strlcpy(copied, a, size), strlen(a));
        if (size > 0) {
            assert_int_equal(strlen(copied), strlen(a) < size ? strlen(a) : size - 1);
            assert_int_equal(strncmp(copied, a, size - 1), 0);
        }
        assert_int_equal(copied[size], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_and_alignment),
        cmocka_unit_test(every_overlap),
        cmocka_unit_test(random_blocks),
        cmocka_unit_test(compare),
        cmocka_unit_test(strings),
    };

    srand(1);
    return cmocka_run_group_tests_name("lib/string", tests, NULL, NULL);
}
