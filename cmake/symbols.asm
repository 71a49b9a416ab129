; The symbol table made by tools/symbols, as the image's last section. No code, so no debug information.
section .symbols progbits alloc noexec nowrite align=8
incbin "symbols.bin"
