# libFuzzer programs, one from each file of fuzz/: everything is built with clang and its sanitizers (preset fuzz).
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "HARDWORK_FUZZ needs clang++, for libFuzzer")
endif()

function(hardwork_fuzzer name)
  add_executable(fuzz_${name} "${CMAKE_CURRENT_SOURCE_DIR}/fuzz/${name}.cpp" ${ARGN})
  target_include_directories(fuzz_${name} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src")
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  hardwork_warnings(fuzz_${name})
endfunction()

foreach(name lane control_messages face_codec)
  hardwork_fuzzer(${name})
  target_link_libraries(fuzz_${name} PRIVATE hardwork_engine)
endforeach()

# The binding's decoder, in an interpreter inside the program.
find_package(Python 3.11 COMPONENTS Interpreter Development.Embed)
if(Python_Development.Embed_FOUND)
  file(GLOB decoder CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/python/src/codec_decode*.cpp")
  hardwork_fuzzer(python_codec ${decoder})
  target_include_directories(fuzz_python_codec PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/python/src")
  target_link_libraries(fuzz_python_codec PRIVATE Python::Python)
else()
  message(STATUS "fuzz_python_codec is left out: no Python to embed (python3-dev)")
endif()
