# How kernel code is compiled and linked, and kernel_module(), through which every folder adds its sources.
include(symbols)

set(KEEL_WARNINGS
  -Wall -Wextra -Werror -Wshadow -Wvla -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wframe-larger-than=1024)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND KEEL_WARNINGS -Wimplicit-fallthrough=5)
else()
  list(APPEND KEEL_WARNINGS -Wimplicit-fallthrough -Wno-gnu-folding-constant)
endif()

# No path of this machine gets into the kernel.
file(RELATIVE_PATH KEEL_RELATIVE_SOURCE "${CMAKE_BINARY_DIR}" "${CMAKE_SOURCE_DIR}")
string(REGEX REPLACE "/$" "" KEEL_RELATIVE_SOURCE "${KEEL_RELATIVE_SOURCE}")
set_property(GLOBAL PROPERTY RULE_LAUNCH_COMPILE
             "\"${CMAKE_SOURCE_DIR}/cmake/relative_source\" \"${CMAKE_SOURCE_DIR}\" \"${KEEL_RELATIVE_SOURCE}\"")

set(KEEL_C_FLAGS
  -std=gnu17 ${KEEL_WARNINGS} -g
  -ffreestanding -fno-pic -fno-pie -fno-common -fno-strict-aliasing -fno-asynchronous-unwind-tables
  -mcmodel=kernel -mno-red-zone -mgeneral-regs-only
  -fno-omit-frame-pointer -fno-optimize-sibling-calls
  -ffunction-sections -fdata-sections
  -fstack-protector-strong -mstack-protector-guard=tls -mstack-protector-guard-reg=gs
  -mstack-protector-guard-offset=4128 # PERCPU_CANARY_OFFSET, checked in cpu/percpu.h
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=" "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build"
  "-ffile-prefix-map=${KEEL_RELATIVE_SOURCE}/=")
# Backtraces want the frame set up at a function's start or not at all (src/debug/backtrace.c).
# Without vector registers nothing wants a stack that is aligned to 16; what does says so itself.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND KEEL_C_FLAGS -fno-shrink-wrap -mpreferred-stack-boundary=3)
else()
  list(APPEND KEEL_C_FLAGS -mstack-alignment=8)
  list(APPEND KEEL_C_FLAGS -mno-omit-leaf-frame-pointer "SHELL:-mllvm -enable-shrink-wrap=false")
  # gdb puts this before the names of source files: they are as seen from the root of the tree.
  list(APPEND KEEL_C_FLAGS -fdebug-compilation-dir=.)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(KEEL_DEBUG 1)
  list(APPEND KEEL_C_FLAGS -Og)
  set(CMAKE_C_FLAGS_DEBUG "")
else()
  set(KEEL_DEBUG 0)
  list(APPEND KEEL_C_FLAGS -O2)
  set(CMAKE_C_FLAGS_RELEASE "")
endif()
# What every build checks, and what the sanitize preset checks: include/debug/ubsan.h, docs/debugging.md.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  set(bounds bounds-strict)
else()
  set(bounds array-bounds)
endif()
if(KEEL_UBSAN)
  list(APPEND KEEL_C_FLAGS -fsanitize=undefined,${bounds})
else()
  list(APPEND KEEL_C_FLAGS -fsanitize=${bounds},shift,signed-integer-overflow -fno-sanitize-recover=all)
endif()
# Every access goes through a function of mm/kasan.c, and stack variables and globals get redzones: docs/sanitizers.md.
# Redzones make frames larger than the warning allows.
if(KEEL_KASAN)
  list(APPEND KEEL_C_FLAGS -DCONFIG_KASAN=1 -fsanitize=kernel-address -fasan-shadow-offset=0xdfffe00000000000
       --param=asan-stack=1 --param=asan-globals=1 --param=asan-instrumentation-with-call-threshold=0
       -Wno-frame-larger-than)
endif()

# without_kasan(file...): sources of this folder that read and write memory which nobody may access, or run before there is a
# shadow. GCC takes no -fno-sanitize=kernel-address beside a shadow offset.
function(without_kasan)
  if(KEEL_KASAN)
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS --param=asan-instrument-reads=0
                 --param=asan-instrument-writes=0 --param=asan-memintrin=0 --param=asan-stack=0 --param=asan-globals=0)
  endif()
endfunction()

# Every access is announced to src/debug/kcsan.c, atomics are carried out by it: docs/sanitizers.md. The warning is of fences,
# which the compiler's own detector does not understand; this one watches, and draws no conclusions from them.
if(KEEL_KCSAN)
  list(APPEND KEEL_C_FLAGS -DCONFIG_KCSAN=1 -fsanitize=thread --param=tsan-distinguish-volatile=1
       --param=tsan-instrument-func-entry-exit=0 -Wno-tsan)
endif()

add_library(kernel_flags INTERFACE)
target_compile_options(kernel_flags INTERFACE "$<$<COMPILE_LANGUAGE:C>:${KEEL_C_FLAGS}>")
target_compile_definitions(kernel_flags INTERFACE
  "$<$<COMPILE_LANGUAGE:C>:__KEEL__=1;CONFIG_DEBUG=${KEEL_DEBUG};CONFIG_UBSAN=$<BOOL:${KEEL_UBSAN}>>"
  "$<$<COMPILE_LANGUAGE:C>:CONFIG_LOCKDEP=$<BOOL:${KEEL_LOCKDEP}>;CONFIG_EXPLORE=$<BOOL:${KEEL_EXPLORE}>>")
target_include_directories(kernel_flags INTERFACE "${CMAKE_SOURCE_DIR}/include")

# Structure offsets and constants for assembly, taken from C: offsets.c -> offsets.s -> offsets.inc.
set(KEEL_OFFSETS_DIR "${CMAKE_BINARY_DIR}/generated/asm")
set(KEEL_OFFSETS_INC "${KEEL_OFFSETS_DIR}/offsets.inc")
add_library(kernel_offsets OBJECT "${CMAKE_SOURCE_DIR}/cmake/offsets.c")
target_link_libraries(kernel_offsets PRIVATE kernel_flags)
target_compile_options(kernel_offsets PRIVATE -S -g0)
add_custom_command(
  OUTPUT "${KEEL_OFFSETS_INC}"
  COMMAND "${CMAKE_COMMAND}" "-DASSEMBLY=$<TARGET_OBJECTS:kernel_offsets>" "-DOUTPUT=${KEEL_OFFSETS_INC}"
          -P "${CMAKE_SOURCE_DIR}/cmake/offsets.cmake"
  DEPENDS kernel_offsets "$<TARGET_OBJECTS:kernel_offsets>" "${CMAKE_SOURCE_DIR}/cmake/offsets.cmake"
  COMMENT "Generating assembly offsets" VERBATIM)
add_custom_target(kernel_offsets_inc DEPENDS "${KEEL_OFFSETS_INC}")

# kernel_module(NAME SOURCES file...): adds a folder's C and NASM sources to the kernel.
function(kernel_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "kernel_module(${name} SOURCES file...)")
  endif()
  add_library("kernel_${name}" OBJECT ${arg_SOURCES})
  target_link_libraries("kernel_${name}" PRIVATE kernel_flags)
  target_include_directories("kernel_${name}" PRIVATE "$<$<COMPILE_LANGUAGE:ASM_NASM>:${KEEL_OFFSETS_DIR}/>")
  foreach(source IN LISTS arg_SOURCES)
    if(source MATCHES "\\.asm$")
      # NASM 2.16.01 leaves %include'd files out of its dependency files: name them here.
      set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${KEEL_OFFSETS_INC}")
      set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS "-g;-F;dwarf;-Werror")
      add_dependencies("kernel_${name}" kernel_offsets_inc)
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY KEEL_MODULES "kernel_${name}")
endfunction()

# Links keel.elf out of every module, with the symbol table of a first link.
function(kernel_link)
  get_property(modules GLOBAL PROPERTY KEEL_MODULES)
  set(script "${CMAKE_BINARY_DIR}/generated/kernel.ld")
  add_custom_command(
    OUTPUT "${script}"
    COMMAND "${CMAKE_C_COMPILER}" "$<$<BOOL:${CMAKE_C_COMPILER_TARGET}>:--target=${CMAKE_C_COMPILER_TARGET}>" -E -P -x c
            "-I${CMAKE_SOURCE_DIR}/include" "${CMAKE_SOURCE_DIR}/boot/kernel.ld.in" -o "${script}"
    DEPENDS "${CMAKE_SOURCE_DIR}/boot/kernel.ld.in" "${CMAKE_SOURCE_DIR}/include/base/layout.h"
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(kernel_script DEPENDS "${script}")
  kernel_executable(keel-without-symbols.elf "${script}" ${modules})
  kernel_executable(keel.elf "${script}" ${modules})
  kernel_symbols(keel-without-symbols.elf keel.elf)
endfunction()

function(kernel_executable name script)
  add_executable("${name}")
  foreach(module IN LISTS ARGN)
    target_sources("${name}" PRIVATE "$<TARGET_OBJECTS:${module}>")
  endforeach()
  add_dependencies("${name}" kernel_script)
  set_target_properties("${name}" PROPERTIES LINK_DEPENDS "${script}" LINKER_LANGUAGE C
                        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
  if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    target_link_options("${name}" PRIVATE -fuse-ld=lld)
  else()
    target_link_options("${name}" PRIVATE -Wl,--no-warn-rwx-segments)
  endif()
  target_link_options("${name}" PRIVATE
    -nostdlib -static $<$<C_COMPILER_ID:GNU>:-no-pie> -Wl,-z,noexecstack
    -Wl,-z,max-page-size=0x1000 -Wl,--gc-sections "-Wl,-T,${script}")
endfunction()
