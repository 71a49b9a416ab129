/* Walking definition blocks.
 *
 * A block (Scope, Device, If ...) says how long it is, so a term that cannot be read costs the rest of its own block
 * only. The walk keeps the open blocks in an array, not on the stack. Invariants:
 * 1. at <= the end of the innermost open block <= the ends of those around it <= the end of the bytes.
 * 2. Each step moves `at` forward or closes a block. */
#include "aml.h"

#include <base/errno.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

#include "aml_term.h"

struct block {
    uint32_t end;
    bool is_conditional;
    struct aml_path path; /* of the names declared in it */
};

struct walk {
    struct aml_reader reader; /* its end is the innermost block's */
    aml_visit visit;
    void *context;
    struct aml_path path; /* of the name read last */
    struct block blocks[AML_DEPTH_MAX];
    unsigned nr_blocks;
    int nr_unread;
    bool is_stopped;
};

static struct block *innermost(struct walk *walk)
{
    return &walk->blocks[walk->nr_blocks - 1];
}

bool aml_path_is(const struct aml_path *path, const char *names)
{
    size_t length = path->depth * AML_NAME_LENGTH;

    return strlen(names) == length && memcmp(path->names, names, length) == 0;
}

/* Reads a name into walk->path, as one declared in the innermost block. */
static bool take_path(struct walk *walk)
{
    struct aml_path *path = &walk->path;
    struct aml_name name;

    if (!aml_take_name(&walk->reader, &name))
        return false;
    *path = innermost(walk)->path;
    if (name.is_absolute)
        path->depth = 0;
    if (name.nr_parents > path->depth || path->depth - name.nr_parents + name.nr_segments > AML_DEPTH_MAX)
        return false;
    path->depth -= name.nr_parents;
    memcpy(path->names[path->depth], name.segments, name.nr_segments * AML_NAME_LENGTH);
    path->depth += name.nr_segments;
    return true;
}

static void visit(struct walk *walk, enum aml_kind kind, uint32_t from, uint32_t to)
{
    const struct aml_object object = {
        .kind = kind,
        .path = &walk->path,
        .data = walk->reader.bytes + from,
        .length_bytes = to - from,
        .is_conditional = innermost(walk)->is_conditional,
    };

    walk->is_stopped = !walk->visit(&object, walk->context);
}

/* Opens a block from here to end, for the names under walk->path. */
static bool open_block(struct walk *walk, uint32_t end, bool is_conditional)
{
    if (end < walk->reader.at)
        return false;
    if (walk->nr_blocks == AML_DEPTH_MAX) {
        walk->nr_unread++;
        walk->reader.at = end;
        return true;
    }
    is_conditional |= innermost(walk)->is_conditional;
    walk->blocks[walk->nr_blocks] = (struct block){.end = end, .is_conditional = is_conditional};
    walk->blocks[walk->nr_blocks++].path = walk->path;
    walk->reader.end = end;
    return true;
}

static void close_block(struct walk *walk)
{
    walk->reader.at = walk->reader.end;
    walk->nr_blocks--;
    if (walk->nr_blocks > 0)
        walk->reader.end = innermost(walk)->end;
}

/* A term that begins with a length, then a name, then `fixed_bytes` of its own, then terms. */
static bool walk_named_block(struct walk *walk, uint32_t fixed_bytes, bool is_device)
{
    uint32_t end;

    if (!aml_take_length(&walk->reader, &end) || !take_path(walk) || !aml_take(&walk->reader, fixed_bytes) ||
        end < walk->reader.at)
        return false;
    if (is_device)
        visit(walk, AML_DEVICE, walk->reader.at, end);
    return open_block(walk, end, false);
}

static bool walk_condition(struct walk *walk, unsigned nr_predicates)
{
    uint32_t end;

    walk->path = innermost(walk)->path;
    return aml_take_length(&walk->reader, &end) && aml_skip_terms(&walk->reader, nr_predicates) &&
           open_block(walk, end, true);
}

static bool walk_name(struct walk *walk)
{
    if (!take_path(walk))
        return false;
    uint32_t from = walk->reader.at;
    if (!aml_skip_terms(&walk->reader, 1))
        return false;
    visit(walk, AML_NAME, from, walk->reader.at);
    return true;
}

/* Methods are not walked into: what they declare lives while they run. */
static bool walk_method(struct walk *walk)
{
    uint32_t end;

    if (!aml_take_length(&walk->reader, &end) || !take_path(walk) || end < walk->reader.at)
        return false;
    visit(walk, AML_METHOD, walk->reader.at, end);
    walk->reader.at = end;
    return true;
}

static bool skip_block(struct walk *walk)
{
    uint32_t end;

    if (!aml_take_length(&walk->reader, &end))
        return false;
    walk->reader.at = end;
    return true;
}

static bool walk_extended(struct walk *walk)
{
    struct aml_reader *reader = &walk->reader;
    struct aml_name name;
    uint8_t op;

    if (!aml_take_byte(reader, &op))
        return false;
    switch (op) {
    case AML_EXT_MUTEX:
        return aml_take_name(reader, &name) && aml_take(reader, 1);
    case AML_EXT_EVENT:
        return aml_take_name(reader, &name);
    case AML_EXT_CREATE_FIELD:
        return aml_skip_terms(reader, 3) && aml_take_name(reader, &name);
    case AML_EXT_REGION:
        return aml_take_name(reader, &name) && aml_take(reader, 1) && aml_skip_terms(reader, 2);
    case AML_EXT_DATA_REGION:
        return aml_take_name(reader, &name) && aml_skip_terms(reader, 3);
    case AML_EXT_FIELD:
    case AML_EXT_INDEX_FIELD:
    case AML_EXT_BANK_FIELD:
        return skip_block(walk);
    case AML_EXT_DEVICE:
        return walk_named_block(walk, 0, true);
    case AML_EXT_PROCESSOR:
        return walk_named_block(walk, 6, false); /* id, register block, its length */
    case AML_EXT_POWER_RESOURCE:
        return walk_named_block(walk, 3, false); /* system level, order */
    case AML_EXT_THERMAL_ZONE:
        return walk_named_block(walk, 0, false);
    default:
        reader->at -= 2;
        return aml_skip_terms(reader, 1);
    }
}

static bool walk_term(struct walk *walk)
{
    struct aml_reader *reader = &walk->reader;
    struct aml_name name;
    uint8_t op;

    if (!aml_take_byte(reader, &op))
        return false;
    switch (op) {
    case AML_ALIAS:
        return aml_take_name(reader, &name) && aml_take_name(reader, &name);
    case AML_NAME_OP:
        return walk_name(walk);
    case AML_SCOPE:
        return walk_named_block(walk, 0, false);
    case AML_METHOD_OP:
        return walk_method(walk);
    case AML_EXTERNAL:
        return aml_take_name(reader, &name) && aml_take(reader, 2);
    case AML_CREATE_DWORD_FIELD:
    case AML_CREATE_WORD_FIELD:
    case AML_CREATE_BYTE_FIELD:
    case AML_CREATE_BIT_FIELD:
    case AML_CREATE_QWORD_FIELD:
        return aml_skip_terms(reader, 2) && aml_take_name(reader, &name);
    case AML_IF:
        return walk_condition(walk, 1);
    case AML_ELSE:
        return walk_condition(walk, 0);
    case AML_WHILE:
        return skip_block(walk);
    case AML_EXTENDED:
        return walk_extended(walk);
    default:
        reader->at--;
        return aml_skip_terms(reader, 1);
    }
}

int aml_walk(const uint8_t *aml, uint32_t length_bytes, aml_visit function, void *context)
{
    struct walk *walk = kmalloc(sizeof(*walk), ALLOC_ZERO);

    if (!walk)
        return -ENOMEM;
    walk->reader = (struct aml_reader){aml, 0, length_bytes};
    walk->visit = function;
    walk->context = context;
    walk->blocks[walk->nr_blocks++].end = length_bytes;
    while (walk->nr_blocks > 0 && !walk->is_stopped) {
        if (walk->reader.at == walk->reader.end) {
            close_block(walk);
        } else if (!walk_term(walk)) {
            walk->nr_unread++;
            close_block(walk);
        }
    }
    int nr_unread = walk->nr_unread;
    kfree(walk);
    return nr_unread;
}
