#include <drivers/font.h>

#include <base/compiler.h>

/* The run that holds the character, or NULL. */
static const struct font_run *find_run(uint32_t character)
{
    unsigned low = 0, high = font_nr_runs;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        const struct font_run *run = &font_runs[middle];

        if (character < run->first)
            high = middle;
        else if (character > run->last)
            low = middle + 1;
        else
            return run;
    }
    return NULL;
}

const uint8_t *font_glyph(uint32_t character)
{
    const struct font_run *run;

    if (LIKELY(character - FONT_ASCII_FIRST < FONT_ASCII_COUNT))
        return font_ascii[character - FONT_ASCII_FIRST];
    run = find_run(character);
    if (!run) {
        run = find_run(FONT_REPLACEMENT); /* the generator saw to it that it is there */
        character = FONT_REPLACEMENT;
    }
    return font_others[run->position + (character - run->first)];
}
