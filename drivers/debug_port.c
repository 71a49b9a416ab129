#include <drivers/debug_port.h>

#include <cpu/io.h>
#include <debug/console.h>
#include <debug/log.h>

#define DEBUG_PORT       0xe9
#define DEBUG_PORT_VALUE 0xe9

static void debug_port_write(struct console *console, const char *bytes, size_t length)
{
    (void)console;
    for (size_t i = 0; i < length; i++)
        out8(DEBUG_PORT, (uint8_t)bytes[i]);
}

static struct console debug_port = {.name = "debug port", .write = debug_port_write, .is_log_only = true};

void debug_port_init(void)
{
    if (in8(DEBUG_PORT) != DEBUG_PORT_VALUE)
        return;
    log_info("debug port: an emulator listens at 0x%x", DEBUG_PORT);
    console_register(&debug_port);
}
