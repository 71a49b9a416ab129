# Targets that boot Keel in QEMU, and the one that checks everything. tools/qemu makes the command line.
#
#   run, run-uefi   keel.iso as a CD, under BIOS and under UEFI      run-usb  as a USB stick, under BIOS
#   check           builds, then runs the tests of this build
#
# The options hold for all of them: cmake --preset release -DKEEL_MEMORY=4G -DKEEL_DISPLAY=gtk.

set(KEEL_ACCEL "tcg" CACHE STRING "QEMU's accelerator: tcg, or kvm")
set(KEEL_MEMORY "512M" CACHE STRING "Memory of the machine")
set(KEEL_CPUS "4" CACHE STRING "CPUs of the machine")
set(KEEL_DISPLAY "none" CACHE STRING "none for text on the terminal, or gtk, sdl, curses, vnc=:0")
set(KEEL_CMDLINE "" CACHE STRING "The kernel's command line")
option(KEEL_DRY_RUN "Only print the QEMU command" OFF)
set_property(CACHE KEEL_ACCEL PROPERTY STRINGS tcg kvm)

# keel_qemu_command(VARIABLE argument...): tools/qemu with the options above and these arguments.
function(keel_qemu_command variable)
  string(REPLACE ";" "$<SEMICOLON>" command_line "${KEEL_CMDLINE}")
  set(command "${CMAKE_SOURCE_DIR}/tools/qemu" --build "${CMAKE_BINARY_DIR}" --accel "${KEEL_ACCEL}" --memory "${KEEL_MEMORY}"
      --cpus "${KEEL_CPUS}" --display "${KEEL_DISPLAY}" "--command-line=${command_line}")
  if(KEEL_DRY_RUN)
    list(APPEND command --dry-run)
  endif()
  set(${variable} ${command} ${ARGN} PARENT_SCOPE)
endfunction()

function(keel_run_target name)
  keel_qemu_command(command ${ARGN})
  add_custom_target("${name}" COMMAND ${command} USES_TERMINAL VERBATIM COMMENT "Ctrl-A X ends QEMU, Ctrl-A C is its monitor")
  add_dependencies("${name}" iso)
endfunction()

keel_run_target(run --firmware bios)
keel_run_target(run-uefi --firmware uefi)
keel_run_target(run-usb --firmware bios --medium usb)

cmake_host_system_information(RESULT processors QUERY NUMBER_OF_LOGICAL_CORES)
# Its tests are not to build again what it has just built: no fixture setup.
add_custom_target(check
  COMMAND "${CMAKE_CTEST_COMMAND}" --test-dir "${CMAKE_BINARY_DIR}" --output-on-failure -j "${processors}" -FS build
  USES_TERMINAL VERBATIM COMMENT "Testing")
add_dependencies(check keel.elf iso)
foreach(name IN ITEMS host_unit host_fuzz)
  if(TARGET "${name}")
    add_dependencies(check "${name}")
  endif()
endforeach()
