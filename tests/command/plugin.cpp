// Functions for tests/command/map_test.sh.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "hardwork/plugin.h"

namespace {

void put(const std::string& text, hardwork_emit emit, void* to) { emit(to, text.data(), text.size()); }

}  // namespace

// The line, its length, and in two parts.
HARDWORK_PLUGIN int describe(const char* line, std::size_t length, hardwork_emit emit, void* to) {
    put(std::string(line) + " ", emit, to);
    put(std::to_string(length) + "\n", emit, to);
    return 0;
}

// Does what the line says.
HARDWORK_PLUGIN int obey(const char* line, std::size_t length, hardwork_emit emit, void* to) {
    const std::string word(line, length);
    put(word + "\n", emit, to);
    if (word == "crash") {
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
    }
    if (word == "leave") _exit(3);
    if (word == "fail") return 7;
    if (word == "throw") throw std::out_of_range("too far");
    if (word == "hang") std::this_thread::sleep_for(std::chrono::hours(1));
    return 0;
}

// The line is a file that is not there yet: it fails, and makes it.
HARDWORK_PLUGIN int second_time(const char* line, std::size_t, hardwork_emit emit, void* to) {
    if (access(line, F_OK) != 0) {
        std::ofstream(line).put('x');
        return 1;
    }
    put("again\n", emit, to);
    return 0;
}

// Takes as many seconds as the line says.
HARDWORK_PLUGIN int doze(const char* line, std::size_t, hardwork_emit emit, void* to) {
    std::this_thread::sleep_for(std::chrono::duration<double>(std::stod(line)));
    put(std::string(line) + "\n", emit, to);
    return 0;
}

// Says in a file which process it is, and never ends.
HARDWORK_PLUGIN int stay(const char* line, std::size_t, hardwork_emit, void*) {
    std::ofstream(line) << getpid() << std::endl;
    for (;;)
        pause();
}

// Gives 100 kB.
HARDWORK_PLUGIN int much(const char*, std::size_t length, hardwork_emit emit, void* to) {
    for (int i = 0; i < 1000; ++i)
        put(std::string(99, static_cast<char>('a' + length % 26)) + "\n", emit, to);
    return 0;
}
