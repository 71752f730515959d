// Thumbnails of many pictures, by a decoder that believes what it reads: it crashes on some files, and never ends on
// others. Each costs itself, and no more.
//
//   thumbnails [--quick]     makes pictures in a folder of its own; exit code 1 if one has not ended as it should
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "hardwork/hardwork.hpp"

namespace {

namespace fs = std::filesystem;

struct Thumbnail {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> grey;
};
auto hardwork_fields(Thumbnail& thumbnail) { return std::tie(thumbnail.width, thumbnail.height, thumbnail.grey); }

// A decoder of the careless kind: a PGM file ("P5 width height 255", and the pixels).
std::vector<std::uint8_t> decode(const fs::path& path, int& width, int& height) {
    std::ifstream in(path, std::ios::binary);
    std::string magic;
    int most = 0;
    in >> magic >> width >> height >> most;
    if (magic != "P5") std::abort();
    while (width == 0) {  // it waits for the width that follows in some dialect
        if (hardwork::this_task::stop_requested()) break;
    }
    in.get();
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    in.read(reinterpret_cast<char*>(pixels.data()), static_cast<std::streamsize>(pixels.size()));
    if (!in) throw std::runtime_error("the file is too short");
    return pixels;
}

Thumbnail shrink(const fs::path& path) {
    constexpr int by = 8;
    int width = 0;
    int height = 0;
    const std::vector<std::uint8_t> pixels = decode(path, width, height);
    hardwork::this_task::throw_if_stopped();
    Thumbnail small{width / by, height / by, {}};
    for (int y = 0; y < small.height; ++y) {
        for (int x = 0; x < small.width; ++x) {
            int sum = 0;
            for (int i = 0; i < by * by; ++i)
                sum += pixels[static_cast<std::size_t>((y * by + i / by) * width + x * by + i % by)];
            small.grey.push_back(static_cast<std::uint8_t>(sum / (by * by)));
        }
    }
    return small;
}

enum class Kind { good, crashes, hangs, is_short };

Kind kind_of(int number) {
    switch (number % 20) {
        case 7: return Kind::crashes;
        case 13: return number % 60 == 13 ? Kind::hangs : Kind::good;
        case 17: return Kind::is_short;
        default: return Kind::good;
    }
}

fs::path make_picture(const fs::path& folder, int number) {
    const fs::path path = folder / (std::to_string(number) + ".pgm");
    const Kind kind = kind_of(number);
    const int size = kind == Kind::hangs ? 0 : 64;
    std::ofstream out(path, std::ios::binary);
    out << (kind == Kind::crashes ? "P4" : "P5") << ' ' << size << ' ' << size << " 255\n";
    out << std::string(kind == Kind::is_short ? 10 : 64 * 64, static_cast<char>(number % 100));
    return path;
}

Kind outcome(const hardwork::Failure& failure) {
    switch (failure.kind()) {
        case hardwork::FailureKind::worker_died: return Kind::crashes;
        case hardwork::FailureKind::task_timeout: return Kind::hangs;
        default: return Kind::is_short;
    }
}

}  // namespace

int main(int argc, char** argv) {
    using namespace std::chrono_literals;
    const int count = argc > 1 && std::strcmp(argv[1], "--quick") == 0 ? 100 : 2000;
    std::string name = (fs::temp_directory_path() / "thumbnails-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        std::perror(name.c_str());
        return 2;
    }
    std::vector<fs::path> paths;
    for (int i = 0; i < count; ++i)
        paths.push_back(make_picture(name, i));

    hardwork::ProcessPool pool({.timeout = 2s});
    std::vector<hardwork::Future<Thumbnail>> futures;
    for (const fs::path& path : paths)
        futures.push_back(pool.submit(shrink, path));
    int made = 0;
    int wrong = 0;
    for (int i = 0; i < count; ++i) {
        const auto result = futures[static_cast<std::size_t>(i)].try_get();
        const bool good = result && result->width == 8 &&
                          result->grey == std::vector<std::uint8_t>(64, static_cast<std::uint8_t>(i % 100));
        if (good) ++made;
        if (!result && i < 40)
            std::printf("%s: %s\n", paths[static_cast<std::size_t>(i)].c_str(), result.error().what().c_str());
        const Kind ended = good ? Kind::good : result ? Kind::is_short : outcome(result.error());
        if (ended != kind_of(i)) ++wrong;
    }
    fs::remove_all(name);
    std::printf("%d of %d thumbnails made, %d not as they should be\n", made, count, wrong);
    return wrong == 0 ? 0 : 1;
}
