// Types that cereal serialises travel.
#include "hardwork/cereal.hpp"

#include <cereal/types/map.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <map>
#include <string>
#include <vector>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

struct Person {
    std::string name;
    std::vector<int> numbers;
    std::map<std::string, double> measures;
    bool operator==(const Person&) const = default;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(name, numbers, measures);
    }
};

struct Split {
    std::string text;
    bool operator==(const Split&) const = default;

    template <class Archive>
    void save(Archive& archive) const {
        archive(text);
    }
    template <class Archive>
    void load(Archive& archive) {
        archive(text);
    }
};

struct Free {
    std::string text;
    bool operator==(const Free&) const = default;
};
template <class Archive>
void serialize(Archive& archive, Free& free) {
    archive(free.text);
}

}  // namespace
}  // namespace hardwork::test

template <>
inline constexpr bool hardwork::travels_by_cereal<hardwork::test::Free> = true;

namespace hardwork::test {
namespace {

template <class T>
T echo(T value) {
    return value;
}

const Person ada{"Ada", {1, 2, 3}, {{"height", 1.7}}};

TEST(Cereal, ItsTypesTravelThereAndBack) {
    ProcessPool pool({.workers = 2});
    EXPECT_EQ(pool.submit(echo<Person>, ada).get(), ada);
    EXPECT_EQ(pool.submit(echo<Split>, Split{"split"}).get(), Split{"split"});
    EXPECT_EQ(pool.submit(echo<Free>, Free{"free"}).get(), Free{"free"});
    const std::vector<Person> people(10, ada);
    EXPECT_EQ(pool.submit(echo<std::vector<Person>>, people).get(), people);
    EXPECT_EQ(collect(pool.map(echo<Person>, people)), people);
}

TEST(Cereal, BytesThatWereCutOffAreADecodeError) {
    BufferWriter out;
    encode(out, ada);
    for (std::size_t size = 0; size < out.bytes().size(); ++size) {
        const std::vector<std::byte> cut(out.bytes().begin(), out.bytes().begin() + static_cast<std::ptrdiff_t>(size));
        Decoder in(cut);
        EXPECT_THROW(decode<Person>(in), DecodeError) << size;
    }
}

TEST(Cereal, WhatDoesNotFitIsAnEncodeError) {
    std::vector<std::byte> memory(10);
    MemoryWriter writer(memory);
    EXPECT_THROW(encode(writer, ada), EncodeError);
}

}  // namespace
}  // namespace hardwork::test
