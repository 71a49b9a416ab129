# Runs FUZZER, which has a planted bug, and fails unless it finds that bug: a report that matches EXPECT. Bounded by a
# number of executions from a fixed seed, so that what is found does not depend on how fast the machine is: the bugs here
# need between 100 and 50,000. Times below are for hangs: of one input, after HANG_SECONDS, and of the fuzzer.
set(executions 500000)
file(REMOVE_RECURSE "${ARTIFACTS}corpus")
file(MAKE_DIRECTORY "${ARTIFACTS}corpus")
execute_process(
  COMMAND "${FUZZER}" "-runs=${executions}" -seed=1 "-timeout=${HANG_SECONDS}" -rss_limit_mb=1024 -verbosity=0
          "-max_len=${MAX_LENGTH}" "-dict=${DICTIONARY}" "-artifact_prefix=${ARTIFACTS}" "${ARTIFACTS}corpus" "${SEEDS}"
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output TIMEOUT 580)
if(result STREQUAL "0")
  message(FATAL_ERROR "the planted bug was not found in ${executions} executions\n${output}")
endif()
if(NOT output MATCHES "${EXPECT}")
  message(FATAL_ERROR "found something, but not what was planted (${EXPECT}), exit ${result}\n${output}")
endif()
string(REGEX MATCH "SUMMARY: [^\n]*" summary "${output}")
message(STATUS "found: ${summary}")
