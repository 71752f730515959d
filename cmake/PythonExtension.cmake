# The binding: module hardwork._engine, written against the C API, with the engine linked in statically.
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)

file(GLOB_RECURSE python_sources CONFIGURE_DEPENDS
  "${CMAKE_CURRENT_SOURCE_DIR}/python/src/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/python/src/*.hpp")
if(NOT python_sources)
  message(FATAL_ERROR "python/src has no sources")
endif()

python_add_library(_engine MODULE WITH_SOABI ${python_sources})
# Python's own headers come as SYSTEM (they are an imported target's), so our warnings do not hold for them.
target_include_directories(_engine PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/python/src")
target_link_libraries(_engine PRIVATE hardwork_engine)
set(python_exports "${CMAKE_CURRENT_SOURCE_DIR}/cmake/python_extension.map")
set_target_properties(_engine PROPERTIES LINK_DEPENDS "${python_exports}")
target_link_options(_engine PRIVATE "LINKER:--version-script=${python_exports}")
hardwork_warnings(_engine FOR_PYTHON)
hardwork_optimise(_engine)

# A component of its own: a wheel holds this file and no C++ headers.
install(TARGETS _engine LIBRARY DESTINATION hardwork COMPONENT python)
