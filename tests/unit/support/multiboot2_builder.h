/* Builds Multiboot2 boot information tag by tag, right or wrong, and parses it. One at a time: begin_info, put_... in
 * any order, end_info, parse. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <boot/boot_info.h>
#include <hw/efi.h>
#include <hw/multiboot2.h>

#define INFO_MAX (4u << 20)

/* What has been built, for tests that change a byte of it, and what the last parse made of it. */
extern uint8_t info_bytes[INFO_MAX];
extern uint32_t info_size;
extern struct boot_info info;

void begin_info(void);

/* Adds a tag with this payload, padded. Returns where it begins. */
uint32_t put_tag(uint32_t type, const void *payload, size_t length);

/* A tag that is a string. */
void put_text(uint32_t type, const char *text);

void put_module(uint32_t start, uint32_t end, const char *text);

/* Entries are cut, or followed by zeroes, to be entry_size bytes long. Returns where the tag begins. */
uint32_t put_memory_map(const struct multiboot2_memory_entry *entries, unsigned count, uint32_t entry_size);

/* 639 KiB and 510 MiB from 1 MiB on. */
void put_plain_map(void);
extern const struct multiboot2_memory_entry plain_map[2];

/* descriptor_size is 40 or more; OVMF's descriptors are 48 bytes. */
void put_efi_map(const struct efi_memory_descriptor *entries, unsigned count, uint32_t descriptor_size);

void put_framebuffer(struct multiboot2_framebuffer wire, struct multiboot2_rgb rgb);

/* The first length bytes of an RSDP with right checksums: ACPI 1.0 for 20, 2.0 for 36. */
void put_rsdp(uint32_t type, size_t length);

/* The end tag, and the total size. */
void end_info(void);

/* Parses what has been built, or its first bytes: a copy of exactly those, at an odd address, so that the address
 * sanitizer sees one byte too many. Notes are collected (boot_notes.h). Returns what multiboot2_parse does. */
int parse(void);
int parse_cut(size_t available);
