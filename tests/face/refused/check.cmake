# One snippet that must not compile: cmake -DSNIPPET=... -DCOMPILER=... -DINCLUDE=... -P check.cmake
#
# A snippet holds a line `// says: REGEX`. Without REFUSED defined it must compile, so that it is refused for what it
# shows and for nothing else; with it, it must not, and the compiler must give exactly one error, in a line that matches.
file(STRINGS "${SNIPPET}" says REGEX "^// says: ")
string(REGEX REPLACE "^// says: " "" says "${says}")
if(says STREQUAL "")
  message(FATAL_ERROR "${SNIPPET} does not say what the compiler has to say")
endif()
set(compile "${COMPILER}" -std=c++20 -fsyntax-only "-I${INCLUDE}")

execute_process(COMMAND ${compile} "${SNIPPET}" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "it is refused without what must be refused:\n${output}")
endif()

execute_process(COMMAND ${compile} -DREFUSED "${SNIPPET}"
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "it compiles")
endif()
string(REPLACE ";" "," output "${output}")
string(REPLACE "\n" ";" lines "${output}")
set(errors "")
foreach(line IN LISTS lines)
  if(line MATCHES "error: ")
    list(APPEND errors "${line}")
  endif()
endforeach()
list(LENGTH errors count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "${count} errors, not one:\n${output}")
endif()
if(NOT errors MATCHES "${says}")
  message(FATAL_ERROR "not what it has to say (${says}):\n${errors}")
endif()
