// How what a task returns is written where the parent finds it, and read there. By its Codec; a Buffer stays where it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "hardwork/buffer.hpp"
#include "hardwork/coding.hpp"
#include "hardwork/worker.hpp"

namespace hardwork::detail {

template <class R>
struct ResultCodec {
    static void write(const R& result, Output& out) {
        SizeCounter counter;
        Codec<R>::encode(counter, result);
        std::byte* memory = out.allocate(counter.size());
        if (memory == nullptr) throw_bad_alloc();
        MemoryWriter writer({memory, counter.size()});
        Codec<R>::encode(writer, result);
        out.finish(counter.size() - writer.left());
    }
    // from: has value(), the bytes, which throws if there are none; and keep(), the memory in which they lie or nullptr.
    template <class From>
    static R read(From& from) {
        Decoder in(from.value());
        R value = Codec<R>::decode(in);
        in.expect_end();
        return value;
    }
};

// Its bytes and nothing else.
template <>
struct ResultCodec<Buffer> {
    // One that is returned by reference stays the task's, and is copied.
    static void write(const Buffer& result, Output& out) {
        std::byte* memory = out.allocate(result.size());
        if (memory == nullptr) throw_bad_alloc();
        if (!result.empty()) std::memcpy(memory, result.data(), result.size());
        out.finish(result.size());
    }
    static void write(Buffer&& result, Output& out) {
        if (result.segment_ != nullptr && out.hand_over(*result.segment_)) {
            result = Buffer();
        } else {
            write(std::as_const(result), out);
        }
    }
    template <class From>
    static Buffer read(From& from) {
        const std::span<const std::byte> bytes = from.value();
        // A worker that has gone wrong can say that it lies anywhere.
        const bool aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % Buffer::alignment == 0;
        std::unique_ptr<Segment> segment = aligned ? from.keep() : nullptr;
        return segment != nullptr ? Buffer(std::move(segment)) : Buffer::copy_of(bytes);
    }
};

}  // namespace hardwork::detail
