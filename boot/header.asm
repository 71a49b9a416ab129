; What a loader reads: the Multiboot2 header (Multiboot2 specification 2.0, 3.1) and the PVH note (Xen's elfnote.h).

extern boot_entry_pvh

MULTIBOOT2_MAGIC            equ 0xe85250d6
MULTIBOOT2_ARCHITECTURE     equ 0           ; i386 protected mode: the one door GRUB has on BIOS and on UEFI alike
TAG_END                     equ 0
TAG_INFORMATION_REQUEST     equ 1
TAG_FRAMEBUFFER             equ 5
TAG_MODULE_ALIGN            equ 6
TAG_RELOCATABLE             equ 10
TAG_OPTIONAL                equ 1
PLACE_LOWEST                equ 1
LOAD_MINIMUM                equ 0x200000
LOAD_MAXIMUM                equ 0x7fffffff
LOAD_ALIGNMENT              equ 0x200000    ; the kernel half is mapped with 2 MiB pages until mm has its own tables

section .multiboot2 progbits alloc noexec nowrite align=8
header:
    dd MULTIBOOT2_MAGIC, MULTIBOOT2_ARCHITECTURE, header_end - header
    dd 0x100000000 - (MULTIBOOT2_MAGIC + MULTIBOOT2_ARCHITECTURE + (header_end - header))

align 8
    ; Optional, all of it: what is missing is found missing by the parser.
.request:
    dw TAG_INFORMATION_REQUEST, TAG_OPTIONAL
    dd .request_end - .request
    dd 1, 2, 3, 6, 8                        ; command line, loader name, modules, memory map, framebuffer
    dd 12, 14, 15, 17, 21                   ; EFI system table, RSDP old and new, EFI map, load base
.request_end:
align 8
    dw TAG_FRAMEBUFFER, TAG_OPTIONAL
    dd 20, 0, 0, 32                         ; any size, 32 bits a pixel where there is a choice
align 8
    dw TAG_MODULE_ALIGN, TAG_OPTIONAL
    dd 8
align 8
    ; GRUB does not check a fixed load address against the firmware's map; asked to choose, it takes free memory.
    dw TAG_RELOCATABLE, 0
    dd 24, LOAD_MINIMUM, LOAD_MAXIMUM, LOAD_ALIGNMENT, PLACE_LOWEST
align 8
    dw TAG_END, 0
    dd 8
header_end:

XEN_ELFNOTE_PHYS32_ENTRY    equ 18

section .note.pvh note alloc noexec nowrite align=4
    dd 4, 8, XEN_ELFNOTE_PHYS32_ENTRY
    db "Xen", 0
    dq boot_entry_pvh
