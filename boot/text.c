#include <base/compiler.h>

#include "text.h"

static INIT char printable(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f ? ' ' : c;
}

INIT bool boot_copy_text(char *to, size_t size, const void *from, size_t length)
{
    const char *text = from;
    size_t i = 0;

    for (; i < length && i + 1 < size && text[i] != '\0'; i++)
        to[i] = printable(text[i]);
    to[i] = '\0';
    return i < length && text[i] == '\0';
}
