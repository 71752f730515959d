# Installs the build, and builds and runs a program of somebody who has nothing but that: by find_package, by pkg-config,
# and after the installation has been moved.
#   cmake -DBUILD=... -DWORK=... -DCOMPILER=... -DGENERATOR=... -DFLAGS=... -DVERSION=... -DFAULT_POINTS=...
#     -P check.cmake
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

file(GLOB_RECURSE shared "${WORK}/moved/libhardwork.so")
set(libraries hardwork)
if(shared)
  list(APPEND libraries hardwork_shared)
  cmake_path(GET shared PARENT_PATH shared_folder)
endif()
# Whether a program needs the shared library when it starts.
function(needs program wanted)
  execute_process(COMMAND readelf -d "${program}" OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
  string(FIND "${dynamic}" "[libhardwork.so." at)
  if((at EQUAL -1) EQUAL wanted)
    message(FATAL_ERROR "${program}: the shared library is wanted: ${wanted}; it is not so:\n${dynamic}")
  endif()
endfunction()

foreach(library IN LISTS libraries)
  set(build "${WORK}/build-${library}")
  run("${CMAKE_COMMAND}" -S "${stranger}" -B "${build}" -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
    "-DCMAKE_CXX_FLAGS=${FLAGS}" "-DCMAKE_PREFIX_PATH=${WORK}/moved" -DCMAKE_FIND_PACKAGE_NO_PACKAGE_REGISTRY=ON
    "-DLIBRARY=${library}")
  run("${CMAKE_COMMAND}" --build "${build}")
  run("${build}/stranger")
  string(COMPARE EQUAL "${library}" hardwork_shared wanted)
  needs("${build}/stranger" ${wanted})
endforeach()

# A release has no fault points: each keeps the path of its source file among the constants. Those for a debugger do not
# count; and a build that has some shows that they would be found.
file(GLOB_RECURSE installed "${WORK}/moved/libhardwork.a" "${WORK}/moved/libhardwork.so" "${WORK}/moved/bin/hardwork")
if(NOT installed)
  message(FATAL_ERROR "nothing was found to look for fault points in")
endif()
foreach(each IN LISTS installed)
  run(objcopy --strip-debug "${each}" "${WORK}/stripped")
  file(STRINGS "${WORK}/stripped" points
    REGEX "(worker/claim_loop|worker/publisher|engine/dispatch|base/atomic|hardwork/worker)\\.[ch]pp$")
  if(points AND NOT FAULT_POINTS)
    message(FATAL_ERROR "${each} has fault points: ${points}")
  elseif(FAULT_POINTS AND NOT points)
    message(FATAL_ERROR "${each} was built with fault points, and none was found")
  endif()
endforeach()

# It shows our own names only, and few that are not for programs.
if(shared)
  execute_process(COMMAND nm -DC --defined-only "${shared}" OUTPUT_VARIABLE names COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE ";" "," names "${names}")
  string(REGEX REPLACE "\n" ";" names "${names}")
  set(shown 0)
  foreach(name IN LISTS names)
    if(name MATCHES "^[0-9a-f]+ . (.*)$")
      set(name "${CMAKE_MATCH_1}")
      math(EXPR shown "${shown} + 1")
      if(NOT name MATCHES "hardwork::" OR name MATCHES "hardwork::(os|shm|sched|base|face|testing|EngineCore|Supervisor)")
        message(FATAL_ERROR "the shared library shows ${name}")
      endif()
    endif()
  endforeach()
  if(shown EQUAL 0)
    message(FATAL_ERROR "the shared library shows nothing:\n${names}")
  endif()
endif()

file(GLOB command "${WORK}/moved/bin/hardwork")
if(command)
  file(WRITE "${WORK}/lines" "a\nb\n")
  execute_process(COMMAND "${command}" map --exec "echo got" INPUT_FILE "${WORK}/lines" OUTPUT_VARIABLE got
    COMMAND_ERROR_IS_FATAL ANY)
  if(NOT got STREQUAL "got a\ngot b\n")
    message(FATAL_ERROR "the command gave: ${got}")
  endif()
endif()

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
  set(ENV{LD_LIBRARY_PATH} "${shared_folder}")
  run("${WORK}/by_pkg_config")
endif()
