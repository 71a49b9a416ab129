/* Constants, packages of them, and the one that says how to power off. */
#include <base/errno.h>
#include <lib/string.h>

#include "aml_term.h"

#define SLEEP_TYPE_MAX 7u /* three bits */

int aml_read_integer(const uint8_t *data, uint32_t length_bytes, uint64_t *value)
{
    uint32_t bytes;

    if (length_bytes == 0)
        return -EBADMSG;
    switch (data[0]) {
    case AML_ZERO:
    case AML_ONE:
        *value = data[0];
        return 1;
    case AML_ONES:
        *value = UINT64_MAX;
        return 1;
    case AML_BYTE:
        bytes = sizeof(uint8_t);
        break;
    case AML_WORD:
        bytes = sizeof(uint16_t);
        break;
    case AML_DWORD:
        bytes = sizeof(uint32_t);
        break;
    case AML_QWORD:
        bytes = sizeof(uint64_t);
        break;
    default:
        return -EBADMSG;
    }
    if (length_bytes - 1 < bytes)
        return -EBADMSG;
    uint64_t read = 0;
    memcpy(&read, data + 1, bytes);
    *value = read;
    return (int)(1 + bytes);
}

int aml_read_package(const uint8_t *data, uint32_t length_bytes, uint64_t *values, unsigned limit)
{
    struct aml_reader reader = {data, 0, length_bytes};
    uint8_t op, nr_elements;
    unsigned n = 0;
    uint32_t end;

    if (!aml_take_byte(&reader, &op) || op != AML_PACKAGE || !aml_take_length(&reader, &end))
        return -EBADMSG;
    reader.end = end;
    if (!aml_take_byte(&reader, &nr_elements))
        return -EBADMSG;
    for (; n < limit && n < nr_elements; n++) {
        int taken = aml_read_integer(data + reader.at, reader.end - reader.at, &values[n]);

        if (taken < 0)
            break;
        reader.at += (uint32_t)taken;
    }
    return (int)n;
}

struct s5_search {
    int result;
    uint8_t types[2];
};

static bool look_for_s5(const struct aml_object *object, void *context)
{
    struct s5_search *search = context;
    uint64_t values[2];

    if (object->kind != AML_NAME || !aml_path_is(object->path, "_S5_"))
        return true;
    if (search->result == 0 && object->is_conditional)
        return true; /* which condition holds is not known: the first one stands until an unconditional one comes */
    if (aml_read_package(object->data, object->length_bytes, values, 2) != 2 || values[0] > SLEEP_TYPE_MAX ||
        values[1] > SLEEP_TYPE_MAX) {
        if (search->result != 0)
            search->result = -EBADMSG;
        return true;
    }
    search->result = 0;
    search->types[0] = (uint8_t)values[0];
    search->types[1] = (uint8_t)values[1];
    return object->is_conditional;
}

int aml_find_s5(const uint8_t *aml, uint32_t length_bytes, uint8_t *type_a, uint8_t *type_b)
{
    struct s5_search search = {.result = -ENOENT};
    int walked = aml_walk(aml, length_bytes, look_for_s5, &search);

    if (walked < 0)
        return walked;
    if (search.result == 0) {
        *type_a = search.types[0];
        *type_b = search.types[1];
    }
    return search.result;
}
