; Where a CPU begins after its start-up interrupt (SDM 3A 9.4): 16 bits, CS its page, everything else as INIT left it. Copied to
; a page below 1 MiB and run there; its parameters (src/smp/trampoline.h) follow it in the same page. It takes the way 16 ->
; 32 -> 64 bits into the kernel's page tables, and touches no stack before the kernel's.
;
; A CPU finds its number by its APIC id, and takes the start that the boot CPU allows it by changing a byte. Who may not, or is
; not known, halts here for good, interrupts off; so does who cannot use the kernel's page tables, having said what it lacks.

%include "offsets.inc"

CR0_PE                  equ 1 << 0          ; SDM 3A 2.5
CR0_MP                  equ 1 << 1
CR0_ET                  equ 1 << 4
CR0_NE                  equ 1 << 5
CR0_WP                  equ 1 << 16
CR0_PG                  equ 1 << 31
CR4_PAE                 equ 1 << 5
MSR_EFER                equ 0xc0000080
EFER_LME                equ 1 << 8
EFER_NXE                equ 1 << 11
MSR_APIC_BASE           equ 0x1b            ; SDM 3A 11.4.4
APIC_BASE_X2APIC        equ 1 << 10
MSR_X2APIC_ID           equ 0x802
LAPIC_ID                equ 0x20
CPUID_EXTENDED          equ 0x80000000      ; SDM 2A, CPUID: in EAX the last leaf of these
CPUID_EXTENDED_FEATURES equ 0x80000001
DATA                    equ 0x10            ; in the parameters' GDT

%define AT(label) ((label) - ap_trampoline_start)
%define PARAMETER(member) (AT(ap_trampoline_end) + AP_PARAMETERS_ %+ member)

section .rodata.ap_trampoline progbits alloc noexec nowrite align=16
global ap_trampoline_start, ap_trampoline_protected, ap_trampoline_long, ap_trampoline_end

bits 16
ap_trampoline_start:
    cli
    cld
    mov ax, cs
    mov ds, ax
    xor ebx, ebx
    mov bx, ax
    shl ebx, 4                              ; the page's address, from here to the end
    o32 lgdt [PARAMETER(GDT_POINTER)]
    mov eax, CR0_PE | CR0_ET | CR0_NE       ; caching on: INIT leaves it off (SDM 3A table 9-1)
    mov cr0, eax
    jmp dword far [PARAMETER(PROTECTED_MODE)]

bits 32
align 4
ap_trampoline_protected:
    mov eax, DATA
    mov ds, eax
    mov es, eax
    mov ss, eax

    ; The id by which interrupts reach this CPU, as the firmware's table has it.
    mov ecx, MSR_APIC_BASE
    rdmsr
    test eax, APIC_BASE_X2APIC
    jnz .x2apic
    and eax, 0xfffff000
    mov eax, [eax + LAPIC_ID]
    shr eax, 24
    jmp .find
.x2apic:
    mov ecx, MSR_X2APIC_ID
    rdmsr

.find:
    xor ecx, ecx
.next:
    cmp ecx, [ebx + PARAMETER(NR_CPUS)]
    jae .halt
    cmp eax, [ebx + ecx * 4 + PARAMETER(APIC_IDS)]
    je .found
    inc ecx
    jmp .next
.found:
    mov edi, ecx                            ; the number

    ; Without NX, say, the first access in long mode would be a fault that nobody takes.
    mov esi, ebx                            ; CPUID changes it
    mov eax, CPUID_EXTENDED
    cpuid
    xor edx, edx
    cmp eax, CPUID_EXTENDED_FEATURES
    jb .compare
    mov eax, CPUID_EXTENDED_FEATURES
    cpuid
.compare:
    mov ebx, esi
    not edx
    and edx, [ebx + PARAMETER(FEATURES)]
    mov [ebx + edi * 4 + PARAMETER(LACKING)], edx
    mov eax, START_IS_CLAIMED
    mov ecx, START_IS_UNFIT
    test edx, edx
    cmovz ecx, eax
    mov eax, START_IS_ALLOWED
    lock cmpxchg [ebx + edi + PARAMETER(STATES)], cl
    jne .halt
    cmp ecx, START_IS_CLAIMED
    jne .halt

    mov eax, CR4_PAE
    mov cr4, eax
    mov eax, [ebx + PARAMETER(CR3)]
    mov cr3, eax
    mov ecx, MSR_EFER
    mov eax, EFER_LME | EFER_NXE            ; the kernel's page tables use NX
    xor edx, edx
    wrmsr
    mov eax, CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE
    mov cr0, eax
    jmp dword far [ebx + PARAMETER(LONG_MODE)]
.halt:
    cli
    hlt
    jmp .halt

bits 64
align 4
ap_trampoline_long:
    mov ebx, ebx                            ; the upper halves are undefined on the way in
    mov edi, edi
    jmp [rbx + PARAMETER(ENTRY)]

align 16
ap_trampoline_end:
