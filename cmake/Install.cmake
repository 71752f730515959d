# `cmake --install` gives other CMake projects find_package(hardwork) and the target hardwork::hardwork.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/hardwork")
install(TARGETS hardwork_engine EXPORT hardwork ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp)
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
