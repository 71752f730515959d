# What is installed is tested as somebody who installs it would: see tests/install/check.cmake.
set(flags "")
if(HARDWORK_SANITIZE)
  set(flags "-fsanitize=${HARDWORK_SANITIZE}")
endif()
add_test(NAME install.Stranger
  COMMAND "${CMAKE_COMMAND}" "-DBUILD=${CMAKE_CURRENT_BINARY_DIR}" "-DWORK=${CMAKE_CURRENT_BINARY_DIR}/install-test"
    "-DCOMPILER=${CMAKE_CXX_COMPILER}" "-DGENERATOR=${CMAKE_GENERATOR}" "-DFLAGS=${flags}" "-DVERSION=${PROJECT_VERSION}"
    "-DFAULT_POINTS=${HARDWORK_FAULT_POINTS}"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/tests/install/check.cmake")
set_tests_properties(install.Stranger PROPERTIES TIMEOUT 300 LABELS "face;install")
