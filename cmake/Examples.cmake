# Each file in examples/ is a program; it sees the public headers only, and says by its exit code whether all was right.
file(GLOB example_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/examples/*.cpp")
foreach(source IN LISTS example_sources)
  cmake_path(GET source STEM name)
  add_executable(example_${name} "${source}")
  set_target_properties(example_${name} PROPERTIES
    OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/examples")
  target_link_libraries(example_${name} PRIVATE hardwork::hardwork)
  hardwork_warnings(example_${name})
  hardwork_optimise(example_${name})
  if(HARDWORK_BUILD_TESTS)
    add_test(NAME "example.${name}" COMMAND example_${name} --quick)
    set_tests_properties("example.${name}" PROPERTIES TIMEOUT 120 LABELS example)
  endif()
endforeach()
if(HARDWORK_BUILD_TESTS)
  add_test(NAME example.mandelbrot.Picture
    COMMAND "${CMAKE_COMMAND}" "-DPROGRAM=$<TARGET_FILE:example_mandelbrot>"
      "-DFILE=${CMAKE_CURRENT_BINARY_DIR}/mandelbrot-test.ppm" -P "${CMAKE_CURRENT_SOURCE_DIR}/tests/examples/picture.cmake")
  set_tests_properties(example.mandelbrot.Picture PROPERTIES TIMEOUT 120 LABELS example)
endif()
