# Whether mandelbrot writes a picture: cmake -DPROGRAM=... -DFILE=... -P picture.cmake
file(REMOVE "${FILE}")
execute_process(COMMAND "${PROGRAM}" --quick "${FILE}" COMMAND_ERROR_IS_FATAL ANY)
# "P6", 192 pixels in each of 160 rows, bytes up to 255; then three bytes a pixel.
file(READ "${FILE}" head LIMIT 15 HEX)
if(NOT head STREQUAL "50360a313932203136300a3235350a")
  message(FATAL_ERROR "it begins with ${head}")
endif()
file(SIZE "${FILE}" size)
math(EXPR wanted "15 + 192 * 160 * 3")
if(NOT size EQUAL wanted)
  message(FATAL_ERROR "it has ${size} bytes, not ${wanted}")
endif()
# Neither all of one colour, nor noise: black is inside, and outside there is some blue everywhere.
file(READ "${FILE}" middle OFFSET 46185 LIMIT 3 HEX)
file(READ "${FILE}" corner OFFSET 15 LIMIT 3 HEX)
if(corner STREQUAL "000000")
  message(FATAL_ERROR "a corner is ${corner}, the middle ${middle}")
endif()
