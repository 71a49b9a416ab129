/* The parts of the kernel image and what may be done with each. */
#include "kernel_tables.h"

#include <boot/image.h>

const struct image_section image_sections[IMAGE_SECTIONS] = {
    {".text", __text_start, __text_end, MAP_EXECUTE, false},
    {".init.text", __init_text_start, __init_text_end, MAP_EXECUTE, true},
    {".rodata", __rodata_start, __rodata_end, MAP_READ, false},
    {".data.ro_after_init", __ro_after_init_start, __ro_after_init_end, MAP_WRITE, false},
    {".data", __data_start, __data_end, MAP_WRITE, false},
    {".init.data", __init_data_start, __init_data_end, MAP_WRITE, true},
    {".bss", __bss_start, __bss_end, MAP_WRITE, false},
    {".symbols", __symbols_start, __symbols_end, MAP_READ, false},
};
