# font_generate(OUTPUT): the rule that makes the console's font table from the one package that carries it, grub-common.
find_program(PYTHON3 NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH) # the distribution's, else any
find_program(PYTHON3 NAMES python3 REQUIRED)
find_file(KEEL_FONT unicode.pf2 PATHS /usr/share/grub /usr/share/grub2 NO_DEFAULT_PATH REQUIRED
          DOC "GNU Unifont in GRUB's format (package grub-common)")

function(font_generate output)
  set(tool "${CMAKE_SOURCE_DIR}/tools/font/pf2_to_c.py")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${PYTHON3}" -B "${tool}" "${KEEL_FONT}" "${output}"
    DEPENDS "${tool}" "${KEEL_FONT}"
    COMMENT "Generating the console font" VERBATIM)
endfunction()
