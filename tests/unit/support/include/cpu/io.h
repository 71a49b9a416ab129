/* Ports are instructions: this shadows include/cpu/io.h in unit tests. The test that uses it is the device. */
#pragma once

#include <base/types.h>

uint8_t in8(uint16_t port);
uint16_t in16(uint16_t port);
uint32_t in32(uint16_t port);
void out8(uint16_t port, uint8_t value);
void out16(uint16_t port, uint16_t value);
void out32(uint16_t port, uint32_t value);
