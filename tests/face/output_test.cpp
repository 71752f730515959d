// What the program and its workers have in their buffers is written once.
#include <cstdio>
#include <iostream>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

int say(int x) {
    std::cout << "task" << x << ";";
    std::printf("also%d;", x);
    return x;
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

// What a program writes that has `body`, and what lies in its buffers at that time: in a copy of this one.
template <class Body>
std::string output_of(Body body) {
    int ends[2];
    if (pipe(ends) != 0) return {};
    std::cout.flush();
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        std::ios::sync_with_stdio(false);  // buffers of their own
        std::cout << "before;";
        std::printf("printed;");
        std::clog << "logged;";
        body();
        std::cout << "after;";
        std::cout.flush();
        std::clog.flush();
        std::fflush(nullptr);
        _exit(0);
    }
    close(ends[1]);
    std::string text;
    char part[4096];
    for (ssize_t size; (size = read(ends[0], part, sizeof part)) > 0;)
        text.append(part, static_cast<std::size_t>(size));
    close(ends[0]);
    waitpid(child, nullptr, 0);
    return text;
}

void expect_once(const std::string& text) {
    for (const char* part : {"before;", "printed;", "logged;", "after;"})
        EXPECT_EQ(count_of(text, part), 1U) << part << " in " << text;
    for (int x = 0; x < 20; ++x) {
        EXPECT_EQ(count_of(text, "task" + std::to_string(x) + ";"), 1U) << text;
        EXPECT_EQ(count_of(text, "also" + std::to_string(x) + ";"), 1U) << text;
    }
}

TEST(Output, IsWrittenOnce) {
    expect_once(output_of([] {
        ProcessPool pool({.workers = 3});
        for (int x = 0; x < 20; ++x)
            pool.submit(say, x).get();
#if !defined(__SANITIZE_THREAD__)  // which ends a fork of several threads, such as ours, that starts one
        std::cout << "more;";
        ProcessPool second({.workers = 1});
        EXPECT_EQ(second.submit(twice, 1).get(), 2);
#endif
    }));
}

TEST(Output, IsWrittenOnceInAPreparedProgram) {
    expect_once(output_of([] {
        Template::prepare();
        std::cout << "more;";
        ProcessPool pool({.workers = 2});
        for (int x = 0; x < 20; ++x)
            pool.submit(say, x).get();
    }));
}

}  // namespace
}  // namespace hardwork::test
