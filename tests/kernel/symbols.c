/* The running kernel's own symbol table. That it agrees with addr2line everywhere is tested on the host. */
#include <base/errno.h>
#include <debug/symbols.h>
#include <debug/test.h>
#include <lib/string.h>

static uint32_t symbol_test_object[4] = {1, 2, 3, 4};

static NOINLINE const void *where_this_is_called(void)
{
    return __builtin_return_address(0);
}

static int look_up(const void *address, struct symbol_location *location)
{
    return symbol_lookup((uint64_t)(uintptr_t)address, location);
}

KERNEL_TEST(symbols_lookup, "symbols/lookup_of_a_return_address")
{
    struct symbol_location location;
    const unsigned line = __LINE__ + 1;
    const char *address = where_this_is_called();

    EXPECT_EQ(look_up(address - 1, &location), 0);
    EXPECT(strcmp(location.function, "test_symbols_lookup") == 0);
    EXPECT(strcmp(location.file, "tests/kernel/symbols.c") == 0);
    EXPECT_EQ(location.line, line);
    EXPECT(location.is_function);
}

KERNEL_TEST(symbols_object, "symbols/lookup_of_an_object")
{
    struct symbol_location location;

    EXPECT_EQ(look_up(&symbol_test_object[2], &location), 0);
    EXPECT(strcmp(location.function, "symbol_test_object") == 0);
    EXPECT_EQ(location.offset, 8);
    EXPECT_EQ(location.size, sizeof(symbol_test_object));
    EXPECT(!location.is_function);
}

KERNEL_TEST(symbols_outside, "symbols/what_is_no_symbol_is_not_found")
{
    struct symbol_location location;
    uint64_t address;
    char on_stack;

    EXPECT_EQ(symbol_lookup(0, &location), -ENOENT);
    EXPECT_EQ(symbol_lookup(0x1000, &location), -ENOENT);
    EXPECT_EQ(symbol_lookup(UINT64_MAX, &location), -ENOENT);
    EXPECT_EQ(symbol_lookup((uint64_t)1 << 63, &location), -ENOENT);
    EXPECT_EQ(symbol_find("", &address), -ENOENT);
    EXPECT_EQ(symbol_find("no_such_symbol", &address), -ENOENT);
    EXPECT(look_up(&on_stack, &location) == -ENOENT || !location.is_function);
}

/* Every 16th, so that each block of the table is read; finding a name reads the table up to it. */
KERNEL_TEST(symbols_names, "symbols/names_lead_back_to_themselves")
{
    struct symbol_location location;
    char name[SYMBOL_NAME_MAX];
    uint64_t address;
    unsigned n = 0;

    for (; symbol_name(n, name) == 0; n += 16) {
        EXPECT_EQ(symbol_find(name, &address), 0);
        EXPECT_EQ(symbol_lookup(address, &location), 0);
        EXPECT(strcmp(location.function, name) == 0);
        EXPECT_EQ(location.offset, 0);
    }
    EXPECT(n > 16);
}
