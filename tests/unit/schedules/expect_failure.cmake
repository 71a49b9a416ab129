# Runs PROGRAM with ARGUMENTS, which has a planted bug, and fails unless it fails as EXPECT says.
execute_process(COMMAND "${PROGRAM}" ${ARGUMENTS} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result STREQUAL "0")
  message(FATAL_ERROR "the planted bug was not found\n${output}")
endif()
if(NOT output MATCHES "${EXPECT}")
  message(FATAL_ERROR "failed, but not as planted (${EXPECT}), exit ${result}\n${output}")
endif()
message(STATUS "found: ${CMAKE_MATCH_0}")
