/* Any bytes as two definition blocks, the first as long as the first two bytes say: what their objects are worth, and
 * PCI's roots and pins in them. */
#include <string.h>

#include <acpi/resource.h>
#include <base/errno.h>

#include "../../drivers/acpi/aml_pci.h"
#include "../unit/support/plain_heap.h"
#include "support.h"

#define VALUES_MAX 64u /* looked at of one input: what is worth a lot is made of the same pieces */

static const uint8_t *bytes;
static size_t nr_bytes;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_resources(const uint8_t *at, uint32_t length)
{
    struct acpi_resource resource;
    uint32_t cursor = 0, before = 0;

    for (; acpi_resource_next(at, length, &cursor, &resource); before = cursor) {
        REQUIRE(cursor > before && cursor <= length, "the walk goes from %u to %u of %u", before, cursor, length);
        REQUIRE(resource.length != 0 && resource.base + resource.length > resource.base, "a range that wraps");
        REQUIRE(resource.kind != ACPI_RESOURCE_INTERRUPT || resource.base <= UINT32_MAX, "interrupt 0x%llx",
                (unsigned long long)resource.base);
    }
}

static void check_value(const struct aml_namespace *names, struct aml_value value, unsigned *left)
{
    struct aml_value element;

    if (*left == 0)
        return;
    --*left;
    if (value.type == AML_TYPE_INTEGER)
        return;
    REQUIRE(value.bytes >= bytes && value.bytes + value.length_bytes <= bytes + nr_bytes, "a value outside the block");
    if (value.type == AML_TYPE_BUFFER)
        check_resources(value.bytes, value.length_bytes);
    if (value.type == AML_TYPE_REFERENCE)
        (void)aml_referenced(names, &value);
    while (*left > 0 && aml_take_element(&value, &element))
        if (element.type != AML_TYPE_PACKAGE)
            check_value(names, element, left);
}

static void check_routes(const struct aml_namespace *names, const struct aml_node *bus)
{
    struct acpi_pci_route route;

    for (unsigned slot = 0; slot < 4; slot++) {
        int error = aml_pci_route(names, bus, slot, slot + 1, &route);

        REQUIRE(error == 0 || error == -ENOENT || error == -ENOTSUP || error == -EBADMSG, "error %d", error);
        const struct aml_node *function = aml_pci_function(names, bus, slot, 0);
        REQUIRE(!function || function->parent == bus, "a function of another bus");
    }
}

static void check_names(const struct aml_namespace *names)
{
    struct acpi_pci_root root = {0};
    unsigned left = VALUES_MAX, nr_names = 0, nr_roots = 0;
    struct aml_value value;

    for (const struct aml_node *node = names->root.next; node; node = node->next) {
        nr_names++;
        REQUIRE(aml_child(names, node->parent, node->name) == node, "a name that is not found");
        if (left > 0 && aml_evaluate(names, node, &value) == 0)
            check_value(names, value, &left);
    }
    REQUIRE(nr_names == names->nr_names, "%u names of %u", nr_names, names->nr_names);
    for (; aml_pci_next_root(names, &root); nr_roots++) {
        REQUIRE(root.first_bus <= root.last_bus, "buses %u to %u", root.first_bus, root.last_bus);
        check_routes(names, root.node);
    }
    REQUIRE(nr_roots <= nr_names, "more roots than names");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aml_namespace names;
    uint16_t first;

    if (size < sizeof(first))
        return 0;
    memcpy(&first, data, sizeof(first));
    bytes = data + sizeof(first);
    nr_bytes = size - sizeof(first);
    if (first > nr_bytes)
        first = (uint16_t)nr_bytes;
    aml_namespace_init(&names);
    REQUIRE(aml_namespace_add(&names, bytes, first) >= 0, "out of memory");
    REQUIRE(aml_namespace_add(&names, bytes + first, (uint32_t)nr_bytes - first) >= 0, "out of memory");
    aml_namespace_finish(&names);
    check_names(&names);
    aml_namespace_free(&names);
    REQUIRE(plain_heap_in_use() == 0, "memory was lost");
    return 0;
}
