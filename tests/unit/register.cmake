unit_test(register SOURCES test_register.c)

# register_misuse(NAME MISUSE WORDS): a statement that must not compile, for this reason.
function(register_misuse name misuse words)
  add_test(NAME "unit/register_${name}" COMMAND "${CMAKE_C_COMPILER}" -std=gnu17 -Wall -Wextra -Werror -fsyntax-only
    -I "${CMAKE_SOURCE_DIR}/include" "-DMISUSE=${misuse}" "${CMAKE_CURRENT_SOURCE_DIR}/register_misuse.c")
  set_tests_properties("unit/register_${name}" PROPERTIES LABELS unit PASS_REGULAR_EXPRESSION "${words}")
endfunction()

register_misuse(plain_read "*out = block->status" "incompatible type")
register_misuse(plain_write "block->control = 1" "incompatible type")
register_misuse(write_to_read_only "register_write(&block->status, 1)" "discards .*qualifier")
register_misuse(other_width "*out = register_read32(&block->control)" "incompatible.pointer")
register_misuse(no_register "*out = register_read(out)" "not compatible with any")

add_test(NAME unit/register_use COMMAND "${CMAKE_C_COMPILER}" -std=gnu17 -Wall -Wextra -Werror -fsyntax-only
  -I "${CMAKE_SOURCE_DIR}/include" -DMISUSE= "${CMAKE_CURRENT_SOURCE_DIR}/register_misuse.c")
set_tests_properties(unit/register_use PROPERTIES LABELS unit)
