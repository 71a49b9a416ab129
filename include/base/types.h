/* The scalar types every file uses. Freestanding C headers only, so the same file compiles for the host. */
#pragma once

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
