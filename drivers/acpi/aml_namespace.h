/* The named objects of definition blocks as a tree (ACPI 6.5 5.3), and what they are worth where that can be told
 * without running anything. Pure: any bytes. The blocks' bytes have to stay as long as the tree.
 *
 * Values are those the blocks give: no method that stores anything is run, so none has changed them. The one exception
 * is what \_PIC does when it does nothing but store its argument: then its variable reads 1, APIC mode (ACPI 6.5
 * 5.8.1), as it would had \_PIC been run. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <lib/rbtree.h>

#include "aml.h"
#include "aml_term.h"

#define AML_NAMES_MAX (1u << 17) /* the largest servers have some 40,000 */

struct aml_node {
    struct rbtree_node by_name;
    struct aml_node *parent; /* NULL for the root */
    struct aml_node *next;   /* all of the tree, in the order declared */
    const uint8_t *data;     /* as struct aml_object; NULL: only a part of other objects' paths */
    uint32_t length_bytes;
    char name[AML_NAME_LENGTH];
    uint8_t kind; /* enum aml_kind; with data */
    bool is_conditional;
};

struct aml_namespace {
    struct rbtree names; /* by parent and name */
    struct aml_node root, *last;
    const struct aml_node *pic; /* what \_PIC stores its argument in, or NULL */
    unsigned nr_names;
};

void aml_namespace_init(struct aml_namespace *names);
/* Adds what a definition block's bytes (behind its header) declare. Of objects of one path the first stands, but an
 * unconditional one before one inside an If. Returns the number of blocks whose rest could not be read; -ENOMEM, also
 * for more than AML_NAMES_MAX names: what was added stays. */
MUST_CHECK int aml_namespace_add(struct aml_namespace *names, const uint8_t *aml, uint32_t length_bytes);
/* To be called when all blocks are there: finds out what \_PIC does. */
void aml_namespace_finish(struct aml_namespace *names);
void aml_namespace_free(struct aml_namespace *names);

/* name: four characters. NULL where the parent has no such child. */
const struct aml_node *aml_child(const struct aml_namespace *names, const struct aml_node *parent, const char *name);
/* What a name stands for that is written in `scope` (ACPI 6.5 5.3: a single segment is searched for upwards); NULL. */
const struct aml_node *aml_resolve(const struct aml_namespace *names, const struct aml_node *scope,
                                   const struct aml_name *name);
/* The next device in the order declared (after NULL: the first), or NULL. */
const struct aml_node *aml_next_device(const struct aml_namespace *names, const struct aml_node *device);

enum aml_type { AML_TYPE_INTEGER, AML_TYPE_TEXT, AML_TYPE_BUFFER, AML_TYPE_PACKAGE, AML_TYPE_REFERENCE };

struct aml_value {
    enum aml_type type;
    uint64_t integer;     /* AML_TYPE_INTEGER */
    const uint8_t *bytes; /* TEXT: without its end. BUFFER: what is written out of it. PACKAGE: its elements. REFERENCE:
                             a name */
    uint32_t length_bytes;
    const struct aml_node *scope; /* where names in it are looked up */
};

/* What an object is worth: a name's value; what a method without arguments returns, where its way there is Return, If,
 * Else and comparisons of values that can be told. Returns 0; -ENOENT for NULL or nothing declared; -ENOTSUP where it
 * would have to be run; -EBADMSG for bytes that are no value. */
MUST_CHECK int aml_evaluate(const struct aml_namespace *names, const struct aml_node *node, struct aml_value *value);
/* The same of an object that has to be an integer: -EBADMSG else. */
MUST_CHECK int aml_evaluate_integer(const struct aml_namespace *names, const struct aml_node *node, uint64_t *integer);
/* Takes the first element off a package: names come as references. False past the last, or what cannot be read. */
MUST_CHECK bool aml_take_element(struct aml_value *package, struct aml_value *element);
/* The object a reference is to, or NULL. */
const struct aml_node *aml_referenced(const struct aml_namespace *names, const struct aml_value *reference);
