// Exceptions that come back: as themselves if they are registered, with what they were nested in.
#include <exception>
#include <ios>
#include <new>
#include <string>
#include <vector>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

// Made of its text.
class ParseError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

class WorseParseError : public ParseError {
  public:
    using ParseError::ParseError;
};

// By its members.
struct AtLine : std::exception {
    std::string file;
    int line = 0;
    const char* what() const noexcept override { return file.c_str(); }
};
auto hardwork_fields(AtLine& at) { return std::tie(at.file, at.line); }

// No exception at all.
struct Code {
    int value = 0;
};

// Registered, but it cannot be encoded.
struct Unlucky : std::exception {
    const char* what() const noexcept override { return "unlucky"; }
};

}  // namespace
}  // namespace hardwork::test

template <>
struct hardwork::Codec<hardwork::test::Unlucky> {
    static void encode(auto&, const test::Unlucky&) { throw EncodeError("never"); }
    static test::Unlucky decode(Decoder&) { return {}; }
};

namespace hardwork::test {
namespace {

int fail_as(int how) {
    switch (how) {
        case 0: throw ParseError("bad token");
        case 1: throw WorseParseError("worse token");
        case 2: {
            AtLine at;
            at.file = "a.txt";
            at.line = 12;
            throw at;
        }
        case 3: throw Code{5};
        case 4: throw Unlucky{};
        case 5: try { fail_as(0);
            } catch (...) {
                std::throw_with_nested(std::logic_error("while parsing"));
            }
            break;
        case 6: try { fail_as(5);
            } catch (...) {
                std::throw_with_nested(ParseError("outermost"));
            }
            break;
        case 7: try { throw 1;
            } catch (...) {
                std::throw_with_nested(Code{6});
            }
        default: break;
    }
    return how;
}

class Exceptions : public testing::Test {
  protected:
    // Before the pools are made: their workers know what was registered then.
    static void SetUpTestSuite() {
        register_exception<ParseError>();
        register_exception<AtLine>();
        register_exception<Code>();
        register_exception<Unlucky>();
        register_exception<ParseError>();
    }
};

TEST_F(Exceptions, ComeBackAsThemselvesIfRegistered) {
    ProcessPool pool({.workers = 1});
    EXPECT_STREQ(caught<ParseError>([&] { pool.submit(fail_as, 0).get(); }).what(), "bad token");
    const auto at = caught<AtLine>([&] { pool.submit(fail_as, 2).get(); });
    EXPECT_EQ(at.file, "a.txt");
    EXPECT_EQ(at.line, 12);
    EXPECT_EQ(caught<Code>([&] { pool.submit(fail_as, 3).get(); }).value, 5);
    auto results = pool.map(fail_as, std::vector<int>{0});
    EXPECT_THROW(*results.begin(), ParseError);
    const auto failure = pool.submit(fail_as, 0).try_get().error();
    EXPECT_EQ(failure.kind(), FailureKind::thrown);
    EXPECT_EQ(failure.what(), "bad token");
}

TEST_F(Exceptions, OfADerivedTypeAreNotCut) {
    ProcessPool pool({.workers = 1});
    const auto error = caught<RemoteError>([&] { pool.submit(fail_as, 1).get(); });
    EXPECT_EQ(error.type_name(), "hardwork::test::(anonymous namespace)::WorseParseError");
    EXPECT_EQ(error.message(), "worse token");
}

TEST_F(Exceptions, ThatCannotBeEncodedComeByName) {
    ProcessPool pool({.workers = 1});
    const auto error = caught<RemoteError>([&] { pool.submit(fail_as, 4).get(); });
    EXPECT_EQ(error.message(), "unlucky");
}

TEST_F(Exceptions, BringTheirCausesAlong) {
    ProcessPool pool({.workers = 1});
    const auto error = caught<RemoteError>([&] { pool.submit(fail_as, 5).get(); });
    EXPECT_EQ(error.type_name(), "std::logic_error");
    ASSERT_EQ(error.causes().size(), 1U);
    EXPECT_EQ(error.causes().front().type_name, "hardwork::test::(anonymous namespace)::ParseError");
    EXPECT_EQ(error.causes().front().message, "bad token");
    EXPECT_STREQ(
        error.what(),
        "std::logic_error: while parsing; caused by hardwork::test::(anonymous namespace)::ParseError: bad token");
    // The causes are real exceptions, too.
    try {
        pool.submit(fail_as, 6).get();
        FAIL();
    } catch (const ParseError& outermost) {
        EXPECT_STREQ(outermost.what(), "outermost");
        const auto middle = caught<RemoteError>([&] { std::rethrow_if_nested(outermost); });
        EXPECT_EQ(middle.message(), "while parsing");
        EXPECT_EQ(middle.causes().size(), 1U);
        try {
            std::rethrow_if_nested(outermost);
        } catch (const RemoteError& again) {
            EXPECT_THROW(std::rethrow_if_nested(again), ParseError);
        }
    }
    try {
        pool.submit(fail_as, 7).get();
        FAIL();
    } catch (const Code& code) {
        EXPECT_EQ(code.value, 6);
    }
}

int fail_as_the_library_does(int how) {
    if (how == 0) throw EncodeError("not to be written");
    if (how == 1) throw DecodeError("not to be read");
    if (how == 2) throw std::bad_alloc();
    try {
        throw std::logic_error("the cause");
    } catch (...) {
        std::throw_with_nested(std::bad_alloc());
    }
}

TEST_F(Exceptions, OfThisLibraryAndOfMemoryNeedNotBeRegistered) {
    ProcessPool pool({.workers = 1});
    EXPECT_STREQ(caught<EncodeError>([&] { pool.submit(fail_as_the_library_does, 0).get(); }).what(),
                 "not to be written");
    EXPECT_STREQ(caught<DecodeError>([&] { pool.submit(fail_as_the_library_does, 1).get(); }).what(), "not to be read");
    EXPECT_THROW(pool.submit(fail_as_the_library_does, 2).get(), std::bad_alloc);
    try {
        pool.submit(fail_as_the_library_does, 3).get();
        FAIL();
    } catch (const std::bad_alloc& error) {
        EXPECT_EQ(caught<RemoteError>([&] { std::rethrow_if_nested(error); }).message(), "the cause");
    }
    const auto kind = [&](int how) { return pool.submit(fail_as_the_library_does, how).try_get().error().kind(); };
    EXPECT_EQ(kind(0), FailureKind::encode);
    EXPECT_EQ(kind(1), FailureKind::decode);
    EXPECT_EQ(kind(2), FailureKind::no_memory);
    auto results = pool.map(fail_as_the_library_does, std::vector<int>{2});
    EXPECT_THROW(*results.begin(), std::bad_alloc);
}

int fail_deep(int depth) {
    if (depth == 0) throw std::runtime_error("0");
    try {
        return fail_deep(depth - 1);
    } catch (...) {
        std::throw_with_nested(std::runtime_error(std::to_string(depth)));
    }
}

TEST_F(Exceptions, NestedWithoutEndAreCutSomewhere) {
    ProcessPool pool({.workers = 1});
    const auto error = caught<RemoteError>([&] { pool.submit(fail_deep, 100).get(); });
    EXPECT_EQ(error.message(), "100");
    EXPECT_EQ(error.causes().size(), 15U);
}

}  // namespace
}  // namespace hardwork::test
