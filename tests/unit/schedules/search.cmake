# What the searches of schedules share. What is searched is compiled with the thread sanitizer's hooks and without its library.
#
# A search says in variables with its name what it is about: <search>_folder, where the code is; <search>_sources, all of it;
# <search>_includes and <search>_definitions, how it is compiled. Two object libraries are the program around it:
# <search>_machine, and <search>_sides, which is searched too.
include_guard()
set(schedule_flags -std=gnu17 -g -O2 -Wall -Wextra -Werror -Wshadow -Wno-unused-parameter -fno-common
    $<$<C_COMPILER_ID:Clang>:-Wno-gnu-folding-constant>)
set(schedule_hooks -fsanitize=thread $<$<C_COMPILER_ID:GNU>:-Wno-tsan>)

function(schedule_objects search name)
  add_library("${name}" OBJECT ${ARGN})
  target_compile_options("${name}" PRIVATE ${schedule_flags})
  target_compile_definitions("${name}" PRIVATE CONFIG_DEBUG=1 CONFIG_UBSAN=0 CONFIG_LOCKDEP=0 ${${search}_definitions})
  target_include_directories("${name}" BEFORE PRIVATE ${${search}_includes})
endfunction()

function(schedule_searched_objects search name)
  schedule_objects("${search}" "${name}" ${ARGN})
  target_compile_options("${name}" PRIVATE ${schedule_hooks})
endfunction()

# schedule_executable(SEARCH NAME source...): a source is compiled once, however many search it.
function(schedule_executable search name)
  set(objects $<TARGET_OBJECTS:${search}_machine> $<TARGET_OBJECTS:${search}_sides>)
  foreach(source IN LISTS ARGN)
    file(RELATIVE_PATH code "${CMAKE_SOURCE_DIR}" "${source}")
    string(MAKE_C_IDENTIFIER "${search}_${code}" code)
    if(NOT TARGET "${code}")
      schedule_searched_objects("${search}" "${code}" "${source}")
    endif()
    list(APPEND objects $<TARGET_OBJECTS:${code}>)
  endforeach()
  add_executable("${name}" ${objects})
  set_target_properties("${name}" PROPERTIES LINKER_LANGUAGE C)
endfunction()

# schedule_test(SEARCH test): the search, in which no schedule may fail.
function(schedule_test search test)
  schedule_executable("${search}" "${search}" ${${search}_sources})
  add_test(NAME "${test}" COMMAND "${search}")
  set_tests_properties("${test}" PROPERTIES LABELS unit TIMEOUT 180 FIXTURES_REQUIRED "${KEEL_BUILD_FIXTURE}")
endfunction()

# schedule_plant(SEARCH BUG SOURCE name FROM code TO code EXPECT regex [ONLY text]): FROM is in the source exactly once. What
# has ONLY in its name is searched, and has to fail as EXPECT says.
function(schedule_plant search bug)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "SOURCE;FROM;TO;EXPECT;ONLY" "")
  set(source "${${search}_folder}/${arg_SOURCE}.c")
  set(planted "${CMAKE_CURRENT_BINARY_DIR}/planted_${search}/${bug}/${arg_SOURCE}.c")
  set(plant "${CMAKE_SOURCE_DIR}/tests/fuzz/plant.cmake")
  add_custom_command(OUTPUT "${planted}"
    COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${source}" "-DOUTPUT=${planted}" "-DFROM=${arg_FROM}" "-DTO=${arg_TO}"
            -P "${plant}"
    DEPENDS "${source}" "${plant}" "${CMAKE_CURRENT_LIST_FILE}" VERBATIM)
  set(sources ${${search}_sources})
  list(REMOVE_ITEM sources "${source}")
  schedule_executable("${search}" "planted_${search}_${bug}" ${sources} "${planted}")
  set_source_files_properties("${planted}" PROPERTIES COMPILE_OPTIONS -Wno-error)
  add_test(NAME "unit/${search}/planted/${bug}" COMMAND "${CMAKE_COMMAND}"
    "-DPROGRAM=$<TARGET_FILE:planted_${search}_${bug}>" "-DARGUMENTS=${arg_ONLY}" "-DEXPECT=${arg_EXPECT}"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/schedules/expect_failure.cmake")
  set_tests_properties("unit/${search}/planted/${bug}" PROPERTIES LABELS unit TIMEOUT 180
                       FIXTURES_REQUIRED "${KEEL_BUILD_FIXTURE}")
endfunction()
