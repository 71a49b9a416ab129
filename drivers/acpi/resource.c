/* Resource descriptors: a byte of tag and length, or a tag and two bytes of length, then what each kind has. */
#include <acpi/resource.h>

#include <lib/string.h>

#define LARGE            0x80u
#define SMALL_TAG(byte)  ((byte) >> 3 & 0xfu)
#define SMALL_SIZE(byte) ((byte)&7u)

/* Small tags (ACPI 6.5 table 6.26), and the large ones' bytes (table 6.37). */
enum { SMALL_IRQ = 4, SMALL_IO = 8, SMALL_FIXED_IO = 9, SMALL_END = 15 };
enum {
    LARGE_MEMORY_32 = 0x85,
    LARGE_MEMORY_32_FIXED = 0x86,
    LARGE_DWORD = 0x87,
    LARGE_WORD = 0x88,
    LARGE_INTERRUPT = 0x89,
    LARGE_QWORD = 0x8a,
    LARGE_EXTENDED = 0x8b,
};

#define IO_MASK_10_BITS 0x3ffu

/* An address space descriptor's general flags (ACPI 6.5 table 6.43), of which the range's ends are fixed. */
#define SPACE_CONSUMER  (1u << 0)
#define SPACE_MIN_FIXED (1u << 2)
#define SPACE_MAX_FIXED (1u << 3)

/* Interrupt flags: of the small descriptor (ACPI 6.5 6.4.2.1) and the large one (6.4.3.6). */
#define SMALL_IRQ_EDGE       (1u << 0)
#define SMALL_IRQ_ACTIVE_LOW (1u << 3)
#define LARGE_IRQ_EDGE       (1u << 1)
#define LARGE_IRQ_ACTIVE_LOW (1u << 2)

static uint64_t field(const uint8_t *body, unsigned offset, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, body + offset, bytes);
    return value;
}

static bool set_range(struct acpi_resource *resource, enum acpi_resource_kind kind, uint64_t base, uint64_t length)
{
    *resource = (struct acpi_resource){.kind = kind, .base = base, .length = length};
    return length != 0 && base <= UINT64_MAX - length;
}

/* Type, flags, type's flags, then granularity, least and greatest address, translation and length of `width` bytes. */
static bool decode_space(const uint8_t *body, uint32_t size, unsigned at, unsigned width,
                         struct acpi_resource *resource)
{
    static const enum acpi_resource_kind kinds[] = {ACPI_RESOURCE_MEMORY, ACPI_RESOURCE_IO, ACPI_RESOURCE_BUS};
    const uint8_t fixed = SPACE_MIN_FIXED | SPACE_MAX_FIXED;

    if (size < at + 5 * width || body[0] >= ARRAY_SIZE(kinds))
        return false;
    uint64_t least = field(body, at + width, width), greatest = field(body, at + 2 * width, width);
    uint64_t translation = field(body, at + 3 * width, width), length = field(body, at + 4 * width, width);
    if (translation != 0 || least > greatest || length == 0)
        return false;
    if ((body[1] & fixed) == fixed && length - 1 > greatest - least) /* firmware that cannot count */
        length = greatest - least + 1;
    bool is_sane = set_range(resource, kinds[body[0]], least, length);
    resource->is_window = !(body[1] & SPACE_CONSUMER);
    return is_sane;
}

static bool decode_large(uint8_t tag, const uint8_t *body, uint32_t size, struct acpi_resource *resource)
{
    switch (tag) {
    case LARGE_MEMORY_32: /* information, least and greatest base, alignment, length */
        return size >= 17 && set_range(resource, ACPI_RESOURCE_MEMORY, field(body, 1, 4), field(body, 13, 4));
    case LARGE_MEMORY_32_FIXED:
        return size >= 9 && set_range(resource, ACPI_RESOURCE_MEMORY, field(body, 1, 4), field(body, 5, 4));
    case LARGE_WORD:
        return decode_space(body, size, 3, sizeof(uint16_t), resource);
    case LARGE_DWORD:
        return decode_space(body, size, 3, sizeof(uint32_t), resource);
    case LARGE_QWORD:
        return decode_space(body, size, 3, sizeof(uint64_t), resource);
    case LARGE_EXTENDED: /* with a revision and a reserved byte */
        return decode_space(body, size, 5, sizeof(uint64_t), resource);
    case LARGE_INTERRUPT: /* flags, how many, the interrupts */
        if (size < 6 || body[1] == 0 || !set_range(resource, ACPI_RESOURCE_INTERRUPT, field(body, 2, 4), 1))
            return false;
        resource->is_level = !(body[0] & LARGE_IRQ_EDGE);
        resource->is_active_low = body[0] & LARGE_IRQ_ACTIVE_LOW;
        return true;
    default:
        return false;
    }
}

static bool decode_small(uint8_t tag, const uint8_t *body, uint32_t size, struct acpi_resource *resource)
{
    uint64_t mask;

    switch (tag) {
    case SMALL_IO: /* information, least and greatest base, alignment, length */
        return size >= 7 && set_range(resource, ACPI_RESOURCE_IO, field(body, 1, 2), body[6]);
    case SMALL_FIXED_IO:
        return size >= 3 && set_range(resource, ACPI_RESOURCE_IO, field(body, 0, 2) & IO_MASK_10_BITS, body[2]);
    case SMALL_IRQ: /* a mask, and flags unless they are ISA's */
        mask = size >= 2 ? field(body, 0, 2) : 0;
        if (mask == 0 || !set_range(resource, ACPI_RESOURCE_INTERRUPT, (uint64_t)__builtin_ctzll(mask), 1))
            return false;
        resource->is_level = size >= 3 && !(body[2] & SMALL_IRQ_EDGE);
        resource->is_active_low = size >= 3 && (body[2] & SMALL_IRQ_ACTIVE_LOW);
        return true;
    default:
        return false;
    }
}

bool acpi_resource_next(const uint8_t *bytes, uint32_t length_bytes, uint32_t *cursor, struct acpi_resource *resource)
{
    bool is_found = false;

    while (!is_found && *cursor < length_bytes) {
        uint8_t lead = bytes[*cursor];
        uint32_t left = length_bytes - *cursor, head = lead & LARGE ? 3 : 1, size = SMALL_SIZE(lead);

        if (left < head || (!(lead & LARGE) && SMALL_TAG(lead) == SMALL_END))
            break;
        if (lead & LARGE)
            size = (uint32_t)field(bytes + *cursor, 1, 2);
        if (size > left - head)
            break;
        const uint8_t *body = bytes + *cursor + head;
        struct acpi_resource read;
        is_found =
            lead & LARGE ? decode_large(lead, body, size, &read) : decode_small(SMALL_TAG(lead), body, size, &read);
        if (is_found)
            *resource = read;
        *cursor += head + size;
    }
    if (!is_found)
        *cursor = length_bytes;
    return is_found;
}
