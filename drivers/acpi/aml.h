/* As much of ACPI's byte code (ACPI 6.5 20.2) as it takes to find named objects and read constants: definition blocks
 * are walked term by term, and nothing is executed. Pure: any bytes. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#define AML_DEPTH_MAX   24u /* of a path; and of blocks within blocks */
#define AML_NAME_LENGTH 4u

/* From the root; depth 0 is the root itself. */
struct aml_path {
    unsigned depth;
    char names[AML_DEPTH_MAX][AML_NAME_LENGTH];
};

enum aml_kind { AML_NAME, AML_METHOD, AML_DEVICE };

struct aml_object {
    enum aml_kind kind;
    const struct aml_path *path; /* valid during the visit */
    const uint8_t *data;         /* AML_NAME: its object. AML_METHOD: its flags and terms. AML_DEVICE: its terms */
    uint32_t length_bytes;
    bool is_conditional; /* inside an If or Else */
};

/* Returns false to end the walk. */
typedef bool (*aml_visit)(const struct aml_object *object, void *context);

/* Visits the named objects of a definition block's bytes (behind its header) in order. A name in an expression is taken
 * for a value, not for a method that takes arguments. Returns the number of blocks whose rest could not be read:
 * unknown, truncated or too deep; -ENOMEM. */
MUST_CHECK int aml_walk(const uint8_t *aml, uint32_t length_bytes, aml_visit visit, void *context);

/* True when the path has these names: "_SB_PCI0", four characters each. */
bool aml_path_is(const struct aml_path *path, const char *names);

/* Reads a constant (ACPI 6.5 20.2.3). Returns the bytes it takes, or -EBADMSG where there is none. */
MUST_CHECK int aml_read_integer(const uint8_t *data, uint32_t length_bytes, uint64_t *value);

/* Reads the constants a package begins with, up to `limit`. Returns how many there are; -EBADMSG where it is no
 * package. */
MUST_CHECK int aml_read_package(const uint8_t *data, uint32_t length_bytes, uint64_t *values, unsigned limit);

/* The sleep type of \_S5, for both PM1 control registers (ACPI 6.5 7.4.2): in one definition block. Returns 0; -ENOENT
 * where it is not defined there, -EBADMSG where it is not a package of constants that fit; -ENOMEM. */
MUST_CHECK int aml_find_s5(const uint8_t *aml, uint32_t length_bytes, uint8_t *type_a, uint8_t *type_b);
