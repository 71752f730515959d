# hardwork_optimise(target): link-time optimisation in Release builds, where compiler and linker can do it.
if(HARDWORK_LTO AND CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT HARDWORK_SANITIZE)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT hardwork_lto_works OUTPUT ignored LANGUAGES CXX)
else()
  set(hardwork_lto_works OFF)
endif()

function(hardwork_optimise target)
  set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION ${hardwork_lto_works})
  if(hardwork_lto_works AND HARDWORK_INSTALL AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # An installed library must link with other compilers too, so its objects hold plain code beside g++'s own.
    target_compile_options(${target} PRIVATE -ffat-lto-objects)
  endif()
endfunction()
