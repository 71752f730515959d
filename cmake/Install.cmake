# `cmake --install` gives other CMake projects find_package(hardwork) with the targets hardwork::hardwork (static) and
# hardwork::hardwork_shared, and everybody else `pkg-config hardwork`, where the linker takes the shared one unless it is told
# -static.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/hardwork")
install(TARGETS hardwork_engine EXPORT hardwork ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp)
if(TARGET hardwork_shared)
  install(TARGETS hardwork_shared EXPORT hardwork LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp)
endif()
if(TARGET hardwork_command)
  install(TARGETS hardwork_command RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT cpp)
endif()
install(DIRECTORY include/hardwork DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT cpp)
install(EXPORT hardwork NAMESPACE hardwork:: FILE hardworkTargets.cmake DESTINATION "${config_dir}" COMPONENT cpp)

file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/hardworkConfig.cmake" [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/hardworkTargets.cmake")
]])
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/hardworkConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/hardworkConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/hardworkConfigVersion.cmake"
  DESTINATION "${config_dir}" COMPONENT cpp)

# Where it lies is found from where this file lies, so that an installation can be moved as a whole.
set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH pc_to_prefix "/prefix/${pc_dir}" "/prefix")
file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/hardwork.pc" @ONLY CONTENT [[
prefix=${pcfiledir}/@pc_to_prefix@
Name: hardwork
Description: @PROJECT_DESCRIPTION@
Version: @PROJECT_VERSION@
Cflags: -I${prefix}/@CMAKE_INSTALL_INCLUDEDIR@ -pthread
Libs: -L${prefix}/@CMAKE_INSTALL_LIBDIR@ -lhardwork -pthread
]])
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/hardwork.pc" DESTINATION "${pc_dir}" COMPONENT cpp)
