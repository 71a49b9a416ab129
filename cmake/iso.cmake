# keel.iso: one image for BIOS and UEFI, CD, USB stick and disk, bit-identical whenever its inputs are.

# Without one of these grub-mkrescue succeeds and leaves that firmware out without a word.
foreach(platform IN ITEMS i386-pc x86_64-efi)
  if(NOT IS_DIRECTORY "/usr/lib/grub/${platform}")
    message(FATAL_ERROR "GRUB for ${platform} is not installed (packages grub-pc-bin and grub-efi-amd64-bin); "
                        "tools/packages lists all that is needed")
  endif()
endforeach()
foreach(program IN ITEMS grub-mkrescue grub-file xorriso mformat)
  string(TOUPPER "KEEL_${program}" variable)
  string(MAKE_C_IDENTIFIER "${variable}" variable)
  find_program(${variable} "${program}" REQUIRED)
endforeach()

set(KEEL_ISO "${CMAKE_BINARY_DIR}/keel.iso")
add_custom_command(
  OUTPUT "${KEEL_ISO}"
  COMMAND "${CMAKE_COMMAND}" "-DKERNEL=$<TARGET_FILE:keel.elf>" "-DCONFIG=${CMAKE_SOURCE_DIR}/iso/grub.cfg"
          "-DOUTPUT=${KEEL_ISO}" "-DWORK=${CMAKE_BINARY_DIR}/iso" "-DOBJCOPY=${CMAKE_OBJCOPY}"
          "-DGRUB_MKRESCUE=${KEEL_GRUB_MKRESCUE}" "-DGRUB_FILE=${KEEL_GRUB_FILE}" "-DMFORMAT=${KEEL_MFORMAT}"
          -P "${CMAKE_SOURCE_DIR}/cmake/make_iso.cmake"
  DEPENDS keel.elf "${CMAKE_SOURCE_DIR}/iso/grub.cfg" "${CMAKE_SOURCE_DIR}/cmake/make_iso.cmake"
  COMMENT "Making keel.iso" VERBATIM)
add_custom_target(iso ALL DEPENDS "${KEEL_ISO}")

# The same bytes serve as a stick: this says how to write one, since only the user can know which disk is meant.
add_custom_target(usb-image
  COMMAND "${CMAKE_COMMAND}" -E copy "${KEEL_ISO}" "${CMAKE_BINARY_DIR}/keel.img"
  COMMAND "${CMAKE_COMMAND}" -E echo "keel.img is ready. As root, with the stick's own name for sdX (see lsblk):"
  COMMAND "${CMAKE_COMMAND}" -E echo "    dd if=${CMAKE_BINARY_DIR}/keel.img of=/dev/sdX bs=4M conv=fsync"
  DEPENDS "${KEEL_ISO}" VERBATIM)
add_dependencies(usb-image iso)
