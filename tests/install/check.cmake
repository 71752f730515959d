# Installs the build, and builds and runs a program of somebody who has nothing but that: by find_package, by pkg-config,
# and after the installation has been moved.
#   cmake -DBUILD=... -DWORK=... -DCOMPILER=... -DGENERATOR=... -DFLAGS=... -DVERSION=... -P check.cmake
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " line)
    message(FATAL_ERROR "${line}\nended with ${status}:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
set(stranger "${CMAKE_CURRENT_LIST_DIR}/stranger")
run("${CMAKE_COMMAND}" --install "${BUILD}" --component cpp --prefix "${WORK}/made")
file(RENAME "${WORK}/made" "${WORK}/moved")

run("${CMAKE_COMMAND}" -S "${stranger}" -B "${WORK}/build" -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
  "-DCMAKE_CXX_FLAGS=${FLAGS}" "-DCMAKE_PREFIX_PATH=${WORK}/moved" -DCMAKE_FIND_PACKAGE_NO_PACKAGE_REGISTRY=ON)
run("${CMAKE_COMMAND}" --build "${WORK}/build")
run("${WORK}/build/stranger")

find_program(pkg_config pkg-config)
if(pkg_config)
  file(GLOB_RECURSE pc "${WORK}/moved/hardwork.pc")
  cmake_path(GET pc PARENT_PATH folder)
  set(ENV{PKG_CONFIG_PATH} "${folder}")
  execute_process(COMMAND "${pkg_config}" --cflags --libs "hardwork = ${VERSION}"
    OUTPUT_VARIABLE options OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(options UNIX_COMMAND "${options}")
  separate_arguments(flags UNIX_COMMAND "${FLAGS}")
  run("${COMPILER}" -std=c++20 ${flags} "-DFOUND_VERSION=\"${VERSION}\"" "${stranger}/main.cpp" ${options}
    -o "${WORK}/by_pkg_config")
  run("${WORK}/by_pkg_config")
endif()
