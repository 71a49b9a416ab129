unit_test(instruction SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_instruction.c
          KERNEL src/debug/instruction.c)
unit_test(fault_class SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_fault_class.c
          KERNEL src/debug/fault_class.c src/debug/instruction.c src/debug/exception_names.c)
unit_test(exception_names SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_exception_names.c
          KERNEL src/debug/exception_names.c)
unit_test(backtrace SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_backtrace.c
          KERNEL src/debug/backtrace.c src/debug/known_stacks.c src/debug/instruction.c)
unit_test(crc32 SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_crc32.c KERNEL src/lib/crc32.c)
unit_test(machine_check SOURCES ${CMAKE_CURRENT_LIST_DIR}/test_machine_check.c
          KERNEL src/trap/machine_check_decode.c)
