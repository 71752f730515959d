# hardwork_warnings(target [FOR_PYTHON]): the warnings that our code is free of, with g++ 12 and clang 14.
function(hardwork_warnings target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "FOR_PYTHON" "" "")
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic
    -Wshadow -Wconversion -Wsign-conversion
    -Wcast-align -Wformat=2 -Wundef -Wimplicit-fallthrough
    -Wnon-virtual-dtor -Woverloaded-virtual)
  if(arg_FOR_PYTHON)
    # CPython's tables are made of function casts and of structs that are filled in part, by design of its C API.
    target_compile_options(${target} PRIVATE -Wno-cast-function-type -Wno-missing-field-initializers)
  else()
    target_compile_options(${target} PRIVATE -Wold-style-cast -Wcast-qual)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -Wduplicated-cond -Wlogical-op)
    if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      # With -O3 it takes `"text" + string` for a copy of overlapping bytes (GCC bug 105651).
      target_compile_options(${target} PRIVATE -Wno-restrict)
    endif()
  endif()
  if(HARDWORK_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
