# bench/cpp: one program of Google Benchmark's, which sees the public headers only.
find_package(benchmark REQUIRED)
find_package(TBB REQUIRED)
if(NOT TARGET hardwork_command)
  message(FATAL_ERROR "HARDWORK_BUILD_BENCH needs HARDWORK_BUILD_COMMAND")
endif()
file(GLOB bench_sources CONFIGURE_DEPENDS
  "${CMAKE_CURRENT_SOURCE_DIR}/bench/cpp/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/bench/cpp/*.hpp")
add_executable(hardwork_bench ${bench_sources})
target_compile_definitions(hardwork_bench PRIVATE "HARDWORK_COMMAND=\"$<TARGET_FILE:hardwork_command>\"")
target_link_libraries(hardwork_bench PRIVATE hardwork::hardwork benchmark::benchmark TBB::tbb)
add_dependencies(hardwork_bench hardwork_command)
hardwork_warnings(hardwork_bench)
hardwork_optimise(hardwork_bench)
