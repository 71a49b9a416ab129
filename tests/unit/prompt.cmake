set(prompt_editor
  src/prompt/action.c src/prompt/line.c src/prompt/history.c src/prompt/display.c src/prompt/command_set.c
  src/prompt/completion.c src/prompt/editor.c src/prompt/editor_completion.c src/lib/utf8.c)

unit_test(lib_utf8 SOURCES test_lib_utf8.c KERNEL src/lib/utf8.c)
unit_test(prompt_action SOURCES test_prompt_action.c KERNEL src/prompt/action.c src/lib/utf8.c)
unit_test(prompt_line SOURCES test_prompt_line.c KERNEL src/prompt/line.c src/prompt/history.c)
unit_test(prompt_editor SOURCES test_prompt_editor.c support/terminal.c KERNEL ${prompt_editor})
unit_test(prompt_editor_random SOURCES test_prompt_editor_random.c support/terminal.c KERNEL ${prompt_editor})
unit_test(prompt_dispatch SOURCES test_prompt_dispatch.c
  KERNEL src/prompt/dispatch.c src/prompt/command_set.c src/prompt/completion.c src/prompt/style.c src/lib/parse.c
         src/lib/error_name.c src/debug/command.c)
