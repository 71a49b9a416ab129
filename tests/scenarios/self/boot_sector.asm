; A boot sector that behaves as told (-DBEHAVIOUR=n): the runner's own tests prove with it that every end of a machine is
; told apart. Real mode, loaded by SeaBIOS at 0x7c00, interrupts on.
bits 16
org 0x7c00

%define PASS 0
%define FAIL 1
%define HANG 2
%define RESET 3
%define TRIPLE_FAULT 4
%define POWER_OFF 5
%define HALT 6
%define ECHO 7

COM1 equ 0x3f8
DEBUG_EXIT equ 0xf4
ACPI_PM1A_CONTROL equ 0x604 ; QEMU's q35; sleep type 0 with the enable bit is S5

    cli
    xor ax, ax
    mov ds, ax
    mov si, text
print:
    lodsb
    test al, al
    jz behave
    call put
    jmp print

behave:
%if BEHAVIOUR == PASS
    mov eax, 0x10
    out DEBUG_EXIT, eax
%elif BEHAVIOUR == FAIL
    mov eax, 0x11
    out DEBUG_EXIT, eax
%elif BEHAVIOUR == RESET
    mov al, 0xfe        ; pulse the reset line through the keyboard controller
    out 0x64, al
%elif BEHAVIOUR == TRIPLE_FAULT
    lidt [no_idt]
    int3
%elif BEHAVIOUR == POWER_OFF
    mov dx, ACPI_PM1A_CONTROL
    mov ax, 0x2000
    out dx, ax
%elif BEHAVIOUR == HALT
    hlt
%elif BEHAVIOUR == ECHO
    mov dx, COM1 + 5
.wait:
    in al, dx
    test al, 1
    jz .wait
    mov dx, COM1
    in al, dx
    cmp al, 'q'
    je .quit
    call put
    jmp behave
.quit:
    mov eax, 0x10
    out DEBUG_EXIT, eax
%endif
hang:
    jmp hang

put:
    mov dx, COM1
    out dx, al
    ret

no_idt: dw 0
        dd 0
text: db 0x1b, "[32mself", 0x1b, "[0m test> ", 0

times 510 - ($ - $$) db 0
dw 0xaa55
