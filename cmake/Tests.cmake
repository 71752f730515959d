# One program of GoogleTest suites for each layer, from tests/<layer>/; and one for the fault table, tests/faults/.
enable_testing()
find_package(GTest REQUIRED)
include(GoogleTest)
set(hardwork_test_support)
if(HARDWORK_SANITIZE MATCHES "address")
  set(hardwork_test_support "${CMAKE_CURRENT_SOURCE_DIR}/tests/quiet_fork.cpp")
endif()

foreach(layer IN LISTS hardwork_layers ITEMS faults)
  file(GLOB test_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/tests/${layer}/*.cpp")
  if(NOT test_sources)
    continue()
  endif()
  set(target "hardwork_${layer}_tests")
  add_executable(${target} ${test_sources} ${hardwork_test_support})
  # Tests look inside the layers, so they see src/ as well.
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src" "${CMAKE_CURRENT_SOURCE_DIR}/tests")
  # Where main is part of the tests, it is theirs.
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/tests/${layer}/main.cpp")
    target_link_libraries(${target} PRIVATE hardwork_engine GTest::gtest)
  else()
    target_link_libraries(${target} PRIVATE hardwork_engine GTest::gtest_main)
  endif()
  hardwork_warnings(${target})
  # Found when ctest runs, not while building: a test program that crashes at its start must not break the build.
  # The timeout is a watchdog against hangs, never a measure of speed.
  set(watchdog 120)
  if(layer STREQUAL "faults")
    set(watchdog 400)  # 2 GiB there and back
  endif()
  gtest_discover_tests(${target}
    TEST_PREFIX "${layer}." DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${watchdog} LABELS ${layer})
endforeach()
include(FaceTests)
