# The same objects as a shared library, for programs and distributions that want one: hardwork::hardwork_shared, beside the
# static hardwork::hardwork. What BUILD_SHARED_LIBS says makes no difference.
add_library(hardwork_shared SHARED $<TARGET_OBJECTS:hardwork_engine>)
add_library(hardwork::hardwork_shared ALIAS hardwork_shared)
# Before 1.0 a minor version may break what is binary too.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(soversion "0.${PROJECT_VERSION_MINOR}")
else()
  set(soversion "${PROJECT_VERSION_MAJOR}")
endif()
set_target_properties(hardwork_shared PROPERTIES
  LINKER_LANGUAGE CXX OUTPUT_NAME hardwork VERSION "${PROJECT_VERSION}" SOVERSION "${soversion}"
  LINK_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/cmake/exports.map")
target_compile_features(hardwork_shared INTERFACE cxx_std_20)
target_include_directories(hardwork_shared
  INTERFACE "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:include>")
target_compile_definitions(hardwork_shared
  INTERFACE "$<BUILD_INTERFACE:HARDWORK_FAULT_POINTS=$<BOOL:${HARDWORK_FAULT_POINTS}>>")
target_link_libraries(hardwork_shared PUBLIC Threads::Threads PRIVATE ${CMAKE_DL_LIBS})
target_link_options(hardwork_shared PRIVATE "LINKER:--version-script=${CMAKE_CURRENT_SOURCE_DIR}/cmake/exports.map")
hardwork_optimise(hardwork_shared)
