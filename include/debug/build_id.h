/* Which build of the kernel this is. */
#pragma once

#include <base/types.h>

#define BUILD_ID_TEXT_MAX 65 /* of a 32-byte id, with the terminator; the linker makes 20 bytes */

/* Writes the linker's build id in hexadecimal to text, "none" where the image holds none. Context: any. */
void build_id_text(char text[BUILD_ID_TEXT_MAX]);
