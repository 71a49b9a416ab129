/* The random pool and what it is made of: published vectors, and the pool's rules over sources that the test plays. */
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#include <base/errno.h>
#include <cpu/random.h>
#include <dev/random.h>
#include <lib/blake2s.h>
#include <lib/chacha20.h>

static bool has_cpu_generator;
static uint64_t next_cpu_value;

bool cpu_random(uint64_t *value)
{
    *value = next_cpu_value++;
    return has_cpu_generator;
}

uint64_t boot_random(void)
{
    return 42;
}

/* RFC 8439 2.3.2 */
static void test_chacha20(void **state)
{
    static const uint8_t nonce[] = {0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0};
    static const uint8_t expected[] = {0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3,
                                       0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22,
                                       0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa,
                                       0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1,
                                       0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e};
    uint8_t key[32], block[64];

    for (unsigned i = 0; i < 32; i++)
        key[i] = (uint8_t)i;
    chacha20_block(key, 1, nonce, block);
    assert_memory_equal(block, expected, sizeof(expected));
}

static void assert_blake2s(const uint8_t *bytes, size_t length, size_t step, const char *expected)
{
    struct blake2s hash;
    uint8_t digest[32];
    char text[65];

    blake2s_init(&hash);
    for (size_t at = 0; at < length; at += step)
        blake2s_update(&hash, bytes + at, length - at < step ? length - at : step);
    blake2s_final(&hash, digest);
    for (unsigned i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(text, expected);
}

/* RFC 7693 appendix B for "abc"; the others from the reference implementation's, at the block's edges. */
static void test_blake2s(void **state)
{
    uint8_t bytes[255];

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    assert_blake2s((const uint8_t *)"abc", 3, 3, "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
    assert_blake2s(bytes, 0, 1, "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9");
    for (size_t step = 1; step <= 255; step += 7) {
        assert_blake2s(bytes, 64, step, "56f34e8b96557e90c1f24b52d0c89d51086acf1b00f634cf1dde9233b8eaaa3e");
        assert_blake2s(bytes, 65, step, "1b53ee94aaf34e4b159d48de352c7f0661d0a40edff95a0b1639b4090e974472");
        assert_blake2s(bytes, 255, step, "f03f5789d3336b80d002d59fdf918bdb775b00956ed5528e86aa994acb38fe2d");
    }
}

/* One after the other in the order of main: the pool is one, and seeded once. */
static void test_not_seeded(void **state)
{
    uint8_t first[40] = {0}, second[40] = {0}, zero[40] = {0};
    struct random_status status;

    assert_int_equal(random_bytes(first, sizeof(first)), -EAGAIN);
    assert_int_equal(random_bytes(second, sizeof(second)), -EAGAIN);
    assert_memory_not_equal(first, zero, sizeof(zero)); /* filled all the same */
    assert_memory_not_equal(first, second, sizeof(first));
    random_status(&status);
    assert_false(status.is_seeded);
    assert_int_equal(status.credited_bits, 0); /* boot_random has no credit */
}

static void test_credit(void **state)
{
    struct random_status status;
    uint8_t byte;

    random_add("x", 1, 1000); /* a byte has 8 bits, whatever its source says */
    random_status(&status);
    assert_int_equal(status.credited_bits, 8);
    random_add("long text without credit", 24, 0);
    for (unsigned i = 0; i < 30; i++) {
        random_add("y", 1, 8);
        assert_int_equal(random_bytes(&byte, 1), -EAGAIN); /* using the generator costs no credit */
    }
    random_status(&status);
    assert_int_equal(status.credited_bits, 248);
    assert_int_equal(status.nr_reseeds, 0);
    random_add("z", 1, 8);
    random_status(&status);
    assert_true(status.is_seeded);
    assert_int_equal(status.credited_bits, 0);
    assert_int_equal(status.nr_reseeds, 1);
    assert_int_equal(random_bytes(&byte, 1), 0);
}

/* Every byte of every length is written and no more; no two outputs are alike. */
static void test_lengths(void **state)
{
    uint8_t bytes[300], seen[300];

    for (size_t length = 0; length < 200; length++) {
        memset(seen, 0, sizeof(seen));
        for (unsigned try = 0; try < 8; try++) {
            memset(bytes, 0, sizeof(bytes));
            assert_int_equal(random_bytes(bytes, length), 0);
            for (size_t i = 0; i < sizeof(bytes); i++)
                seen[i] |= bytes[i];
        }
        for (size_t i = 0; i < sizeof(seen); i++)
            assert_true(i < length ? seen[i] != 0 : seen[i] == 0);
    }
}

static unsigned nr_asked;

static void note_asked(struct random_source *source)
{
    nr_asked++;
}

static void take(uint8_t *bytes, size_t length)
{
    int result = random_bytes(bytes, length); /* -EAGAIN before the first seed */

    assert_true(result == 0 || result == -EAGAIN);
}

/* At the first output, and then after every MiB. */
static void test_sources_are_asked(void **state)
{
    static uint8_t bytes[4096];
    struct random_source source = {.ask = note_asked};

    while (nr_asked == 0) { /* whatever the tests before have taken */
        random_source_register(&source);
        take(bytes, sizeof(bytes));
        random_source_unregister(&source);
    }
    nr_asked = 0;
    random_source_register(&source);
    for (unsigned i = 0; i < (1 << 20) / sizeof(bytes) - 1; i++)
        take(bytes, sizeof(bytes));
    assert_int_equal(nr_asked, 0);
    take(bytes, 1);
    assert_int_equal(nr_asked, 1);
    random_source_unregister(&source);
    for (unsigned i = 0; i < (3 << 20) / sizeof(bytes); i++)
        take(bytes, sizeof(bytes));
    assert_int_equal(nr_asked, 1);
}

static void test_reseed_changes_output(void **state)
{
    struct random_status before, after;
    uint8_t entropy[32] = {1}, bytes[1024];

    random_status(&before);
    random_add(entropy, sizeof(entropy), 256);
    has_cpu_generator = true;
    for (unsigned i = 0; i < 2048; i++) /* 2 MiB: the CPU is asked again on the way, 256 bits each time */
        assert_int_equal(random_bytes(bytes, sizeof(bytes)), 0);
    random_status(&after);
    assert_true(after.nr_reseeds >= before.nr_reseeds + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chacha20),
                                       cmocka_unit_test(test_blake2s),
                                       cmocka_unit_test(test_not_seeded),
                                       cmocka_unit_test(test_credit),
                                       cmocka_unit_test(test_lengths),
                                       cmocka_unit_test(test_sources_are_asked),
                                       cmocka_unit_test(test_reseed_changes_output)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
