# Targets for gdb; docs/debugging.md shows a session.
#
#   gdb            QEMU and gdb, stopped at kernel_main, or where KEEL_GDB_BREAK says
#   debug          QEMU alone, waiting for gdb on a port
#   run-qemu-gdb   QEMU itself under gdb, running the kernel: for bugs that may be QEMU's

set(KEEL_GDB_BREAK "kernel_main" CACHE STRING "Where the target gdb stops first")
set(KEEL_GDB_PORT "1234" CACHE STRING "The port on which the target debug waits")

# gdb looks for this file beside keel.elf; `-iex "add-auto-load-safe-path build/debug"` allows it.
file(WRITE "${CMAKE_BINARY_DIR}/keel.elf-gdb.py" "\
# Generated: gdb loads this with keel.elf.
import sys
import gdb
gdb.execute('directory ${CMAKE_SOURCE_DIR}')
sys.dont_write_bytecode = True
sys.path.insert(0, '${CMAKE_SOURCE_DIR}/tools/gdb')
import keel
")

set(options)
if(KEEL_ACCEL MATCHES "kvm")
  list(APPEND options --hardware)
endif()
if(KEEL_DRY_RUN)
  list(APPEND options --dry-run)
endif()
add_custom_target(gdb
  COMMAND "${CMAKE_SOURCE_DIR}/tools/gdb/start" --build "${CMAKE_BINARY_DIR}" --break "${KEEL_GDB_BREAK}" ${options} --
          --accel "${KEEL_ACCEL}" --memory "${KEEL_MEMORY}" --cpus "${KEEL_CPUS}" --display "${KEEL_DISPLAY}"
          "--command-line=${KEEL_CMDLINE}"
  USES_TERMINAL VERBATIM COMMENT "gdb on a kernel that stops at ${KEEL_GDB_BREAK}")
add_dependencies(gdb keel.elf)

keel_qemu_command(command --gdb "tcp:localhost:${KEEL_GDB_PORT}")
add_custom_target(debug
  COMMAND "${CMAKE_COMMAND}" -E echo "Attach from another terminal:"
  COMMAND "${CMAKE_COMMAND}" -E echo "    gdb -iex 'add-auto-load-safe-path ${CMAKE_BINARY_DIR}' ${CMAKE_BINARY_DIR}/keel.elf \
-ex 'target remote localhost:${KEEL_GDB_PORT}' -ex 'break ${KEEL_GDB_BREAK}' -ex continue"
  COMMAND ${command}
  USES_TERMINAL VERBATIM COMMENT "QEMU waits for gdb on port ${KEEL_GDB_PORT}")
add_dependencies(debug keel.elf)

keel_qemu_command(command --under "gdb -q -x ${CMAKE_SOURCE_DIR}/tools/gdb/qemu.gdb --args")
add_custom_target(run-qemu-gdb COMMAND ${command} USES_TERMINAL VERBATIM COMMENT "QEMU under gdb: `run` starts the kernel")
add_dependencies(run-qemu-gdb keel.elf)

# gdb_test(NAME [ARGS option of tools/qemu...]): tests/gdb/NAME.py, run inside gdb from the reset vector on.
function(gdb_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "ARGS")
  add_test(NAME "gdb/${name}" COMMAND "${CMAKE_SOURCE_DIR}/tools/gdb/start" --build "${CMAKE_BINARY_DIR}"
           --serial "${CMAKE_BINARY_DIR}/gdb-${name}.log" --script "${CMAKE_SOURCE_DIR}/tests/gdb/${name}.py" -- ${arg_ARGS})
  set_tests_properties("gdb/${name}" PROPERTIES LABELS gdb TIMEOUT 60)
endfunction()

gdb_test(break_before_paging)
gdb_test(must_fail)
set_tests_properties(gdb/must_fail PROPERTIES WILL_FAIL TRUE)
if(CMAKE_BUILD_TYPE STREQUAL "Debug") # these stop at functions that optimisation inlines
  gdb_test(log ARGS "--command-line=keel.run=\"boot; exit\"")
  gdb_test(pagewalk)
  gdb_test(memory ARGS "--command-line=keel.run=\"boot; memory; exit\"")
  gdb_test(cpu)
  gdb_test(interrupt)
  gdb_test(boot_stage ARGS --command-line=keel.panic=exit)
  gdb_test(slabs ARGS "--command-line=keel.run=\"slabs; exit\"")
  gdb_test(threads ARGS --cpus=2 "--command-line=keel.hung-thread-ms=0 keel.run=\"fault hung_thread; exit\"" -- -icount shift=0,sleep=off)
endif()

foreach(name IN ITEMS qemu_under_gdb debug_target)
  add_test(NAME "gdb/${name}" COMMAND "${CMAKE_SOURCE_DIR}/tests/gdb/${name}.py" "${CMAKE_SOURCE_DIR}/tools"
           "${CMAKE_BINARY_DIR}")
  set_tests_properties("gdb/${name}" PROPERTIES LABELS gdb TIMEOUT 60)
endforeach()
