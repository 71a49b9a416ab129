; The last words of a machine that cannot run Keel, from 32-bit code: on COM1, on QEMU's debug port, as a POST code, and on the
; screen, be it VGA text or the linear framebuffer that GRUB left us in.

%include "offsets.inc"

extern font_ascii                           ; 8x16 glyphs of the characters 32 to 126, one byte a row, bit 7 leftmost

POST_PORT               equ 0x80
POST_BAD_MAGIC          equ 0xe1
DEBUG_PORT              equ 0xe9
COM1                    equ 0x3f8
COM_LCR                 equ 3
COM_LSR                 equ 5
LCR_8N1                 equ 0x03
LCR_DLAB                equ 0x80
LSR_THR_EMPTY           equ 0x20
SERIAL_PATIENCE         equ 0x100000        ; polls; a port that never empties must not keep us
VGA_TEXT                equ 0xb8000
VGA_TEXT_CELLS          equ 80 * 25
VGA_ATTRIBUTE           equ 0x4f            ; white on red
PROTOCOL_MULTIBOOT2     equ 0
TAG_FRAMEBUFFER         equ 8               ; Multiboot2 3.6.12
FRAMEBUFFER_RGB         equ 1
GLYPH_FIRST             equ 32
GLYPH_LAST              equ 126
GLYPH_ROWS              equ 16
GLYPH_COLUMNS           equ 8

section .boot.text progbits alloc exec nowrite align=16
bits 32

; ecx = message (zero-terminated), edx = POST code, ebx = the loader's information, edi = protocol, ebp = load distance.
; Does not return.
global boot_fail
boot_fail:
    mov [ebp + message], ecx
    mov [ebp + post_code], edx
    mov al, dl
    out POST_PORT, al
    push edi
    push ebx

    ; 115200 8N1, in case the firmware did not set it.
    mov dx, COM1 + 1
    xor eax, eax
    out dx, al
    mov dx, COM1 + COM_LCR
    mov al, LCR_DLAB
    out dx, al
    mov dx, COM1
    mov al, 1
    out dx, al
    inc edx
    xor eax, eax
    out dx, al
    mov dx, COM1 + COM_LCR
    mov al, LCR_8N1
    out dx, al

    lea esi, [ebp + prefix]
    call serial_string
    mov esi, [ebp + message]
    call serial_string
    lea esi, [ebp + newline]
    call serial_string

    pop ebx
    pop edi
    cmp edi, PROTOCOL_MULTIBOOT2
    jne .text
    cmp dword [ebp + post_code], POST_BAD_MAGIC ; ebx points nowhere
    je .text
    call find_framebuffer
    jc .text
    call framebuffer_string
    jmp .stop
.text:
    call vga_string
.stop:
    cli
    hlt
    jmp .stop

; esi = string. Clobbers eax, ecx, edx, esi.
serial_string:
    lodsb
    test al, al
    jz .done
    mov ah, al
    out DEBUG_PORT, al
    mov ecx, SERIAL_PATIENCE
    mov dx, COM1 + COM_LSR
.wait:
    in al, dx
    test al, LSR_THR_EMPTY
    jnz .ready
    loop .wait
.ready:
    mov dx, COM1
    mov al, ah
    out dx, al
    jmp serial_string
.done:
    ret

; Clears the text screen and puts the message into its first lines.
vga_string:
    mov edi, VGA_TEXT
    mov ecx, VGA_TEXT_CELLS
    mov eax, VGA_ATTRIBUTE << 8 | ' '
    rep stosw
    mov edi, VGA_TEXT
    lea esi, [ebp + prefix]
    call .string
    mov esi, [ebp + message]
.string:
    lodsb
    test al, al
    jz .done
    mov ah, VGA_ATTRIBUTE
    cmp al, ' '
    jb .string
    stosw
    jmp .string
.done:
    ret

; ebx = Multiboot2 information. Finds the framebuffer tag; carry set where there is no RGB framebuffer below 4 GiB.
; Returns esi = tag. Clobbers eax, ecx, edx.
find_framebuffer:
    mov ecx, [ebx]                          ; total size
    cmp ecx, 16
    jb .none
    cmp ecx, 0x100000                       ; a lie: nothing behind it can be trusted
    ja .none
    add ecx, ebx
    lea esi, [ebx + 8]
.next:
    lea eax, [esi + 8]
    cmp eax, ecx
    ja .none
    mov edx, [esi + 4]
    cmp edx, 8
    jb .none
    cmp dword [esi], 0
    je .none
    cmp dword [esi], TAG_FRAMEBUFFER
    je .found
    add edx, 7
    and edx, ~7
    add esi, edx
    jc .none
    jmp .next
.found:
    lea eax, [esi + 32]
    cmp eax, ecx
    ja .none
    cmp byte [esi + 29], FRAMEBUFFER_RGB
    jne .none
    cmp dword [esi + 12], 0                 ; address, high half
    jne .none
    cmp byte [esi + 28], 16                 ; bits a pixel
    jb .none
    clc
    ret
.none:
    stc
    ret

; esi = framebuffer tag. Draws the message in white from the top left corner, wrapping at the right edge.
framebuffer_string:
    mov eax, [esi + 8]
    mov [ebp + fb_row], eax
    mov [ebp + fb_cursor], eax
    mov eax, [esi + 16]
    mov [ebp + fb_pitch], eax
    movzx eax, byte [esi + 28]
    add eax, 7
    shr eax, 3
    mov [ebp + fb_pixel], eax
    mov eax, [esi + 20]
    shr eax, 3                              ; columns of characters
    mov [ebp + fb_columns], eax
    mov [ebp + fb_left], eax
    lea esi, [ebp + prefix]
    call .string
    mov esi, [ebp + message]
.string:
    xor eax, eax
    lodsb
    test al, al
    jz .done
    cmp al, GLYPH_FIRST
    jb .string
    cmp al, GLYPH_LAST
    ja .string
    push esi
    sub eax, GLYPH_FIRST
    shl eax, 4                              ; GLYPH_ROWS bytes a glyph
    lea esi, [ebp + eax + font_ascii - KERNEL_BASE_ADDRESS]
    call framebuffer_glyph
    pop esi
    jmp .string
.done:
    ret

; esi = glyph. Draws it at fb_cursor and moves on.
framebuffer_glyph:
    mov edi, [ebp + fb_cursor]
    mov edx, GLYPH_ROWS
.row:
    lodsb
    mov ah, al
    push edi
    mov ebx, GLYPH_COLUMNS
.pixel:
    xor al, al
    shl ah, 1
    sbb al, al                              ; 0xff where the bit is set
    mov ecx, [ebp + fb_pixel]
.byte:
    stosb
    loop .byte
    dec ebx
    jnz .pixel
    pop edi
    add edi, [ebp + fb_pitch]
    dec edx
    jnz .row

    mov eax, [ebp + fb_pixel]
    shl eax, 3
    add [ebp + fb_cursor], eax
    dec dword [ebp + fb_left]
    jnz .same_line
    mov eax, [ebp + fb_pitch]
    shl eax, 4
    add eax, [ebp + fb_row]
    mov [ebp + fb_row], eax
    mov [ebp + fb_cursor], eax
    mov eax, [ebp + fb_columns]
    mov [ebp + fb_left], eax
.same_line:
    ret

section .boot.data progbits alloc noexec write align=16
prefix:         db 13, 10, "Keel cannot start: ", 0
newline:        db 13, 10, 0
align 4
message:        dd 0
post_code:      dd 0
fb_row:         dd 0
fb_cursor:      dd 0
fb_pitch:       dd 0
fb_pixel:       dd 0
fb_columns:     dd 0
fb_left:        dd 0
