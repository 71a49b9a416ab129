; From the loader to C: both boot protocols enter here in 32-bit protected mode with paging off and meet in one trampoline.
;
; Nothing is assumed but what both protocols promise: flat segments, A20 on, interrupts off, ebx = the loader's information. The
; code runs wherever it was loaded: ebp holds the distance from the link address throughout, and every address is taken
; relative to it.

%include "offsets.inc"

extern kernel_entry
extern boot_fail
extern __image_end

MULTIBOOT2_BOOT_MAGIC   equ 0x36d76289      ; Multiboot2 3.3
PVH_START_MAGIC         equ 0x336ec578      ; Xen's start_info.h
PROTOCOL_MULTIBOOT2     equ 0               ; enum boot_protocol
PROTOCOL_PVH            equ 1

POST_PORT               equ 0x80
POST_ENTRY              equ 0x01            ; the first instructions ran
POST_LONG_MODE          equ 0x02            ; about to turn paging on
POST_BAD_MAGIC          equ 0xe1
POST_NO_CPUID           equ 0xe2
POST_NO_LONG_MODE       equ 0xe3

CR0_PE                  equ 1 << 0          ; SDM 3A 2.5
CR0_MP                  equ 1 << 1
CR0_ET                  equ 1 << 4
CR0_NE                  equ 1 << 5
CR0_WP                  equ 1 << 16
CR0_PG                  equ 1 << 31
CR4_PAE                 equ 1 << 5
EFLAGS_ID               equ 1 << 21
MSR_EFER                equ 0xc0000080
EFER_LME                equ 1 << 8
CPUID_LONG_MODE         equ 1 << 29         ; leaf 0x80000001, edx

PTE_TABLE               equ 0x003           ; present, writable
PTE_LARGE               equ 0x083           ; present, writable, 2 MiB
PHYSMAP_GIBIBYTES       equ 4

; As in cpu/gdt.h, so that the IDT's selectors outlive the change to the kernel's own table.
CODE64                  equ 0x08
DATA                    equ 0x10

section .boot.text progbits alloc exec nowrite align=16
bits 32

; GRUB: eax = magic, ebx = physical address of the Multiboot2 information.
global boot_entry_multiboot2
boot_entry_multiboot2:
    cli
    cld
    mov edi, PROTOCOL_MULTIBOOT2
    xor eax, MULTIBOOT2_BOOT_MAGIC          ; 0 when right
    jmp enter

; PVH: ebx = physical address of struct hvm_start_info. eax is no evidence: qboot leaves a Multiboot magic in it.
global boot_entry_pvh
boot_entry_pvh:
    cli
    cld
    mov edi, PROTOCOL_PVH
    mov eax, [ebx]
    xor eax, PVH_START_MAGIC

; edi = protocol, ebx = information, eax = 0 when the magic was right.
enter:
    ; Where are we? A call needs four bytes of stack; they are borrowed below 0x7c00, where every PC has RAM, and put back.
    mov esp, 0x7c00
    mov ecx, [esp - 4]
    call .here
.here:
    pop ebp
    mov [esp - 4], ecx
    sub ebp, .here
    lea esp, [ebp + boot_stack32_top]
    mov esi, eax
    mov al, POST_ENTRY
    out POST_PORT, al

    lea ecx, [ebp + message_magic]
    mov edx, POST_BAD_MAGIC
    test esi, esi
    jnz .fail

    ; CPUID exists where EFLAGS.ID can be changed (SDM 1, 20.1).
    pushfd
    pop eax
    mov ecx, eax
    xor eax, EFLAGS_ID
    push eax
    popfd
    pushfd
    pop eax
    push ecx
    popfd
    xor eax, ecx
    test eax, EFLAGS_ID
    lea ecx, [ebp + message_cpuid]
    mov edx, POST_NO_CPUID
    jz .fail

    mov esi, ebx                            ; CPUID overwrites ebx
    mov eax, 0x80000000
    cpuid
    cmp eax, 0x80000001
    jb .no_long_mode
    mov eax, 0x80000001
    cpuid
    test edx, CPUID_LONG_MODE
    jnz .long_mode
.no_long_mode:
    mov ebx, esi
    lea ecx, [ebp + message_long_mode]
    mov edx, POST_NO_LONG_MODE
.fail:
    jmp boot_fail                           ; ecx = message, edx = POST code; ebx, edi, ebp as here

.long_mode:
    rdtsc
    mov [ebp + boot_entry_tsc], eax
    mov [ebp + boot_entry_tsc + 4], edx

    ; Early page tables. The first 4 GiB, one to one and in the physmap: one third-level table serves both.
    lea eax, [ebp + table_low2 + PTE_TABLE]
%assign i 0
%rep PHYSMAP_GIBIBYTES
    mov [ebp + table_low3 + i * 8], eax
    add eax, 0x1000
%assign i i + 1
%endrep
    lea eax, [ebp + table_low2]
    mov ecx, PHYSMAP_GIBIBYTES * 512
    mov edx, PTE_LARGE
.fill_low:
    mov [eax], edx
    add eax, 8
    add edx, 0x200000
    loop .fill_low

    ; The image, at KERNEL_BASE plus where it is linked, as far as it reaches.
    lea eax, [ebp + table_image2 + (KERNEL_LINK_PHYSICAL_ADDRESS >> 21) * 8]
    lea edx, [ebp + KERNEL_LINK_PHYSICAL_ADDRESS + PTE_LARGE]
    mov ecx, __image_end - KERNEL_BASE_ADDRESS - KERNEL_LINK_PHYSICAL_ADDRESS + 0x1fffff
    shr ecx, 21
.fill_image:
    mov [eax], edx
    add eax, 8
    add edx, 0x200000
    loop .fill_image
    lea eax, [ebp + table_image2 + PTE_TABLE]
    mov [ebp + table_image3 + ((KERNEL_BASE_ADDRESS >> 30) & 511) * 8], eax

    lea eax, [ebp + table_low3 + PTE_TABLE]
    mov [ebp + table4], eax
    mov [ebp + table4 + ((PHYSMAP_BASE_ADDRESS >> 39) & 511) * 8], eax
    lea eax, [ebp + table_image3 + PTE_TABLE]
    mov [ebp + table4 + 511 * 8], eax

    mov al, POST_LONG_MODE
    out POST_PORT, al
    mov eax, CR4_PAE                        ; everything else a firmware may have left on goes off
    mov cr4, eax
    lea eax, [ebp + table4]
    mov cr3, eax
    mov ecx, MSR_EFER
    mov eax, EFER_LME
    xor edx, edx
    wrmsr
    mov eax, CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE
    mov cr0, eax

    lea eax, [ebp + gdt]
    mov [ebp + gdt_pointer + 2], eax
    lgdt [ebp + gdt_pointer]
    push dword CODE64
    lea eax, [ebp + .in_long_mode]
    push eax
    retf

bits 64
.in_long_mode:
    mov eax, DATA
    mov ds, eax
    mov es, eax
    mov ss, eax
    xor eax, eax
    mov fs, eax
    mov gs, eax
    mov rax, qword kernel_entry
    jmp rax

section .boot.data progbits alloc noexec write align=16
message_magic:      db "the loader's magic number is wrong: Keel boots by Multiboot2 (GRUB) or PVH (qemu -kernel)", 0
message_cpuid:      db "this CPU has no CPUID instruction: Keel needs a 64-bit x86 CPU", 0
message_long_mode:  db "this CPU has no long mode (it is 32-bit only): Keel needs a 64-bit x86 CPU", 0
align 8
global boot_entry_tsc
boot_entry_tsc:     dq 0
gdt:
    dq 0
    dq 0x00af9b000000ffff                   ; CODE64, ring 0
    dq 0x00cf93000000ffff                   ; DATA: flat
gdt_end:
gdt_pointer:
    dw gdt_end - gdt - 1
    dd 0

section .boot.bss nobits alloc noexec write align=4096
table4:         resb 4096
table_low3:     resb 4096
table_low2:     resb 4096 * PHYSMAP_GIBIBYTES
table_image3:   resb 4096
table_image2:   resb 4096
                resb 1024
boot_stack32_top:
