/* What objects are worth. Values refer to each other without end where a block wants them to, and a short block can ask
 * for a long reading: both the depth and the number of terms read are bounded. */
#include <base/errno.h>
#include <lib/string.h>

#include "aml_namespace.h"

#define TERMS_MAX    4096u
#define NESTED_MAX   12u /* terms within terms, blocks and methods */
#define NR_ARGUMENTS 7u  /* the mask of them in a method's flags */
#define NOT_RETURNED 1   /* the end of a block came before a Return */

struct reading {
    const struct aml_namespace *names;
    unsigned terms_left, nested;
};

/* Names as the term that is read here sees them. */
struct place {
    struct aml_reader reader;
    const struct aml_node *scope;
};

static int read_term(struct reading *reading, struct place *place, struct aml_value *value);
static int read_node(struct reading *reading, const struct aml_node *node, struct aml_value *value);

static int read_text(struct aml_reader *reader, struct aml_value *value)
{
    uint32_t from = ++reader->at;
    uint8_t byte;

    do {
        if (!aml_take_byte(reader, &byte))
            return -EBADMSG;
    } while (byte != 0);
    value->type = AML_TYPE_TEXT;
    value->bytes = reader->bytes + from;
    value->length_bytes = reader->at - from - 1;
    return 0;
}

/* A buffer or package: a length, its size or number of elements (a byte in a Package, else a term), and what is in it.
 */
static int read_aggregate(struct aml_reader *reader, uint8_t op, struct aml_value *value)
{
    struct aml_reader inside;
    uint32_t end;

    reader->at++;
    if (!aml_take_length(reader, &end))
        return -EBADMSG;
    inside = (struct aml_reader){reader->bytes, reader->at, end};
    if (op == AML_PACKAGE ? !aml_take(&inside, 1) : !aml_skip_terms(&inside, 1))
        return -EBADMSG;
    value->type = op == AML_BUFFER ? AML_TYPE_BUFFER : AML_TYPE_PACKAGE;
    value->bytes = inside.bytes + inside.at;
    value->length_bytes = end - inside.at;
    reader->at = end;
    return 0;
}

/* A term that is written out. -ENOTSUP for any other. */
static int read_constant(struct aml_reader *reader, struct aml_value *value)
{
    uint8_t op = reader->bytes[reader->at];

    if (op == AML_STRING)
        return read_text(reader, value);
    if (op == AML_BUFFER || op == AML_PACKAGE || op == AML_VAR_PACKAGE)
        return read_aggregate(reader, op, value);
    int taken = aml_read_integer(reader->bytes + reader->at, reader->end - reader->at, &value->integer);
    if (taken < 0)
        return -ENOTSUP;
    value->type = AML_TYPE_INTEGER;
    reader->at += (uint32_t)taken;
    return 0;
}

static int read_integer(struct reading *reading, struct place *place, uint64_t *integer)
{
    struct aml_value value;
    int error = read_term(reading, place, &value);

    if (error == 0 && value.type != AML_TYPE_INTEGER)
        return -ENOTSUP;
    if (error == 0)
        *integer = value.integer;
    return error;
}

static bool compute(uint8_t op, uint64_t a, uint64_t b, uint64_t *result)
{
    switch (op) {
    case AML_AND:
        *result = a & b;
        return true;
    case AML_OR:
        *result = a | b;
        return true;
    case AML_LAND:
        *result = a && b ? UINT64_MAX : 0;
        return true;
    case AML_LOR:
        *result = a || b ? UINT64_MAX : 0;
        return true;
    case AML_LEQUAL:
        *result = a == b ? UINT64_MAX : 0;
        return true;
    case AML_LGREATER:
        *result = a > b ? UINT64_MAX : 0;
        return true;
    case AML_LLESS:
        *result = a < b ? UINT64_MAX : 0;
        return true;
    default:
        return false;
    }
}

/* An operation on integers that stores nothing. */
static int read_operation(struct reading *reading, struct place *place, struct aml_value *value)
{
    uint8_t op = place->reader.bytes[place->reader.at++], target = 0;
    uint64_t a = 0, b = 0;

    value->type = AML_TYPE_INTEGER;
    if (op != AML_LNOT && !compute(op, 0, 0, &a))
        return -ENOTSUP;
    int error = read_integer(reading, place, &a);
    if (error == 0 && op == AML_LNOT) {
        value->integer = a == 0 ? UINT64_MAX : 0;
        return 0;
    }
    if (error == 0)
        error = read_integer(reading, place, &b);
    if (error)
        return error;
    if ((op == AML_AND || op == AML_OR) && (!aml_take_byte(&place->reader, &target) || target != AML_ZERO))
        return -ENOTSUP; /* it has a target */
    (void)compute(op, a, b, &value->integer);
    return 0;
}

static int read_term(struct reading *reading, struct place *place, struct aml_value *value)
{
    struct aml_reader *reader = &place->reader;
    struct aml_name name;
    int error;

    if (reader->at >= reader->end)
        return -EBADMSG;
    if (reading->terms_left == 0 || reading->nested == NESTED_MAX)
        return -ENOTSUP;
    reading->terms_left--;
    reading->nested++;
    value->scope = place->scope;
    if (aml_is_name_start(reader->bytes[reader->at])) {
        error = aml_take_name(reader, &name) ? 0 : -EBADMSG;
        if (error == 0)
            error = read_node(reading, aml_resolve(reading->names, place->scope, &name), value);
    } else {
        error = read_constant(reader, value);
        if (error == -ENOTSUP)
            error = read_operation(reading, place, value);
    }
    reading->nested--;
    return error;
}

static int read_block(struct reading *reading, struct place *place, struct aml_value *value);

/* An If with its Else; the bytes are behind the op code. */
static int read_condition(struct reading *reading, struct place *place, struct aml_value *value)
{
    struct aml_reader *reader = &place->reader;
    uint32_t end, outer_end = reader->end;
    uint64_t holds = 0;
    int result;

    if (!aml_take_length(reader, &end))
        return -EBADMSG;
    reader->end = end;
    result = read_integer(reading, place, &holds);
    if (result == 0)
        result = holds ? read_block(reading, place, value) : NOT_RETURNED;
    reader->at = end;
    reader->end = outer_end;
    if (result != NOT_RETURNED || reader->at == outer_end || reader->bytes[reader->at] != AML_ELSE)
        return result;
    reader->at++;
    if (!aml_take_length(reader, &end))
        return -EBADMSG;
    reader->end = end;
    if (!holds)
        result = read_block(reading, place, value);
    reader->at = end;
    reader->end = outer_end;
    return result;
}

/* Follows statements up to a Return: 0, NOT_RETURNED or an error. */
static int read_block(struct reading *reading, struct place *place, struct aml_value *value)
{
    int result = NOT_RETURNED;
    uint8_t op;

    if (reading->nested == NESTED_MAX)
        return -ENOTSUP;
    reading->nested++;
    while (result == NOT_RETURNED && aml_take_byte(&place->reader, &op)) {
        if (op == AML_RETURN)
            result = read_term(reading, place, value);
        else if (op == AML_IF)
            result = read_condition(reading, place, value);
        else if (op != AML_NOOP)
            result = -ENOTSUP;
    }
    reading->nested--;
    return result;
}

static int read_node(struct reading *reading, const struct aml_node *node, struct aml_value *value)
{
    if (!node || !node->data)
        return -ENOTSUP; /* a field, perhaps */
    if (node == reading->names->pic) {
        *value = (struct aml_value){.type = AML_TYPE_INTEGER, .integer = 1, .scope = node};
        return 0;
    }
    struct place place = {{node->data, 0, node->length_bytes}, node};
    uint8_t flags;
    if (node->kind == AML_NAME) {
        place.scope = node->parent;
        return read_term(reading, &place, value);
    }
    if (node->kind != AML_METHOD || !aml_take_byte(&place.reader, &flags) || (flags & NR_ARGUMENTS) != 0)
        return -ENOTSUP;
    int result = read_block(reading, &place, value);
    return result == NOT_RETURNED ? -ENOTSUP : result;
}

int aml_evaluate(const struct aml_namespace *names, const struct aml_node *node, struct aml_value *value)
{
    struct reading reading = {names, TERMS_MAX, 0};
    struct aml_value read = {0};

    if (!node || !node->data)
        return -ENOENT;
    int error = read_node(&reading, node, &read);
    if (error == 0)
        *value = read;
    return error;
}

int aml_evaluate_integer(const struct aml_namespace *names, const struct aml_node *node, uint64_t *integer)
{
    struct aml_value value;
    int error = aml_evaluate(names, node, &value);

    if (error == 0 && value.type != AML_TYPE_INTEGER)
        return -EBADMSG;
    if (error == 0)
        *integer = value.integer;
    return error;
}

bool aml_take_element(struct aml_value *package, struct aml_value *element)
{
    struct aml_reader reader = {package->bytes, 0, package->length_bytes};
    struct aml_name name;

    if (package->type != AML_TYPE_PACKAGE || reader.end == 0)
        return false;
    *element = (struct aml_value){.scope = package->scope};
    if (aml_is_name_start(reader.bytes[0])) {
        if (!aml_take_name(&reader, &name))
            return false;
        element->type = AML_TYPE_REFERENCE;
        element->bytes = package->bytes;
        element->length_bytes = reader.at;
    } else if (read_constant(&reader, element) < 0) {
        return false;
    }
    package->bytes += reader.at;
    package->length_bytes -= reader.at;
    return true;
}

const struct aml_node *aml_referenced(const struct aml_namespace *names, const struct aml_value *reference)
{
    struct aml_reader reader = {reference->bytes, 0, reference->length_bytes};
    struct aml_name name;

    if (reference->type != AML_TYPE_REFERENCE || !aml_take_name(&reader, &name))
        return NULL;
    return aml_resolve(names, reference->scope, &name);
}
