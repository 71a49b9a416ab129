/* Opcode properties are kept as one letter each, 16 to a row as in SDM 2A tables:
 *   .  nothing follows        m  ModR/M           b  ModR/M and 8-bit immediate    v  ModR/M and 16/32-bit immediate
 *   1  8-bit immediate        2  16-bit           3  16-bit and 8-bit (enter)      4  16/32-bit immediate
 *   r  32-bit relative        8  16/32/64-bit     o  64-bit address                p  prefix or escape
 *   x  does not exist in 64-bit mode                                                                            */
#include <debug/instruction.h>

#include <base/assert.h>
#include <base/errno.h>
#include <lib/string.h>

static const char one_byte[] = "mmmm14xxmmmm14xp"  /* 00 */
                               "mmmm14xxmmmm14xx"  /* 10 */
                               "mmmm14pxmmmm14px"  /* 20 */
                               "mmmm14pxmmmm14px"  /* 30 */
                               "pppppppppppppppp"  /* 40 REX */
                               "................"  /* 50 */
                               "xxxmpppp4v1b...."  /* 60 */
                               "1111111111111111"  /* 70 */
                               "bvxbmmmmmmmmmmmm"  /* 80 */
                               "..........x....."  /* 90 */
                               "oooo....14......"  /* A0 */
                               "1111111188888888"  /* B0 */
                               "bb2.ppbv3.2..1x."  /* C0 */
                               "mmmmxxx.mmmmmmmm"  /* D0 */
                               "11111111rrx1...."  /* E0 */
                               "p.pp..mm......mm"; /* F0: F6 and F7 have an immediate where reg is 0 or 1 */

static const char two_byte[] = "mmmmx.....x.xmxx"  /* 0F 00 */
                               "mmmmmmmmmmmmmmmm"  /* 10 */
                               "mmmmxxxxmmmmmmmm"  /* 20 */
                               "......x.pxpxxxxx"  /* 30 */
                               "mmmmmmmmmmmmmmmm"  /* 40 */
                               "mmmmmmmmmmmmmmmm"  /* 50 */
                               "mmmmmmmmmmmmmmmm"  /* 60 */
                               "bbbbmmm.mmxxmmmm"  /* 70 */
                               "rrrrrrrrrrrrrrrr"  /* 80 */
                               "mmmmmmmmmmmmmmmm"  /* 90 */
                               "...mbmxx...mbmmm"  /* A0 */
                               "mmmmmmmmmmbmmmmm"  /* B0 */
                               "mmbmbbbm........"  /* C0 */
                               "mmmmmmmmmmmmmmmm"  /* D0 */
                               "mmmmmmmmmmmmmmmm"  /* E0 */
                               "mmmmmmmmmmmmmmmm"; /* F0 */

static_assert(sizeof(one_byte) == 257 && sizeof(two_byte) == 257, "one letter for each opcode");

#define REX_B 1u
#define REX_X 2u
#define REX_R 4u
#define REX_W 8u

struct decoder {
    const uint8_t *code;
    size_t available, position;
    bool has_operand_prefix, has_address_prefix, is_vex;
    enum instruction_segment segment;
    struct instruction *out;
};

static int next_byte(struct decoder *decoder, uint8_t *byte)
{
    if (decoder->position >= decoder->available || decoder->position >= INSTRUCTION_LENGTH_MAX)
        return -EINVAL;
    *byte = decoder->code[decoder->position++];
    return 0;
}

/* A little-endian signed number of 1, 2, 4 or 8 bytes. */
static int next_signed(struct decoder *decoder, unsigned bytes, int64_t *value)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < bytes; i++) {
        uint8_t byte;

        if (next_byte(decoder, &byte))
            return -EINVAL;
        bits |= (uint64_t)byte << (8 * i);
    }
    if (bytes > 0 && bytes < 8 && bits >> (8 * bytes - 1))
        bits |= ~(uint64_t)0 << (8 * bytes);
    *value = (int64_t)bits;
    return 0;
}

static struct memory_operand *add_operand(struct decoder *decoder, enum instruction_register base)
{
    struct memory_operand *operand = &decoder->out->operands[decoder->out->nr_operands++];

    *operand = (struct memory_operand){.base = base, .index = REGISTER_NONE, .scale = 1};
    return operand;
}

static int decode_prefixes(struct decoder *decoder, uint8_t *opcode)
{
    for (;;) {
        if (next_byte(decoder, opcode))
            return -EINVAL;
        switch (*opcode) {
        case 0x66:
            decoder->has_operand_prefix = true;
            break;
        case 0x67:
            decoder->has_address_prefix = true;
            break;
        case 0x64:
            decoder->segment = SEGMENT_FS;
            break;
        case 0x65:
            decoder->segment = SEGMENT_GS;
            break;
        case 0x26: /* ignored segment prefixes, lock and repeat */
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0xf0:
        case 0xf2:
        case 0xf3:
            break;
        default:
            if ((*opcode & 0xf0) != 0x40)
                return 0;
            /* REX counts only right before the opcode (SDM 2A 2.2.1). */
            decoder->out->rex = *opcode & 0x0f;
            if (next_byte(decoder, opcode))
                return -EINVAL;
            return (*opcode & 0xf0) == 0x40 ? -EINVAL : 0;
        }
    }
}

/* C4 and C5: SDM 2A 2.3.5. The opcode follows; map and REX bits come out of the prefix. */
static int decode_vex(struct decoder *decoder, uint8_t first, uint8_t *opcode)
{
    uint8_t byte;

    decoder->is_vex = true;
    if (next_byte(decoder, &byte))
        return -EINVAL;
    decoder->out->rex = byte & 0x80 ? 0 : REX_R;
    decoder->out->map = 1;
    if (first == 0xc4) {
        decoder->out->rex |= (byte & 0x40 ? 0 : REX_X) | (byte & 0x20 ? 0 : REX_B);
        decoder->out->map = byte & 0x1f;
        if (decoder->out->map < 1 || decoder->out->map > 3 || next_byte(decoder, &byte))
            return -EINVAL;
        decoder->out->rex |= byte & 0x80 ? REX_W : 0;
    }
    return next_byte(decoder, opcode);
}

/* Sets map and opcode; returns the opcode's property letter, or a negative error. */
static int decode_opcode(struct decoder *decoder, uint8_t opcode)
{
    if (opcode == 0x62)
        return -ENOTSUP;
    if (opcode == 0xc4 || opcode == 0xc5) {
        if (decode_vex(decoder, opcode, &opcode))
            return -EINVAL;
    } else if (opcode == 0x0f) {
        decoder->out->map = 1;
        if (next_byte(decoder, &opcode))
            return -EINVAL;
        if (opcode == 0x38 || opcode == 0x3a) {
            decoder->out->map = opcode == 0x38 ? 2 : 3;
            if (next_byte(decoder, &opcode))
                return -EINVAL;
        }
    }
    decoder->out->opcode = opcode;
    switch (decoder->out->map) {
    case 0:
        return one_byte[opcode];
    case 1:
        return decoder->is_vex && opcode == 0x77 ? '.' : two_byte[opcode];
    case 2:
        return 'm';
    default:
        return 'b';
    }
}

static int decode_sib(struct decoder *decoder, struct memory_operand *operand, unsigned mod,
                      unsigned *displacement_bytes)
{
    uint8_t sib;
    unsigned rex = decoder->out->rex, index;

    if (next_byte(decoder, &sib))
        return -EINVAL;
    index = (sib >> 3 & 7) | (rex & REX_X ? 8 : 0);
    operand->scale = (uint8_t)(1u << (sib >> 6));
    if (index != REGISTER_RSP)
        operand->index = (enum instruction_register)index;
    if ((sib & 7) == 5 && mod == 0) {
        operand->base = REGISTER_NONE;
        *displacement_bytes = 4;
    } else {
        operand->base = (enum instruction_register)((sib & 7) | (rex & REX_B ? 8 : 0));
    }
    return 0;
}

/* SDM 2A tables 2-2 and 2-3 with REX. */
static int decode_modrm(struct decoder *decoder)
{
    struct instruction *out = decoder->out;
    struct memory_operand *operand;
    unsigned mod, rm, displacement_bytes;

    if (next_byte(decoder, &out->modrm))
        return -EINVAL;
    out->has_modrm = true;
    mod = out->modrm >> 6;
    rm = out->modrm & 7;
    /* Control and debug register moves have registers only, whatever mod says (SDM 2B, MOV). */
    if (mod == 3 || (out->map == 1 && out->opcode >= 0x20 && out->opcode <= 0x23))
        return 0;
    operand = add_operand(decoder, (enum instruction_register)(rm | (out->rex & REX_B ? 8 : 0)));
    operand->segment = decoder->segment;
    displacement_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    if (rm == 4 && decode_sib(decoder, operand, mod, &displacement_bytes))
        return -EINVAL;
    if (rm == 5 && mod == 0) {
        operand->base = REGISTER_RIP;
        displacement_bytes = 4;
    }
    if (next_signed(decoder, displacement_bytes, &operand->displacement))
        return -EINVAL;
    /* lea and the nops of 0F 18 to 0F 1F only name an address. */
    if ((out->map == 0 && out->opcode == 0x8d) || (out->map == 1 && out->opcode >= 0x18 && out->opcode <= 0x1f))
        out->nr_operands = 0;
    return 0;
}

static int skip_immediate(struct decoder *decoder, char property)
{
    unsigned word = decoder->has_operand_prefix && !(decoder->out->rex & REX_W) ? 2 : 4, bytes = 0;
    unsigned reg = decoder->out->modrm >> 3 & 7;
    int64_t value = 0;

    switch (property) {
    case '1':
    case 'b':
        bytes = 1;
        break;
    case '2':
        bytes = 2;
        break;
    case '3':
        bytes = 3;
        break;
    case '4':
    case 'v':
        bytes = word;
        break;
    case 'r':
        bytes = 4; /* jumps and calls ignore the operand size prefix on Intel's processors */
        break;
    case '8':
        bytes = decoder->out->rex & REX_W ? 8 : word;
        break;
    case 'o':
        bytes = decoder->has_address_prefix ? 4 : 8;
        break;
    default:
        break;
    }
    if (decoder->out->map == 0 && (decoder->out->opcode & 0xfe) == 0xf6 && reg <= 1)
        bytes = decoder->out->opcode == 0xf6 ? 1 : word;
    if (next_signed(decoder, bytes == 3 ? 2 : bytes, &value))
        return -EINVAL;
    if (bytes == 3 && next_signed(decoder, 1, &value))
        return -EINVAL;
    if (property == 'o') {
        struct memory_operand *operand = add_operand(decoder, REGISTER_NONE);

        operand->displacement = value;
        operand->segment = decoder->segment;
    }
    return 0;
}

/* Memory that ModR/M does not show: strings through RSI and RDI, the stack through RSP. */
static void add_implied_operands(struct decoder *decoder)
{
    struct instruction *out = decoder->out;
    uint8_t op = out->opcode;
    unsigned reg = out->modrm >> 3 & 7;
    bool is_push = (op >= 0x50 && op <= 0x57) || op == 0x68 || op == 0x6a || op == 0x9c || op == 0xe8 ||
                   (op == 0xff && (reg == 2 || reg == 3 || reg == 6));
    bool is_pop = (op >= 0x58 && op <= 0x5f) || op == 0x8f || op == 0x9d || op == 0xc2 || op == 0xc3 || op == 0xca ||
                  op == 0xcb || op == 0xcf;

    if (out->map != 0)
        return;
    if (op == 0xa4 || op == 0xa5 || op == 0xa6 || op == 0xa7 || op == 0xac || op == 0xad || op == 0x6e || op == 0x6f)
        add_operand(decoder, REGISTER_RSI)->segment = decoder->segment;
    if ((op >= 0xa4 && op <= 0xa7) || op == 0xaa || op == 0xab || op == 0xae || op == 0xaf || op == 0x6c || op == 0x6d)
        add_operand(decoder, REGISTER_RDI);
    if (is_push)
        add_operand(decoder, REGISTER_RSP)->displacement = -8;
    if (is_pop)
        add_operand(decoder, REGISTER_RSP);
    if (op == 0xc9)
        add_operand(decoder, REGISTER_RBP);
}

static void set_operand_size(struct decoder *decoder)
{
    struct instruction *out = decoder->out;
    bool is_byte = out->map == 0 && !(out->opcode & 1) &&
                   (out->opcode < 0x40 || (out->opcode >= 0x80 && out->opcode <= 0x8b) || out->opcode >= 0xc0);

    out->operand_bytes = is_byte ? 1 : out->rex & REX_W ? 8 : decoder->has_operand_prefix ? 2 : 4;
}

int instruction_decode(const uint8_t *code, size_t available, struct instruction *instruction)
{
    struct decoder decoder = {.code = code, .available = available, .out = instruction};
    uint8_t opcode;
    int property;

    memset(instruction, 0, sizeof(*instruction));
    if (decode_prefixes(&decoder, &opcode))
        return -EINVAL;
    property = decode_opcode(&decoder, opcode);
    if (property < 0)
        return property;
    if (property == 'x' || property == 'p')
        return -EINVAL;
    if (strchr("mbv", property) && decode_modrm(&decoder))
        return -EINVAL;
    if (skip_immediate(&decoder, (char)property))
        return -EINVAL;
    add_implied_operands(&decoder);
    set_operand_size(&decoder);
    instruction->length = (uint8_t)decoder.position;
    return 0;
}

uint64_t instruction_register_value(const struct instruction *instruction, const struct trap_frame *frame,
                                    enum instruction_register which)
{
    const uint64_t values[] = {frame->rax,
                               frame->rcx,
                               frame->rdx,
                               frame->rbx,
                               frame->rsp,
                               frame->rbp,
                               frame->rsi,
                               frame->rdi,
                               frame->r8,
                               frame->r9,
                               frame->r10,
                               frame->r11,
                               frame->r12,
                               frame->r13,
                               frame->r14,
                               frame->r15,
                               frame->rip + instruction->length};

    return which < REGISTER_NONE ? values[which] : 0;
}

uint64_t instruction_operand_address(const struct instruction *instruction, const struct memory_operand *operand,
                                     const struct trap_frame *frame, uint64_t fs_base, uint64_t gs_base)
{
    uint64_t address = instruction_register_value(instruction, frame, operand->base) + (uint64_t)operand->displacement;

    address += instruction_register_value(instruction, frame, operand->index) * operand->scale;
    if (operand->segment == SEGMENT_FS)
        address += fs_base;
    if (operand->segment == SEGMENT_GS)
        address += gs_base;
    return address;
}

const char *instruction_register_name(enum instruction_register which)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8",
                                        "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rip", "none"};

    return names[which];
}

bool address_is_canonical(uint64_t address, bool has_la57)
{
    unsigned unused = has_la57 ? 7 : 16;

    return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}
