/* The tree of names, what its objects are worth, and PCI's roots and interrupt pins in it: on bytes written here, and
 * on the definition blocks that QEMU 7.2 gives its machines. */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <acpi/resource.h>
#include <base/errno.h>

#include "../../drivers/acpi/aml_pci.h"
#include "support/plain_heap.h"

#define SEGMENT(text) (text)[0], (text)[1], (text)[2], (text)[3]

static struct aml_namespace names;
static uint8_t *block;

static int setup(void **state)
{
    aml_namespace_init(&names);
    return 0;
}

static int teardown(void **state)
{
    aml_namespace_free(&names);
    free(block);
    block = NULL;
    assert_int_equal(plain_heap_in_use(), 0);
    return 0;
}

static int add(const void *bytes, size_t length)
{
    free(block);
    block = malloc(length ? length : 1); /* so that a read past the end is found */
    memcpy(block, bytes, length);
    int result = aml_namespace_add(&names, block, (uint32_t)length);
    aml_namespace_finish(&names);
    return result;
}

#define ADD(...)                                          \
    do {                                                  \
        static const uint8_t bytes_[] = {__VA_ARGS__};    \
        assert_int_equal(add(bytes_, sizeof(bytes_)), 0); \
    } while (0)

static void add_real(const char *machine)
{
    char path[256];
    uint8_t bytes[16384];

    snprintf(path, sizeof(path), "%s/real-%s", DUMPS, machine);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    assert_in_range(length, 1000, sizeof(bytes) - 1);
    assert_int_equal(add(bytes, length), 0);
}

static const struct aml_node *at(const char *path)
{
    const struct aml_node *node = &names.root;

    for (; node && *path; path += AML_NAME_LENGTH)
        node = aml_child(&names, node, path);
    return node;
}

static uint64_t integer(const char *path)
{
    uint64_t value;

    assert_int_equal(aml_evaluate_integer(&names, at(path), &value), 0);
    return value;
}

static int error_of(const char *path)
{
    struct aml_value value;

    return aml_evaluate(&names, at(path), &value);
}

static void values(void **state)
{
    static const uint8_t bytes[] = {
        0x08,
        SEGMENT("AAAA"),
        0x0a,
        1,
        0x08,
        SEGMENT("BBBB"),
        0x0e,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8, /* */
        0x08,
        SEGMENT("TEXT"),
        0x0d,
        'x',
        'y',
        0,
        0x08,
        SEGMENT("BUFF"),
        0x11,
        5,
        0x0a,
        9,
        7,
        8, /* Buffer (9) {7, 8} */
        0x14,
        8,
        SEGMENT("ONE_"),
        0,
        0xa4,
        0x01, /* Method (ONE) {Return (One)} */
        0x14,
        11,
        SEGMENT("NAME"),
        0,
        0xa4,
        SEGMENT("BBBB"), /* {Return (BBBB)} */
        0x14,
        8,
        SEGMENT("ARG1"),
        1,
        0xa4,
        0x01, /* with an argument */
        0x14,
        13,
        SEGMENT("STOR"),
        0,
        0x70,
        0x01,
        SEGMENT("AAAA"),
        0xa3, /* {Store (One, AAAA) Noop} */
        0x14,
        6,
        SEGMENT("NONE"),
        0,
        0x14,
        11,
        SEGMENT("SELF"),
        0,
        0xa4,
        SEGMENT("SELF"), /* calls itself */
        0x14,
        11,
        SEGMENT("GONE"),
        0,
        0xa4,
        SEGMENT("XXXX"), /* returns what is not there */
    };
    struct aml_value value;

    assert_int_equal(add(bytes, sizeof(bytes)), 0);
    assert_int_equal(integer("AAAA"), 1);
    assert_int_equal(integer("BBBB"), 0x0807060504030201);
    assert_int_equal(integer("ONE_"), 1);
    assert_int_equal(integer("NAME"), 0x0807060504030201);
    assert_int_equal(aml_evaluate(&names, at("TEXT"), &value), 0);
    assert_true(value.type == AML_TYPE_TEXT && value.length_bytes == 2 && memcmp(value.bytes, "xy", 2) == 0);
    assert_int_equal(aml_evaluate(&names, at("BUFF"), &value), 0);
    assert_true(value.type == AML_TYPE_BUFFER && value.length_bytes == 2 && value.bytes[1] == 8);
    assert_int_equal(aml_evaluate_integer(&names, at("BUFF"), &value.integer), -EBADMSG);
    assert_int_equal(error_of("ARG1"), -ENOTSUP);
    assert_int_equal(error_of("STOR"), -ENOTSUP);
    assert_int_equal(error_of("NONE"), -ENOTSUP);
    assert_int_equal(error_of("SELF"), -ENOTSUP);
    assert_int_equal(error_of("GONE"), -ENOTSUP);
    assert_int_equal(error_of("XXXX"), -ENOENT);
}

/* Method (_PRT) {If (PICF == 0) {Return (AAAA)} Else {Return (BBBB)}}, as q35 has it; and with other comparisons. */
#define CHOICE                                                                                             \
    0x08, SEGMENT("PICF"), 0x00, 0x08, SEGMENT("AAAA"), 0x0a, 1, 0x08, SEGMENT("BBBB"), 0x0a, 2, 0x14, 27, \
        SEGMENT("_PRT"), 0, 0xa0, 12, 0x93, SEGMENT("PICF"), 0x00, 0xa4, SEGMENT("AAAA"), 0xa1, 6, 0xa4,   \
        SEGMENT("BBBB"), 0xa3

static void choices(void **state)
{
    ADD(CHOICE, 0x14, 12, SEGMENT("_PIC"), 1, 0x70, 0x68, SEGMENT("PICF")); /* {Store (Arg0, PICF)} */
    assert_int_equal(integer("_PRT"), 2);
    assert_int_equal(integer("PICF"), 1);
}

static void a_pic_that_does_more_is_not_known(void **state)
{
    ADD(CHOICE, 0x14, 13, SEGMENT("_PIC"), 1, 0x70, 0x68, SEGMENT("PICF"), 0xa3);
    assert_int_equal(integer("_PRT"), 1);
}

static void comparisons(void **state)
{
    static const struct {
        uint8_t op;
        uint64_t of_3_and_5, of_5_and_3;
    } cases[] = {{0x90, UINT64_MAX, UINT64_MAX},
                 {0x91, UINT64_MAX, UINT64_MAX},
                 {0x93, 0, 0},
                 {0x94, 0, UINT64_MAX},
                 {0x95, UINT64_MAX, 0}};

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        const uint8_t bytes[] = {0x14, 12, SEGMENT("LESS"), 0, 0xa4, cases[i].op, 0x0a, 3, 0x0a, 5,
                                 0x14, 12, SEGMENT("MORE"), 0, 0xa4, cases[i].op, 0x0a, 5, 0x0a, 3};

        aml_namespace_free(&names);
        assert_int_equal(add(bytes, sizeof(bytes)), 0);
        assert_int_equal(integer("LESS"), cases[i].of_3_and_5);
        assert_int_equal(integer("MORE"), cases[i].of_5_and_3);
    }
    aml_namespace_free(&names);
    ADD(0x14, 13, SEGMENT("AND_"), 0, 0xa4, 0x7b, 0x0a, 6, 0x0a, 3, 0,               /* And (6, 3, ) */
        0x14, 16, SEGMENT("STOR"), 0, 0xa4, 0x7b, 0x0a, 6, 0x0a, 3, SEGMENT("AND_"), /* And (6, 3, AND_) */
        0x14, 10, SEGMENT("NOT_"), 0, 0xa4, 0x92, 0x0a, 6);
    assert_int_equal(integer("AND_"), 2);
    assert_int_equal(error_of("STOR"), -ENOTSUP);
    assert_int_equal(integer("NOT_"), 0);
}

/* Each of ten methods asks the next one twice, for two terms: a thousand readings of the last. */
static void asking_without_end(void **state)
{
    uint8_t bytes[512];
    size_t at_byte = 0;

    for (int i = 0; i < 11; i++) {
        const uint8_t method[] = {0x14,
                                  16,
                                  'M',
                                  'E',
                                  'T',
                                  (uint8_t)('A' + i),
                                  0,
                                  0xa4,
                                  0x91,
                                  'M',
                                  'E',
                                  'T',
                                  (uint8_t)('B' + i),
                                  'M',
                                  'E',
                                  'T',
                                  (uint8_t)('B' + i)};

        memcpy(bytes + at_byte, method, sizeof(method));
        at_byte += sizeof(method);
    }
    assert_int_equal(add(bytes, at_byte), 0);
    assert_int_equal(error_of("META"), -ENOTSUP);
}

static void the_unconditional_object_stands(void **state)
{
    ADD(0xa0, 9, 0x01, 0x08, SEGMENT("AAAA"), 0x0a, 1, /* If (One) {Name (AAAA, 1)} */
        0x08, SEGMENT("AAAA"), 0x0a, 2, 0x08, SEGMENT("AAAA"), 0x0a, 3, 0xa0, 9, 0x01, 0x08, SEGMENT("AAAA"), 0x0a, 4);
    assert_int_equal(integer("AAAA"), 2);
}

static void names_are_searched_for_upwards(void **state)
{
    ADD(0x08, SEGMENT("AAAA"), 0x0a, 1, 0x10, 26, SEGMENT("_SB_"), 0x08, SEGMENT("BBBB"), 0x0a, 2, /* */
        0x14, 13, SEGMENT("METH"), 0, 0xa4, '^', '^', SEGMENT("AAAA"));
    struct aml_name name = {.nr_segments = 1, .segments = (const uint8_t *)"AAAA"};

    assert_ptr_equal(aml_resolve(&names, at("_SB_METH"), &name), at("AAAA"));
    name.nr_parents = 1;
    assert_null(aml_resolve(&names, at("_SB_METH"), &name));
    name.nr_parents = 3; /* above the root */
    assert_null(aml_resolve(&names, at("_SB_METH"), &name));
    assert_int_equal(integer("_SB_METH"), 1);
}

static void elements_of_packages(void **state)
{
    ADD(0x08, SEGMENT("PACK"), 0x12, 13, 4, 0x0a, 9, 0x12, 4, 2, 0x00, 0x01, SEGMENT("PACK"), /* {9, {0, 1}, PACK} */
        0x08, SEGMENT("VARP"), 0x13, 5, 0x0a, 2, 0x01, 0xfe);                                 /* {1, no term} */
    struct aml_value package, element, inner;

    assert_int_equal(aml_evaluate(&names, at("PACK"), &package), 0);
    assert_true(aml_take_element(&package, &element) && element.integer == 9);
    assert_true(aml_take_element(&package, &element) && element.type == AML_TYPE_PACKAGE);
    assert_true(aml_take_element(&element, &inner) && inner.integer == 0);
    assert_true(aml_take_element(&element, &inner) && inner.integer == 1);
    assert_false(aml_take_element(&element, &inner));
    assert_true(aml_take_element(&package, &element) && element.type == AML_TYPE_REFERENCE);
    assert_ptr_equal(aml_referenced(&names, &element), at("PACK"));
    assert_false(aml_take_element(&package, &element));
    assert_int_equal(aml_evaluate(&names, at("VARP"), &package), 0);
    assert_true(aml_take_element(&package, &element) && element.integer == 1);
    assert_false(aml_take_element(&package, &element));
}

static void out_of_memory_keeps_what_there_is(void **state)
{
    static const uint8_t bytes[] = {0x08, SEGMENT("AAAA"), 0x0a, 1, 0x08, SEGMENT("BBBB"), 0x0a, 2};

    plain_heap_fail_after(2); /* the walk's own, AAAA, BBBB */
    assert_int_equal(add(bytes, sizeof(bytes)), -ENOMEM);
    plain_heap_fail_after(-1);
    assert_int_equal(integer("AAAA"), 1);
    assert_null(at("BBBB"));
}

/* The machines */

static void check_route(const struct aml_node *bus, unsigned slot, unsigned pin, uint32_t gsi)
{
    struct acpi_pci_route route;

    assert_int_equal(aml_pci_route(&names, bus, slot, pin, &route), 0);
    assert_int_equal(route.gsi, gsi);
    assert_true(route.is_level && !route.is_active_low);
}

static unsigned count_windows(const struct acpi_pci_root *root, enum acpi_resource_kind kind, uint64_t base,
                              uint64_t length)
{
    struct acpi_resource resource;
    unsigned count = 0;

    for (uint32_t cursor = 0; acpi_resource_next(root->resources, root->resource_bytes, &cursor, &resource);)
        count += resource.kind == kind && resource.is_window && resource.base == base && resource.length == length;
    return count;
}

static void microvm(void **state)
{
    struct acpi_pci_root root = {0};

    add_real("microvm");
    assert_true(aml_pci_next_root(&names, &root));
    assert_ptr_equal(root.node, at("_SB_PCI0"));
    assert_true(root.segment == 0 && root.first_bus == 0 && root.last_bus == 255 && root.ecam_base == 0xe0000000);
    assert_int_equal(count_windows(&root, ACPI_RESOURCE_MEMORY, 0xc0000000, 0x20000000), 1);
    assert_int_equal(count_windows(&root, ACPI_RESOURCE_MEMORY, 0xc000000000, 0x4000000000), 1);
    check_route(root.node, 0, 1, 16);
    check_route(root.node, 1, 1, 17);
    check_route(root.node, 31, 4, 18);
    assert_false(aml_pci_next_root(&names, &root));
}

static void q35(void **state)
{
    struct acpi_pci_root root = {0};
    struct acpi_pci_route route;

    add_real("q35");
    assert_true(aml_pci_next_root(&names, &root));
    assert_true(root.first_bus == 0 && root.last_bus == 255 && root.ecam_base == 0);
    assert_int_equal(count_windows(&root, ACPI_RESOURCE_IO, 0xd00, 0xf300), 1);
    assert_int_equal(count_windows(&root, ACPI_RESOURCE_MEMORY, 0xc0000000, 0x3ec00000), 1);
    assert_int_equal(count_windows(&root, ACPI_RESOURCE_MEMORY, 0x100000000, 0x800000000), 1);
    check_route(root.node, 1, 1, 21); /* PRTA, not PRTP, as \_PIC (1) would have it */
    check_route(root.node, 31, 1, 16);
    assert_int_equal(aml_pci_route(&names, root.node, 32, 1, &route), -ENOENT);
    assert_ptr_equal(aml_pci_function(&names, root.node, 31, 0), at("_SB_PCI0SF8_"));
    assert_null(aml_pci_function(&names, root.node, 30, 0));
    assert_int_equal(aml_pci_route(&names, at("_SB_PCI0SF8_"), 0, 1, &route), -ENOENT);
    assert_false(aml_pci_next_root(&names, &root));
}

static void q35_with_two_roots(void **state)
{
    struct acpi_pci_root root = {0};
    struct acpi_pci_route route;
    unsigned seen = 0;

    add_real("q35-pxb");
    while (aml_pci_next_root(&names, &root)) {
        if (root.first_bus == 0x20) {
            assert_int_equal(root.last_bus, 0x21);
            assert_int_equal(count_windows(&root, ACPI_RESOURCE_MEMORY, 0xfe800000, 0x200000), 1);
            assert_int_equal(aml_pci_route(&names, root.node, 0, 1, &route), -ENOTSUP); /* a method with a loop */
            seen |= 2;
        } else {
            assert_true(root.first_bus == 0 && root.last_bus == 0x1f);
            check_route(root.node, 1, 1, 21);
            seen |= 1;
        }
    }
    assert_int_equal(seen, 3);
}

static void pc(void **state)
{
    struct acpi_pci_root root = {0};
    struct acpi_pci_route route;

    add_real("pc");
    assert_true(aml_pci_next_root(&names, &root));
    assert_non_null(root.resources);
    assert_int_equal(aml_pci_route(&names, root.node, 1, 1, &route), -ENOTSUP);
}

/* Every part of a real block: nothing is read past its end, which the address sanitizer sees. */
static void cut_off(void **state)
{
    uint8_t bytes[4096];
    size_t length;

    add_real("microvm");
    length = 2958;
    memcpy(bytes, block, length);
    for (size_t cut = 0; cut < length; cut += 7) {
        struct acpi_pci_root root = {0};
        struct acpi_pci_route route;

        aml_namespace_free(&names);
        assert_true(add(bytes, cut) >= 0);
        while (aml_pci_next_root(&names, &root))
            (void)!aml_pci_route(&names, root.node, 1, 1, &route);
    }
}

static void direct_interrupts(void **state)
{
    ADD(0x5b, 0x82, 37, SEGMENT("PCI0"), 0x08, SEGMENT("_HID"), 0x0c, 0x41, 0xd0, 0x0a, 0x08, 0x08, SEGMENT("_PRT"),
        0x12, 16, 1, 0x12, 13, 4, 0x0c, 0xff, 0xff, 3, 0, 0x0a, 1, 0x00, 0x0b, 0x34, 0x12, 0xa3);
    struct acpi_pci_root root = {0};
    struct acpi_pci_route route;

    assert_true(aml_pci_next_root(&names, &root));
    assert_null(root.resources);
    assert_int_equal(aml_pci_route(&names, root.node, 3, 2, &route), 0);
    assert_true(route.gsi == 0x1234 && route.is_level && route.is_active_low);
    assert_int_equal(aml_pci_route(&names, root.node, 3, 1, &route), -ENOENT);
    assert_int_equal(aml_pci_route(&names, root.node, 3, 5, &route), -ENOENT);
    assert_int_equal(aml_pci_route(&names, NULL, 3, 1, &route), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values),
        TEST(choices),
        TEST(a_pic_that_does_more_is_not_known),
        TEST(comparisons),
        TEST(asking_without_end),
        TEST(the_unconditional_object_stands),
        TEST(names_are_searched_for_upwards),
        TEST(elements_of_packages),
        TEST(out_of_memory_keeps_what_there_is),
        TEST(microvm),
        TEST(q35),
        TEST(q35_with_two_roots),
        TEST(pc),
        TEST(cut_off),
        TEST(direct_interrupts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
