# The command `hardwork`, for shells.
file(GLOB command_sources CONFIGURE_DEPENDS
  "${CMAKE_CURRENT_SOURCE_DIR}/src/command/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/src/command/*.hpp")
add_executable(hardwork_command ${command_sources})
set_target_properties(hardwork_command PROPERTIES OUTPUT_NAME hardwork)
target_include_directories(hardwork_command PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src")
target_link_libraries(hardwork_command PRIVATE hardwork_engine ${CMAKE_DL_LIBS})
hardwork_warnings(hardwork_command)
hardwork_optimise(hardwork_command)

if(HARDWORK_BUILD_TESTS)
  add_library(hardwork_test_plugin MODULE tests/command/plugin.cpp)
  target_include_directories(hardwork_test_plugin PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/include")
  set_target_properties(hardwork_test_plugin PROPERTIES PREFIX "")
  hardwork_warnings(hardwork_test_plugin)
  add_test(NAME command.Map
    COMMAND bash "${CMAKE_CURRENT_SOURCE_DIR}/tests/command/map_test.sh"
      "$<TARGET_FILE:hardwork_command>" "$<TARGET_FILE:hardwork_test_plugin>")
  set_tests_properties(command.Map PROPERTIES TIMEOUT 300 LABELS command)
endif()
