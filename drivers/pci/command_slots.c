/* slots */
#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <dev/work.h>
#include <lib/string.h>

#include "hotplug.h"

static const char *state_name(const struct slot_figures *figures)
{
    static const char *const names[] = {[SLOT_STARTING] = "switched on, waits for the link",
                                        [SLOT_SETTLING] = "the link is up, waits for the device",
                                        [SLOT_ON] = "in use",
                                        [SLOT_GOING] = "button pressed, off within 5 s",
                                        [SLOT_STOPPING] = "switched off just now"};

    if (figures->state == SLOT_EMPTY)
        return figures->is_occupied ? "switched off" : "empty";
    return names[figures->state];
}

static bool find_slot(const char *port, struct slot_figures *figures)
{
    for (unsigned n = 0; pci_slot_look(n, figures); n++)
        if (strcmp(figures->port, port) == 0)
            return true;
    return false;
}

/* Also when the port itself has been taken away. */
static bool is_settled(const void *context)
{
    struct slot_figures figures;

    return !find_slot(context, &figures) || figures.is_settled;
}

static int switch_slot(const char *port, bool is_on)
{
    if (!pci_slot_switch(port, is_on))
        return command_error(-ENOENT, "no port with a slot is named '%s'", port);
    while (!is_settled(port)) /* the slot's own deadlines end this */
        work_wait(is_settled, port);
    return 0;
}

static int list_slots(void)
{
    struct slot_figures figures;
    unsigned n = 0;

    for (; pci_slot_look(n, &figures); n++)
        console_printf("%s: slot %u: %s\n", figures.port, figures.number, state_name(&figures));
    if (n == 0)
        console_printf("No slot that devices can be plugged into.\n");
    return 0;
}

static int run_slots(int argc, char **argv)
{
    if (argc == 1)
        return list_slots();
    if (argc != 3)
        return argc > 3 ? -E2BIG : -EINVAL;
    if (strcmp(argv[1], "on") != 0 && strcmp(argv[1], "off") != 0)
        return -EINVAL;
    return switch_slot(argv[2], strcmp(argv[1], "on") == 0);
}

static const char *complete(unsigned n)
{
    static const char *const words[] = {"on", "off"};

    return n < ARRAY_SIZE(words) ? words[n] : NULL;
}

COMMAND(slots, .name = "slots", .arguments = "[on|off PORT]", .summary = "slots that devices can be plugged into",
        .run = run_slots, .complete = complete,
        .details = "off takes the devices from their drivers and switches the slot off, as its button does, at once.");
