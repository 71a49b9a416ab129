/* Serial consoles.
 *
 * A console is registered once and for ever, so that serial_init can show the first lines before anybody has read the
 * command line; serial_assign then changes what each port gets. */
#include <drivers/serial.h>

#include <base/errno.h>
#include <boot/command_line.h>
#include <debug/console.h>
#include <debug/log.h>
#include <lib/error_name.h>
#include <lib/string.h>

#include "serial_input.h"
#include "uart_16550.h"

#define NR_PORTS 4

struct port {
    struct console console; /* first: found from the console */
    struct uart uart;
    struct serial_input input;
    bool is_found, is_registered;
    bool is_told; /* that it is dead */
};

static struct port ports[NR_PORTS];

static const struct {
    const char *name;
    uint16_t base; /* the PC's conventional addresses */
    unsigned isa_irq;
} places[NR_PORTS] = {{"com1", 0x3f8, 4}, {"com2", 0x2f8, 3}, {"com3", 0x3e8, 4}, {"com4", 0x2e8, 3}};

static struct port *port_of(struct console *console)
{
    return CONTAINER_OF(console, struct port, console);
}

/* Said on the other consoles: the record is drained by whoever is writing to this one. */
static void tell_health(struct port *port)
{
    if (port->uart.is_dead == port->is_told)
        return;
    port->is_told = port->uart.is_dead;
    if (port->is_told)
        log_error("serial: %s takes no more bytes: output to it is given up until it does", port->console.name);
    else
        log_warn("serial: %s takes bytes again; %lu were lost", port->console.name, port->uart.bytes_lost);
}

/* A terminal wants a carriage return with each newline. */
static void serial_write(struct console *console, const char *bytes, size_t length)
{
    struct port *port = port_of(console);
    size_t begin = 0;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            uart_write(&port->uart, bytes + begin, i - begin);
            uart_write(&port->uart, "\r\n", 2);
            begin = i + 1;
        }
    }
    uart_write(&port->uart, bytes + begin, length - begin);
    tell_health(port);
}

static int serial_read(struct console *console)
{
    struct port *port = port_of(console);
    int byte = serial_input_read(&port->input);

    console->wakes_reader = serial_input_is_announced(&port->input);
    return byte;
}

static void register_port(struct port *port)
{
    if (port->is_registered)
        return;
    port->is_registered = true;
    console_register(&port->console);
}

void serial_init(void)
{
    struct port *first = NULL;

    for (unsigned i = 0; i < NR_PORTS; i++) {
        struct port *port = &ports[i];

        *port = (struct port){.console = {.name = places[i].name, .write = serial_write, .read = serial_read}};
        serial_input_init(&port->input, &port->uart, places[i].name);
        port->is_found = uart_probe(&port->uart, places[i].base) == 0;
        if (!port->is_found)
            continue;
        log_info("serial: %s at 0x%x, 115200 8N1, %s", places[i].name, places[i].base,
                 port->uart.fifo_depth > 1 ? "16-byte FIFO" : "no FIFO");
        if (!first)
            first = port;
    }
    if (first)
        register_port(first);
}

/* The port of this name, or NULL with the reason logged. */
static struct port *find_port(const char *option, const char *name)
{
    for (unsigned i = 0; i < NR_PORTS; i++) {
        if (strcmp(name, places[i].name) != 0)
            continue;
        if (ports[i].is_found)
            return &ports[i];
        log_warn("serial: %s=%s: there is no such port in this machine", option, name);
        return NULL;
    }
    if (*name && strcmp(name, "none") != 0)
        log_warn("serial: %s=%s is not known: com1 to com4 or none", option, name);
    return NULL;
}

static struct port *first_port_except(const struct port *other)
{
    for (unsigned i = 0; i < NR_PORTS; i++) {
        if (ports[i].is_found && &ports[i] != other)
            return &ports[i];
    }
    return NULL;
}

static bool is_none(const char *name)
{
    return strcmp(name, "none") == 0;
}

static void assign(const char *console_name, const char *log_name)
{
    struct port *log = find_port("keel.log", log_name), *shell = find_port("keel.console", console_name);

    if (!shell && !is_none(console_name))
        shell = first_port_except(log) ? first_port_except(log) : log;
    if (!log && !is_none(log_name))
        log = shell ? shell : first_port_except(NULL);
    for (unsigned i = 0; i < NR_PORTS; i++) {
        struct port *port = &ports[i];
        bool is_shell = port == shell, is_log = port == log;

        port->console.is_log_only = is_log && !is_shell;
        port->console.is_prompt_only = !is_log;
        port->console.is_silent = !is_log && !is_shell;
        if (is_shell || is_log)
            register_port(port);
    }
}

/* The option's value, cut to size; "" where it is not given. */
static void get_option(const char *command_line, const char *key, char *value, size_t size)
{
    int length = command_line_get(command_line, key, value, size);

    if (length < 0)
        value[0] = '\0';
    if (length == -ENAMETOOLONG)
        log_warn("serial: %s= is not known: com1 to com4 or none", key);
}

void serial_assign(const char *command_line)
{
    char console_name[8], log_name[8];

    get_option(command_line, "keel.console", console_name, sizeof(console_name));
    get_option(command_line, "keel.log", log_name, sizeof(log_name));
    assign(console_name, log_name);
}

void serial_use_interrupts(void)
{
    for (unsigned i = 0; i < NR_PORTS; i++) {
        struct port *port = &ports[i];
        int error;

        if (!port->is_registered || port->console.is_log_only || port->console.is_silent)
            continue;
        error = serial_input_use_interrupt(&port->input, places[i].isa_irq);
        if (error)
            log_warn("serial: %s is polled, for its interrupt cannot be had: %s", port->console.name,
                     error_name(error));
    }
}
