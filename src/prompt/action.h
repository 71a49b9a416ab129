/* What the user wants, out of the bytes a terminal sends: control characters (as GNU readline and emacs have them),
 * escape sequences of VT100, xterm, Linux console and rxvt keys (ECMA-48 5.4), and UTF-8 text. Context: any. */
#pragma once

#include <base/types.h>

enum action {
    ACTION_NONE,   /* nothing yet, or nothing known */
    ACTION_INSERT, /* the character in decoder.text */
    ACTION_ENTER,
    ACTION_COMPLETE,
    ACTION_CANCEL, /* Ctrl-C: drop the line */
    ACTION_ABORT,  /* Ctrl-G: leave the search */
    ACTION_CLEAR_SCREEN,
    ACTION_LEFT,
    ACTION_RIGHT,
    ACTION_HOME,
    ACTION_END,
    ACTION_WORD_LEFT,
    ACTION_WORD_RIGHT,
    ACTION_ERASE_LEFT,
    ACTION_ERASE_RIGHT,
    ACTION_KILL_TO_END,
    ACTION_KILL_TO_START,
    ACTION_KILL_WORD_LEFT, /* Alt-Backspace: letters and digits */
    ACTION_KILL_WORD_RIGHT,
    ACTION_KILL_BLANK_LEFT, /* Ctrl-W: back to a blank */
    ACTION_YANK,
    ACTION_TRANSPOSE,
    ACTION_OLDER,
    ACTION_NEWER,
    ACTION_SEARCH,
};

enum decoder_state { DECODER_GROUND, DECODER_ESCAPE, DECODER_CSI, DECODER_SS3, DECODER_LINUX_FUNCTION, DECODER_UTF8 };

/* All zero is a decoder that has read nothing. */
struct decoder {
    enum decoder_state state;
    bool is_after_cr;        /* a line feed right after a carriage return is part of it */
    unsigned parameter;      /* DECODER_CSI: the first number */
    unsigned modifier;       /* DECODER_CSI: the last number, 5 is Ctrl, 3 is Alt */
    unsigned nr_parameters;  /* DECODER_CSI: separators seen */
    unsigned sequence_bytes; /* DECODER_CSI: bytes so far; a longer one is given up */
    char text[4];            /* ACTION_INSERT, and DECODER_UTF8 while it is not complete */
    unsigned text_length;
    unsigned text_wanted;
};

/* Takes the next byte. Never waits and keeps no more than a decoder's worth of state: a sequence that is cut short, too
 * long or unknown ends in ACTION_NONE, and a control character inside a sequence ends it and counts by itself. */
enum action decoder_input(struct decoder *decoder, unsigned char byte);
