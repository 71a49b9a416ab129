/* A state machine over single bytes; nothing here knows how long a sequence took to arrive. */
#include "action.h"

#include <lib/string.h>
#include <lib/utf8.h>

#define ESCAPE            0x1b
#define DELETE            0x7f
#define CSI_BYTES_MAX     16u
#define CSI_PARAMETER_MAX 9999u
#define MODIFIER_ALT      3u /* xterm: 1 + (1 Shift, 2 Alt, 4 Ctrl) */
#define MODIFIER_CTRL     5u

#define CTRL(letter) ((letter) - 'A' + 1)

/* C0 control characters; the ones not named mean nothing. */
static const uint8_t control_actions[32] = {
    [CTRL('A')] = ACTION_HOME,
    [CTRL('B')] = ACTION_LEFT,
    [CTRL('C')] = ACTION_CANCEL,
    [CTRL('D')] = ACTION_ERASE_RIGHT,
    [CTRL('E')] = ACTION_END,
    [CTRL('F')] = ACTION_RIGHT,
    [CTRL('G')] = ACTION_ABORT,
    [CTRL('H')] = ACTION_ERASE_LEFT,
    [CTRL('I')] = ACTION_COMPLETE,
    [CTRL('J')] = ACTION_ENTER,
    [CTRL('K')] = ACTION_KILL_TO_END,
    [CTRL('L')] = ACTION_CLEAR_SCREEN,
    [CTRL('M')] = ACTION_ENTER,
    [CTRL('N')] = ACTION_NEWER,
    [CTRL('P')] = ACTION_OLDER,
    [CTRL('R')] = ACTION_SEARCH,
    [CTRL('T')] = ACTION_TRANSPOSE,
    [CTRL('U')] = ACTION_KILL_TO_START,
    [CTRL('W')] = ACTION_KILL_BLANK_LEFT,
    [CTRL('Y')] = ACTION_YANK,
};

static enum action control(struct decoder *decoder, unsigned char byte)
{
    bool is_second_half = byte == '\n' && decoder->is_after_cr;

    decoder->state = byte == ESCAPE ? DECODER_ESCAPE : DECODER_GROUND;
    decoder->is_after_cr = byte == '\r';
    return is_second_half ? ACTION_NONE : control_actions[byte];
}

static enum action insert_byte(struct decoder *decoder, unsigned char byte)
{
    decoder->state = DECODER_GROUND;
    decoder->text[0] = (char)byte;
    decoder->text_length = 1;
    return ACTION_INSERT;
}

static enum action ground(struct decoder *decoder, unsigned char byte)
{
    decoder->is_after_cr = false;
    if (byte == DELETE)
        return ACTION_ERASE_LEFT;
    if (byte < 0x80)
        return insert_byte(decoder, byte);
    decoder->text_wanted = utf8_sequence_length(byte);
    if (decoder->text_wanted == 0)
        return ACTION_NONE; /* no character begins with this byte */
    decoder->state = DECODER_UTF8;
    decoder->text[0] = (char)byte;
    decoder->text_length = 1;
    return ACTION_NONE;
}

static enum action utf8(struct decoder *decoder, unsigned char byte)
{
    uint32_t character;

    if ((byte & 0xc0) != 0x80) {
        decoder->state = DECODER_GROUND;
        return ground(decoder, byte); /* the character before was cut short: drop it, not this one */
    }
    decoder->text[decoder->text_length++] = (char)byte;
    if (decoder->text_length < decoder->text_wanted)
        return ACTION_NONE;
    decoder->state = DECODER_GROUND;
    if (utf8_decode(decoder->text, decoder->text_length, &character) != decoder->text_length || character < 0xa0)
        return ACTION_NONE; /* overlong, a surrogate, too large, or a C1 control character */
    return ACTION_INSERT;
}

static enum action escape(struct decoder *decoder, unsigned char byte)
{
    decoder->state = DECODER_GROUND;
    switch (byte) {
    case '[':
        decoder->state = DECODER_CSI;
        decoder->parameter = decoder->modifier = decoder->nr_parameters = decoder->sequence_bytes = 0;
        return ACTION_NONE;
    case 'O':
        decoder->state = DECODER_SS3;
        return ACTION_NONE;
    case 'b':
    case 'B':
        return ACTION_WORD_LEFT;
    case 'f':
    case 'F':
        return ACTION_WORD_RIGHT;
    case 'd':
    case 'D':
        return ACTION_KILL_WORD_RIGHT;
    case DELETE:
        return ACTION_KILL_WORD_LEFT;
    default:
        return ACTION_NONE;
    }
}

/* The final byte of ESC [ ... and ESC O ...: cursor and editing keys. */
static enum action final_letter(unsigned char byte, unsigned modifier)
{
    bool is_word = modifier == MODIFIER_CTRL || modifier == MODIFIER_ALT;

    switch (byte) {
    case 'A':
        return ACTION_OLDER;
    case 'B':
        return ACTION_NEWER;
    case 'C':
        return is_word ? ACTION_WORD_RIGHT : ACTION_RIGHT;
    case 'D':
        return is_word ? ACTION_WORD_LEFT : ACTION_LEFT;
    case 'H':
        return ACTION_HOME;
    case 'F':
        return ACTION_END;
    default:
        return ACTION_NONE;
    }
}

/* ESC [ number ~ */
static enum action final_tilde(unsigned number)
{
    switch (number) {
    case 1: /* Linux console */
    case 7: /* rxvt */
        return ACTION_HOME;
    case 3:
        return ACTION_ERASE_RIGHT;
    case 4:
    case 8:
        return ACTION_END;
    default:
        return ACTION_NONE;
    }
}

static enum action csi(struct decoder *decoder, unsigned char byte)
{
    if (byte == '[' && decoder->sequence_bytes == 0) {
        decoder->state = DECODER_LINUX_FUNCTION; /* ESC [ [ A is the Linux console's F1 */
        return ACTION_NONE;
    }
    if (byte >= 0x40 && byte <= 0x7e) {
        decoder->state = DECODER_GROUND;
        return byte == '~' ? final_tilde(decoder->parameter) : final_letter(byte, decoder->modifier);
    }
    if (byte >= 0x7f || ++decoder->sequence_bytes > CSI_BYTES_MAX) {
        decoder->state = DECODER_GROUND;
        return ACTION_NONE;
    }
    if (byte == ';') {
        decoder->nr_parameters++;
        decoder->modifier = 0;
    } else if (byte >= '0' && byte <= '9') {
        unsigned *number = decoder->nr_parameters == 0 ? &decoder->parameter : &decoder->modifier;

        if (*number <= CSI_PARAMETER_MAX)
            *number = *number * 10 + (byte - '0');
    }
    return ACTION_NONE;
}

enum action decoder_input(struct decoder *decoder, unsigned char byte)
{
    if (decoder->state == DECODER_ESCAPE && byte == CTRL('H')) {
        decoder->state = DECODER_GROUND;
        return ACTION_KILL_WORD_LEFT;
    }
    if (byte < 0x20)
        return control(decoder, byte);
    switch (decoder->state) {
    case DECODER_GROUND:
        return ground(decoder, byte);
    case DECODER_ESCAPE:
        return escape(decoder, byte);
    case DECODER_CSI:
        return csi(decoder, byte);
    case DECODER_SS3:
        decoder->state = DECODER_GROUND;
        return final_letter(byte, 0);
    case DECODER_LINUX_FUNCTION:
        decoder->state = DECODER_GROUND;
        return ACTION_NONE;
    case DECODER_UTF8:
        return utf8(decoder, byte);
    }
    return ACTION_NONE;
}
