#include "provoke.h"

#include <stdbool.h>

struct trailing {
    int count;
    int values[4];
};

static int array[4] = {1, 2, 3, 4};
static struct trailing trailing;

int provoke_add(int a, int b)
{
    return a + b;
}

int provoke_sub(int a, int b)
{
    return a - b;
}

long provoke_mul(long a, long b)
{
    return a * b;
}

int provoke_negate(int a)
{
    return -a;
}

int provoke_divide(int a, int b)
{
    return a / b;
}

int provoke_shift(int a, int count)
{
    return a << count;
}

unsigned provoke_unsigned_shift(unsigned a, int count)
{
    return a >> count;
}

int provoke_bounds(int index)
{
    return (int)(long)&array[index] + array[index & 3];
}

int provoke_trailing_bounds(int index)
{
    return (int)(long)&trailing.values[index];
}

int *provoke_null_member(struct trailing *pointer)
{
    return &pointer->count;
}

void provoke_misaligned_store(char *bytes)
{
    *(volatile int *)bytes = 7;
}

int provoke_bool(const unsigned char *byte)
{
    return *(volatile const bool *)byte;
}

int provoke_length(int length)
{
    char vla[length];

    return (int)sizeof(vla);
}

int provoke_ctz(unsigned value)
{
    return __builtin_ctz(value);
}

__attribute__((nonnull, noinline, noipa)) int takes_text(const char *text)
{
    return text != 0;
}

int provoke_nonnull(const char *text)
{
    return takes_text(text);
}

char *provoke_pointer_overflow(char *base, unsigned long offset)
{
    return base + offset;
}

__attribute__((returns_nonnull, noinline)) void *provoke_null_return(void *pointer)
{
    return pointer;
}

__int128 provoke_wide_add(__int128 a, __int128 b)
{
    return a + b;
}

void provoke_unreachable(int is_reached)
{
    if (is_reached)
        __builtin_unreachable();
}
