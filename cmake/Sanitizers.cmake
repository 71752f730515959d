# HARDWORK_SANITIZE holds for everything in the build, tests included: half-instrumented programs give false reports.
if(HARDWORK_SANITIZE)
  add_compile_options("-fsanitize=${HARDWORK_SANITIZE}" -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options("-fsanitize=${HARDWORK_SANITIZE}")
  if(HARDWORK_SANITIZE MATCHES "undefined")
    # The check of virtual calls opens a pipe to see whether memory is readable: in the tests that leave the process no
    # descriptor it takes a good object for a bad one.
    add_compile_options(-fno-sanitize=vptr)
  endif()
  if(HARDWORK_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ warns at each atomic_thread_fence that TSan does not model it; we know, and -Werror would stop there.
    add_compile_options(-Wno-tsan)
  endif()
endif()
