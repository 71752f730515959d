// The C++ face's Codecs on any bytes: a value or a DecodeError. A value encodes to bytes that give it again.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include "hardwork/codec.hpp"
#include "hardwork/exceptions.hpp"

namespace {

struct Person {
    std::string name;
    std::uint16_t age = 0;
    std::vector<Person> children;
    std::optional<std::pair<double, char>> home;
    std::unique_ptr<Person> friend_of;
};
auto hardwork_fields(Person& person) {
    return std::tie(person.name, person.age, person.children, person.home, person.friend_of);
}

template <class T>
std::vector<std::byte> bytes_of(const T& value) {
    hardwork::BufferWriter out;
    hardwork::encode(out, value);
    return {out.bytes().begin(), out.bytes().end()};
}

template <class T>
void there_and_back(std::span<const std::byte> bytes) {
    try {
        hardwork::Decoder in(bytes);
        const T value = hardwork::decode<T>(in);
        const std::vector<std::byte> once = bytes_of(value);
        hardwork::Decoder again(once);
        const T copy = hardwork::decode<T>(again);
        again.expect_end();
        // Containers without an order may come in another one, but not longer.
        if (bytes_of(copy).size() != once.size()) {
            std::fprintf(stderr, "a value has changed on its way\n");
            std::abort();
        }
    } catch (const hardwork::DecodeError&) {
    } catch (const hardwork::EncodeError&) {  // lies too deep
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // Exactly as long as it is, so that who reads behind it is seen.
    std::vector<std::byte> bytes(size - 1);
    if (size > 1) std::memcpy(bytes.data(), data + 1, size - 1);
    switch (data[0] % 10) {
        case 0: there_and_back<std::string>(bytes); break;
        case 1: there_and_back<std::vector<std::string>>(bytes); break;
        case 2: there_and_back<std::vector<std::uint32_t>>(bytes); break;
        case 3: there_and_back<std::map<std::string, std::vector<int>>>(bytes); break;
        case 4: there_and_back<std::variant<int, std::string, std::vector<double>>>(bytes); break;
        case 5: there_and_back<std::tuple<bool, std::optional<std::string>, std::array<char, 3>>>(bytes); break;
        case 6: there_and_back<Person>(bytes); break;
        case 7: there_and_back<std::unordered_map<int, std::set<std::string>>>(bytes); break;
        case 8: there_and_back<std::vector<std::vector<bool>>>(bytes); break;
        default: there_and_back<std::pair<std::filesystem::path, std::chrono::milliseconds>>(bytes);
    }
    return 0;
}
