#include <dev/scan_code.h>

#include <base/compiler.h>

#define PREFIX_EXTENDED 0xe0
#define PREFIX_RELEASE  0xf0 /* set 2 */
#define ERROR_LOW       0x00 /* key detection error, or the keyboard's buffer ran over */
#define ERROR_HIGH      0xff
#define SELF_TEST_DONE  0xaa /* set 2: a keyboard was plugged in. In set 1 the release of the left shift key */
#define RELEASE         0x80 /* set 1 */
#define KEY_LAST        0x5f /* make codes above are none of a PC's keyboard */
#define ALT_SYSRQ       0x54

/* Set 2 make codes to set 1, as the keyboard controller translates them. The same table serves codes behind E0. */
static const uint8_t set_2[] = {
    [0x01] = 0x43, [0x03] = 0x3f, [0x04] = 0x3d, [0x05] = 0x3b, [0x06] = 0x3c, [0x07] = 0x58, [0x09] = 0x44,
    [0x0a] = 0x42, [0x0b] = 0x40, [0x0c] = 0x3e, [0x0d] = 0x0f, [0x0e] = 0x29, [0x11] = 0x38, [0x12] = 0x2a,
    [0x14] = 0x1d, [0x15] = 0x10, [0x16] = 0x02, [0x1a] = 0x2c, [0x1b] = 0x1f, [0x1c] = 0x1e, [0x1d] = 0x11,
    [0x1e] = 0x03, [0x1f] = 0x5b, [0x21] = 0x2e, [0x22] = 0x2d, [0x23] = 0x20, [0x24] = 0x12, [0x25] = 0x05,
    [0x26] = 0x04, [0x27] = 0x5c, [0x29] = 0x39, [0x2a] = 0x2f, [0x2b] = 0x21, [0x2c] = 0x14, [0x2d] = 0x13,
    [0x2e] = 0x06, [0x2f] = 0x5d, [0x31] = 0x31, [0x32] = 0x30, [0x33] = 0x23, [0x34] = 0x22, [0x35] = 0x15,
    [0x36] = 0x07, [0x3a] = 0x32, [0x3b] = 0x24, [0x3c] = 0x16, [0x3d] = 0x08, [0x3e] = 0x09, [0x41] = 0x33,
    [0x42] = 0x25, [0x43] = 0x17, [0x44] = 0x18, [0x45] = 0x0b, [0x46] = 0x0a, [0x49] = 0x34, [0x4a] = 0x35,
    [0x4b] = 0x26, [0x4c] = 0x27, [0x4d] = 0x19, [0x4e] = 0x0c, [0x52] = 0x28, [0x54] = 0x1a, [0x55] = 0x0d,
    [0x58] = 0x3a, [0x59] = 0x36, [0x5a] = 0x1c, [0x5b] = 0x1b, [0x5d] = 0x2b, [0x61] = 0x56, [0x66] = 0x0e,
    [0x69] = 0x4f, [0x6b] = 0x4b, [0x6c] = 0x47, [0x70] = 0x52, [0x71] = 0x53, [0x72] = 0x50, [0x73] = 0x4c,
    [0x74] = 0x4d, [0x75] = 0x48, [0x76] = 0x01, [0x77] = 0x45, [0x78] = 0x57, [0x79] = 0x4e, [0x7a] = 0x51,
    [0x7b] = 0x4a, [0x7c] = 0x37, [0x7d] = 0x49, [0x7e] = 0x46, [0x83] = 0x41, [0x84] = 0x54,
};

void scan_decoder_init(struct scan_decoder *decoder, enum scan_set set)
{
    *decoder = (struct scan_decoder){.set = set};
}

/* A code that is whole. Ends its prefixes, whatever it was. */
static enum scan_result whole_code(struct scan_decoder *decoder, uint8_t code, bool is_release, uint8_t *key)
{
    bool is_extended = decoder->is_extended;

    scan_decoder_init(decoder, decoder->set);
    if (code == 0 || code > KEY_LAST)
        return SCAN_NOTHING;
    if (is_extended && (code == 0x2a || code == 0x36))
        return SCAN_NOTHING; /* shift keys nobody pressed, sent around others for programs of 1984 */
    *key = code == ALT_SYSRQ ? KEY_SYSRQ : (uint8_t)(code | (is_extended ? KEY_EXTENDED : 0));
    return is_release ? SCAN_RELEASE : SCAN_PRESS;
}

static enum scan_result decode_set_1(struct scan_decoder *decoder, uint8_t byte, uint8_t *key)
{
    return whole_code(decoder, byte & (uint8_t)~RELEASE, (byte & RELEASE) != 0, key);
}

static enum scan_result decode_set_2(struct scan_decoder *decoder, uint8_t byte, uint8_t *key)
{
    if (byte == PREFIX_RELEASE) {
        decoder->is_release = true;
        return SCAN_NOTHING;
    }
    if (byte == SELF_TEST_DONE) {
        scan_decoder_init(decoder, decoder->set);
        return SCAN_LOST;
    }
    return whole_code(decoder, byte < ARRAY_SIZE(set_2) ? set_2[byte] : 0, decoder->is_release, key);
}

/* True when the byte goes on with, or begins, the code of Pause, which comes at once and has no release. */
static bool is_in_pause(struct scan_decoder *decoder, uint8_t byte)
{
    static const uint8_t codes[][8] = {[SCAN_SET_1] = {0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5},
                                       [SCAN_SET_2] = {0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77}};
    const uint8_t *code = codes[decoder->set];
    uint8_t at = decoder->nr_of_pause;

    if (code[at] != byte) {
        decoder->nr_of_pause = 0;
        at = 0;
    }
    if (code[at] != byte)
        return false;
    scan_decoder_init(decoder, decoder->set);
    decoder->nr_of_pause = at + 1;
    return true;
}

static bool is_pause_whole(const struct scan_decoder *decoder)
{
    return decoder->nr_of_pause == (decoder->set == SCAN_SET_1 ? 6 : 8);
}

enum scan_result scan_decode(struct scan_decoder *decoder, uint8_t byte, uint8_t *key)
{
    if (byte == ERROR_LOW || byte == ERROR_HIGH) {
        scan_decoder_init(decoder, decoder->set);
        return SCAN_LOST;
    }
    if (is_in_pause(decoder, byte)) {
        if (!is_pause_whole(decoder))
            return SCAN_NOTHING;
        scan_decoder_init(decoder, decoder->set);
        *key = KEY_PAUSE;
        return SCAN_PRESS;
    }
    if (byte == PREFIX_EXTENDED) {
        scan_decoder_init(decoder, decoder->set);
        decoder->is_extended = true;
        return SCAN_NOTHING;
    }
    return decoder->set == SCAN_SET_1 ? decode_set_1(decoder, byte, key) : decode_set_2(decoder, byte, key);
}
