# What of the C++ face is tested by compilers and not by GoogleTest: what must not compile, and programs that are built
# otherwise than the library.
file(GLOB snippets CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/tests/face/refused/*.cpp")
foreach(snippet IN LISTS snippets)
  cmake_path(GET snippet STEM name)
  add_test(NAME "face.Refused.${name}"
    COMMAND "${CMAKE_COMMAND}" "-DSNIPPET=${snippet}" "-DCOMPILER=${CMAKE_CXX_COMPILER}"
      "-DINCLUDE=${CMAKE_CURRENT_SOURCE_DIR}/include" -P "${CMAKE_CURRENT_SOURCE_DIR}/tests/face/refused/check.cmake")
  set_tests_properties("face.Refused.${name}" PROPERTIES TIMEOUT 120 LABELS "face;refused")
endforeach()

# What the documents show.
add_test(NAME face.DocumentsCompile
  COMMAND bash "${CMAKE_CURRENT_SOURCE_DIR}/tests/docs/snippets_test.sh" "${CMAKE_CXX_COMPILER}"
    "${CMAKE_CURRENT_SOURCE_DIR}/include" "${CMAKE_CURRENT_SOURCE_DIR}/README.md"
    "${CMAKE_CURRENT_SOURCE_DIR}/docs/cpp.md" "${CMAKE_CURRENT_SOURCE_DIR}/docs/cpp-guide.md")
set_tests_properties(face.DocumentsCompile PROPERTIES TIMEOUT 400 LABELS face)

# A program without exceptions uses the library, which has them.
add_executable(hardwork_without_exceptions tests/face/without_exceptions/main.cpp)
target_compile_options(hardwork_without_exceptions PRIVATE -fno-exceptions)
target_link_libraries(hardwork_without_exceptions PRIVATE hardwork::hardwork)
hardwork_warnings(hardwork_without_exceptions)
add_test(NAME face.WithoutExceptions COMMAND hardwork_without_exceptions)
set_tests_properties(face.WithoutExceptions PROPERTIES TIMEOUT 120 LABELS face)

# Programs whose main is part of the test: one that prepares its template, starts threads, and makes its pools then; and
# one whose workers are its own binary.
foreach(name prepared exec)
  set(target "hardwork_${name}_tests")
  add_executable(${target} "tests/face/${name}/${name}_test.cpp" ${hardwork_test_support})
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE hardwork::hardwork GTest::gtest)
  hardwork_warnings(${target})
  gtest_discover_tests(${target}
    TEST_PREFIX face. DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120 LABELS face)
endforeach()

# tools/test_cpp.sh installs what it needs (libcereal-dev); whoever has not got it shall not overlook what is left out.
find_package(cereal QUIET)
if(TARGET cereal::cereal)
  add_executable(hardwork_cereal_tests tests/face/cereal/cereal_test.cpp ${hardwork_test_support})
  target_include_directories(hardwork_cereal_tests PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/tests")
  target_link_libraries(hardwork_cereal_tests PRIVATE hardwork::hardwork cereal::cereal GTest::gtest_main)
  hardwork_warnings(hardwork_cereal_tests)
  gtest_discover_tests(hardwork_cereal_tests
    TEST_PREFIX face. DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120 LABELS face)
else()
  message(WARNING "the tests of hardwork/cereal.hpp are left out: no cereal (Debian: libcereal-dev)")
endif()
