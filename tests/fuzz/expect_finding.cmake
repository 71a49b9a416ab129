# Runs FUZZER, which has a planted bug, and fails unless it finds that bug: a report that matches EXPECT.
file(REMOVE_RECURSE "${ARTIFACTS}corpus")
file(MAKE_DIRECTORY "${ARTIFACTS}corpus")
execute_process(
  COMMAND "${FUZZER}" -max_total_time=60 -seed=1 -timeout=2 -rss_limit_mb=1024 -verbosity=0 "-max_len=${MAX_LENGTH}"
          "-dict=${DICTIONARY}" "-artifact_prefix=${ARTIFACTS}" "${ARTIFACTS}corpus" "${SEEDS}"
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output TIMEOUT 100)
if(result STREQUAL "0")
  message(FATAL_ERROR "the planted bug was not found in 60 s\n${output}")
endif()
if(NOT output MATCHES "${EXPECT}")
  message(FATAL_ERROR "found something, but not what was planted (${EXPECT}), exit ${result}\n${output}")
endif()
string(REGEX MATCH "SUMMARY: [^\n]*" summary "${output}")
message(STATUS "found: ${summary}")
