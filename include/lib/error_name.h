/* Error numbers as people read them. Context: any. */
#pragma once

/* "ENOMEM" for ENOMEM or -ENOMEM; "E?" where the number is not one of base/errno.h. */
const char *error_name(int error);

/* "out of memory"; "unknown error" where the number is not one of base/errno.h. */
const char *error_text(int error);
