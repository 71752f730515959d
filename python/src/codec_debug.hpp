// The codec as functions of the extension module, for the tests only.
#pragma once

#include "codec.hpp"

namespace hardwork::py {

// _codec_encode, _codec_decode, _codec_encode_args, _codec_decode_args; ends with an empty entry.
extern PyMethodDef codec_debug_methods[];

}  // namespace hardwork::py
