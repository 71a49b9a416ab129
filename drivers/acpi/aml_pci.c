/* PCI's roots, and the wiring of interrupt pins (ACPI 6.5 6.2.13). */
#include "aml_pci.h"

#include <acpi/resource.h>
#include <base/errno.h>
#include <lib/string.h>

#define STA_PRESENT   (1u << 0) /* ACPI 6.5 6.3.7 */
#define ANY_FUNCTION  0xffffu
#define ROUTE_MEMBERS 4u

/* "PNP0A03" as a compressed id (ACPI 6.5 19.6.37), and as an integer's little-endian bytes. */
#define ID_ROOT         0x030ad041u
#define ID_ROOT_TEXT    "PNP0A03"
#define ID_EXPRESS_ROOT 0x080ad041u
#define ID_EXPRESS_TEXT "PNP0A08"

static bool is_text(const struct aml_value *value, const char *text)
{
    return value->length_bytes == strlen(text) && memcmp(value->bytes, text, value->length_bytes) == 0;
}

static bool is_root_id(const struct aml_value *value)
{
    if (value->type == AML_TYPE_INTEGER)
        return value->integer == ID_ROOT || value->integer == ID_EXPRESS_ROOT;
    return value->type == AML_TYPE_TEXT && (is_text(value, ID_ROOT_TEXT) || is_text(value, ID_EXPRESS_TEXT));
}

/* An id, or a package of compatible ones. */
static bool names_root(const struct aml_namespace *names, const struct aml_node *device, const char *object)
{
    struct aml_value value, id;

    if (aml_evaluate(names, aml_child(names, device, object), &value) < 0)
        return false;
    if (value.type != AML_TYPE_PACKAGE)
        return is_root_id(&value);
    while (aml_take_element(&value, &id))
        if (is_root_id(&id))
            return true;
    return false;
}

/* What cannot be told is there. */
static bool is_present(const struct aml_namespace *names, const struct aml_node *device)
{
    uint64_t status = STA_PRESENT;

    (void)!aml_evaluate_integer(names, aml_child(names, device, "_STA"), &status);
    return status & STA_PRESENT;
}

static uint64_t integer_or_0(const struct aml_namespace *names, const struct aml_node *device, const char *object)
{
    uint64_t value = 0;

    (void)!aml_evaluate_integer(names, aml_child(names, device, object), &value);
    return value;
}

static void read_resources(const struct aml_namespace *names, struct acpi_pci_root *root)
{
    struct acpi_resource resource;
    struct aml_value value;

    if (aml_evaluate(names, aml_child(names, root->node, "_CRS"), &value) < 0 || value.type != AML_TYPE_BUFFER)
        return;
    root->resources = value.bytes;
    root->resource_bytes = value.length_bytes;
    for (uint32_t at = 0; acpi_resource_next(root->resources, root->resource_bytes, &at, &resource);)
        if (resource.kind == ACPI_RESOURCE_BUS && resource.base + resource.length <= UINT8_MAX + 1u) {
            root->first_bus = (uint8_t)resource.base;
            root->last_bus = (uint8_t)(resource.base + resource.length - 1);
            return;
        }
}

static bool read_root(const struct aml_namespace *names, const struct aml_node *device, struct acpi_pci_root *root)
{
    uint64_t segment = integer_or_0(names, device, "_SEG"), bus = integer_or_0(names, device, "_BBN");

    if (segment > UINT16_MAX || bus > UINT8_MAX || !is_present(names, device))
        return false;
    *root = (struct acpi_pci_root){.node = device,
                                   .segment = (uint16_t)segment,
                                   .first_bus = (uint8_t)bus,
                                   .last_bus = UINT8_MAX,
                                   .ecam_base = integer_or_0(names, device, "_CBA")};
    read_resources(names, root);
    return true;
}

bool aml_pci_next_root(const struct aml_namespace *names, struct acpi_pci_root *root)
{
    const struct aml_node *device = root->node;

    while ((device = aml_next_device(names, device)))
        if ((names_root(names, device, "_HID") || names_root(names, device, "_CID")) && read_root(names, device, root))
            return true;
    return false;
}

const struct aml_node *aml_pci_function(const struct aml_namespace *names, const struct aml_node *bus, unsigned slot,
                                        unsigned function)
{
    const struct aml_node *device = bus ? aml_next_device(names, bus) : NULL;
    uint64_t address;

    for (; device; device = aml_next_device(names, device))
        if (device->parent == bus && aml_evaluate_integer(names, aml_child(names, device, "_ADR"), &address) == 0 &&
            address == (slot << 16 | function))
            return device;
    return NULL;
}

/* A link's interrupt is what it is set to now (ACPI 6.5 6.2.13.1). */
static int read_link(const struct aml_namespace *names, const struct aml_node *link, struct acpi_pci_route *route)
{
    struct acpi_resource resource;
    struct aml_value value;
    int error = aml_evaluate(names, aml_child(names, link, "_CRS"), &value);

    if (error == 0 && value.type != AML_TYPE_BUFFER)
        error = -EBADMSG;
    if (error)
        return error == -ENOENT ? -EBADMSG : error;
    for (uint32_t at = 0; acpi_resource_next(value.bytes, value.length_bytes, &at, &resource);)
        if (resource.kind == ACPI_RESOURCE_INTERRUPT && resource.base != 0) {
            *route = (struct acpi_pci_route){(uint32_t)resource.base, resource.is_level, resource.is_active_low};
            return 0;
        }
    return -EBADMSG;
}

static int read_source(const struct aml_namespace *names, const struct aml_value *source, const struct aml_value *index,
                       struct acpi_pci_route *route)
{
    if (source->type == AML_TYPE_REFERENCE) {
        const struct aml_node *link = aml_referenced(names, source);

        return link ? read_link(names, link, route) : -EBADMSG;
    }
    if (source->type != AML_TYPE_INTEGER || source->integer != 0 || index->integer > UINT32_MAX)
        return -EBADMSG;
    *route = (struct acpi_pci_route){(uint32_t)index->integer, true, true};
    return 0;
}

/* A row: address, pin from 0, source, index. Only a row of this slot and pin is looked at further. */
static bool take_row(struct aml_value *row, unsigned slot, unsigned pin, struct aml_value members[ROUTE_MEMBERS])
{
    for (unsigned i = 0; i < ROUTE_MEMBERS; i++)
        if (!aml_take_element(row, &members[i]) || (i != 2 && members[i].type != AML_TYPE_INTEGER))
            return false;
    return members[0].integer == ((uint64_t)slot << 16 | ANY_FUNCTION) && members[1].integer == pin - 1;
}

int aml_pci_route(const struct aml_namespace *names, const struct aml_node *bus, unsigned slot, unsigned pin,
                  struct acpi_pci_route *route)
{
    struct aml_value table, row, members[ROUTE_MEMBERS];

    if (!bus || pin < 1 || pin > 4)
        return -ENOENT;
    int error = aml_evaluate(names, aml_child(names, bus, "_PRT"), &table);
    if (error)
        return error;
    if (table.type != AML_TYPE_PACKAGE)
        return -EBADMSG;
    while (aml_take_element(&table, &row))
        if (take_row(&row, slot, pin, members))
            return read_source(names, &members[2], &members[3], route);
    return -ENOENT;
}
